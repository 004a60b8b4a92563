import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.ibug68 import LID_PAIRS, LIP_PAIRS
from training.dataset.split import is_held_out_picture
from training.evaluation.benchmark_sets import load_annotated
from training.evaluation.clips import follow, read_frames
from training.evaluation.openings import compare_openings


def face(lid: float, lip: float) -> np.ndarray:
    """Landmarks whose lids and lips are open by these parts of their widths."""
    points = np.random.default_rng(0).uniform(0, 1, (2, 68))
    for upper, lower in [pair for eye in LID_PAIRS for pair in eye[:2]]:
        points[:, upper], points[:, lower] = (0.0, 0.0), (0.0, 10 * lid)
    for eye in LID_PAIRS:
        points[:, eye[2][0]], points[:, eye[2][1]] = (0.0, 0.0), (10.0, 0.0)
    for upper, lower in LIP_PAIRS:
        points[:, upper], points[:, lower] = (0.0, 0.0), (0.0, 20 * lip)
    points[:, 60], points[:, 64] = (0.0, 0.0), (20.0, 0.0)
    return points


def test_ratios_compare_closed_with_open_faces():
    truth = np.stack([face(0.02, 0.0), face(0.3, 0.4), face(0.18, 0.1)])
    found = np.stack([face(0.12, 0.05), face(0.24, 0.2), face(0.18, 0.1)])
    report = compare_openings(found, truth)
    assert (report.n_faces, report.n_closed_eyes, report.n_open_mouths) == (3, 1, 1)
    assert report.closed_eye_ratio == pytest.approx(0.12 / 0.24)
    assert report.open_mouth_ratio == pytest.approx(0.5)
    assert report.closed_mouth_ratio == pytest.approx(0.05 / 0.2)
    assert report.lid_error == pytest.approx((0.1 + 0.06) / 3)
    assert report.lip_error == pytest.approx((0.05 + 0.2) / 3)


def test_groups_without_a_face_are_nan():
    some = np.stack([face(0.18, 0.1)])
    assert np.isnan(compare_openings(some, some).closed_eye_ratio)


class Drifting:
    """Stands for an aligner: landmarks move by two pixels a frame and shrink from frame five on."""

    def __init__(self) -> None:
        self.calls = 0
        self.policies: list[str] = []

    def __call__(self, frame, objs, crop_policy):
        self.policies.append(crop_policy)
        self.calls += 1
        return [objs[0]], [[0, 0, 1, 1]]

    def recon_vers(self, params, rois):
        size = 100 if self.calls < 7 else 5
        grid = np.linspace(0, size, 68)
        return [np.stack([grid + 2 * self.calls, grid, grid])]


def test_following_starts_twice_and_ends_where_the_face_is_lost():
    aligner = Drifting()
    frames = iter([np.zeros((4, 4, 3), np.uint8)] * 20)
    track = follow(aligner, frames, lambda frame: np.array([[0, 0, 9, 9, 0.9]]))
    assert aligner.policies[:3] == ["box", "landmark", "landmark"]
    assert len(track) == 5
    np.testing.assert_allclose(np.diff(track[:, 0, 0]), 2)


def test_following_ends_at_a_cut():
    one, other = np.random.default_rng(0).integers(0, 256, (2, 18, 32, 3)).astype(np.uint8)
    shots = [one.repeat(8, 0).repeat(8, 1)] * 3 + [other.repeat(8, 0).repeat(8, 1)] * 3
    track = follow(Drifting(), iter(shots), lambda frame: np.array([[0, 0, 9, 9, 0.9]]))
    assert len(track) == 3


def test_clip_without_a_face_or_that_is_no_clip_is_named(tmp_path):
    frames = iter([np.zeros((4, 4, 3), np.uint8)])
    with pytest.raises(InputError, match="first frame"):
        follow(Drifting(), frames, lambda frame: np.zeros((0, 5)))
    with pytest.raises(InputError, match="readable video"):
        next(read_frames(tmp_path / "none.mp4"))


def test_annotated_faces_are_split_and_get_the_best_box_or_their_own(tmp_path):
    import cv2

    (tmp_path / "images").mkdir()
    header = ["file"] + [f"{axis}{k}" for k in range(68) for axis in "xy"]
    grid = np.stack([np.linspace(50, 90, 68), np.linspace(60, 100, 68)], 1).ravel()
    names = [f"p{i}x.png" for i in range(30)]
    lines = [",".join(header)] + [",".join([n, *map(str, grid.tolist())]) for n in names]
    (tmp_path / "landmarks68.csv").write_text("\n".join(lines))
    for name in names:
        cv2.imwrite(str(tmp_path / "images" / name), np.zeros((120, 120, 3), np.uint8))
    held = [name for name in names if is_held_out_picture(name)]
    assert 0 < len(held) < 30
    own = load_annotated(tmp_path)
    assert [path.name for path in own.paths] == held
    assert len(load_annotated(tmp_path, held_out=False).paths) == 30 - len(held)
    box = np.array([[48, 58, 92, 102, 0.9]], np.float32)
    seen = load_annotated(tmp_path, lambda picture: box)
    assert (seen.rois != own.rois).any()
    missed = load_annotated(tmp_path, lambda picture: np.zeros((0, 5), np.float32))
    np.testing.assert_allclose(missed.rois, own.rois)
    np.testing.assert_allclose(own.rois[0], [41.7, 51.7, 98.3, 108.3], atol=0.1)
