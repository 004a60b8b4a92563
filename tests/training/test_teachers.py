import cv2
import numpy as np
import pytest

from tddfa.errors import InputError
from training import teachers
from training.evaluation.benchmark_sets import LandmarkSet
from training.teachers import Score, cut, squares


@pytest.fixture
def faces(tmp_path):
    """Two faces whose points are where the picture says so, in ROIs of different shape."""
    y, x = np.mgrid[:220, :250]
    picture = np.stack([x, y, 0 * x], axis=2).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "ramps.png"), picture)
    generator = np.random.default_rng(0)
    points = generator.uniform(90, 150, (2, 3, 68)).astype(np.float32)
    rois = np.array([[60.0, 70, 160, 170], [80, 50, 200, 160]], np.float32)
    yaw = np.array([10.0, 70], np.float32)
    return LandmarkSet("two", [tmp_path / "ramps.png"] * 2, points, rois, yaw)


def edge_points(faces):
    """Where the truth lies in the crops, counted from their upper left edge."""
    boxes = squares(faces)
    scale = 168 / (boxes[:, 2:] - boxes[:, :2])
    flat = faces.points[:, :2].transpose(0, 2, 1)
    return (flat + 0.5 - boxes[:, None, :2]) * scale[:, None]


def test_crops_reach_beyond_the_roi_as_trainings_do(faces, tmp_path):
    names = cut(faces, tmp_path / "crops")
    boxes = squares(faces)
    assert boxes[0].tolist() == [40, 50, 180, 190]
    for name, box in zip(names, boxes, strict=True):
        crop = cv2.imread(str(tmp_path / "crops" / name))
        assert crop.shape == (168, 168, 3)
        middle = (box[:2] + box[2:]) / 2 - 0.5
        assert crop[83:85, 83:85].reshape(-1, 3).mean(axis=0)[:2] == pytest.approx(middle, abs=1)


def test_crops_are_cut_once(faces, tmp_path):
    names = cut(faces, tmp_path / "crops")
    (tmp_path / "crops" / names[0]).write_bytes(b"kept")
    assert cut(faces, tmp_path / "crops") == names
    assert (tmp_path / "crops" / names[0]).read_bytes() == b"kept"


def test_the_truth_scores_zero_and_a_shift_its_size(faces, capsys):
    measure = Score(faces)
    assert measure("truth", edge_points(faces)).per_face == pytest.approx([0, 0], abs=1e-4)
    boxes = squares(faces)
    pixel = 168 / (boxes[:, 2] - boxes[:, 0])
    moved = edge_points(faces) + np.stack([pixel, 0 * pixel], axis=1)[:, None]
    size = np.sqrt(np.ptp(faces.points[:, :2], axis=2).prod(axis=1))
    assert measure("moved", moved).per_face == pytest.approx(100 / size, rel=1e-4)
    assert "2 faces" in capsys.readouterr().out


def test_faces_without_points_are_left_out(faces, capsys):
    some = edge_points(faces)
    some[0] = np.nan
    report = Score(faces)("some", some)
    assert len(report.per_face) == 1 and np.isnan(report.bins[0])
    assert "1 faces" in capsys.readouterr().out


def test_missing_set_is_named(tmp_path):
    with pytest.raises(InputError, match="ground_truth"):
        teachers.main([str(tmp_path / "none"), "--out", str(tmp_path)])
