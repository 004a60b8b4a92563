import cv2
import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.ibug68 import MIRROR
from training import teacher_landmarks as second_opinion
from training.labels.roi_views import MOST_VIEWS, mean_of_views, roi_boxes
from training.teacher_landmarks import ask, load_second_opinion


class BrightSpot:
    """An aligner that puts landmark k at a fixed place relative to the crop's bright spot.

    Like a network it errs with the face's place in its input, here by a part of it.
    """

    size = 120

    def __init__(self, pull=0.0, shift=0.0):
        self.pull, self.shift = pull, shift

    def regress(self, batch):
        planes = batch.sum(axis=1)
        weight = np.where(planes > 0, planes, 0)
        y, x = np.indices(weight.shape[1:])
        found = [(weight * axis).sum(axis=(1, 2)) / weight.sum(axis=(1, 2)) for axis in (x, y)]
        middle = (self.size - 1) / 2
        return np.stack([value + self.pull * (value - middle) for value in found], axis=1)

    def recon_vers(self, params, rois):
        found = []
        for (x, y), (left, top, right, _) in zip(params, rois, strict=True):
            k = (right - left) / self.size
            offset = np.arange(68.0) - MIRROR  # odd under mirroring
            across = (x + 0.5) * k + left - 0.5 + offset * 0.1 + self.shift
            down = (y + 0.5) * k + top - 0.5 + np.abs(offset) * 0.1
            found.append(np.stack([across, down, offset * 0]))
        return np.stack(found)


def crop_with_spot(x, y, side=168):
    crop = np.zeros((side, side, 3), np.uint8)
    cv2.circle(crop, (x, y), 4, (255, 255, 255), -1)
    return crop


@pytest.mark.parametrize("views", [1, 2, 6, MOST_VIEWS])
def test_all_views_agree_on_what_is_there(views):
    crops = [crop_with_spot(80, 90), crop_with_spot(88, 70)]
    points = mean_of_views(BrightSpot(), crops, views)
    assert points.shape == (2, 3, 68) and points.dtype == np.float32
    np.testing.assert_allclose(points[:, 1, 8], [90, 70], atol=0.2)
    np.testing.assert_allclose(points[:, 0].mean(axis=1), [80, 88], atol=0.2)
    assert points[0, 0, 16] - points[0, 0, 0] == pytest.approx(3.2, abs=0.1)


def test_errors_that_turn_with_the_view_vanish():
    crops = [crop_with_spot(84, 84)]
    # A shift of the prediction to the right is one to the left in the mirrored view.
    assert mean_of_views(BrightSpot(shift=2), crops, 1)[0, 0].mean() > 85.5
    assert mean_of_views(BrightSpot(shift=2), crops, 2)[0, 0].mean() == pytest.approx(83.7, abs=0.5)


def test_rois_lie_within_the_crop_and_differ():
    boxes = roi_boxes(168, MOST_VIEWS)
    assert len({tuple(box) for box in boxes}) == MOST_VIEWS // 2
    assert np.min(boxes) >= 0 and np.max(boxes) <= 168
    sides = np.ptp(np.reshape(boxes, (-1, 2, 2)), axis=1)
    np.testing.assert_allclose(sides[:, 0], sides[:, 1], atol=1)


@pytest.fixture
def crops(tmp_path):
    folder = tmp_path / "crops"
    folder.mkdir()
    for i in range(5):
        side = 84 if i == 3 else 168
        cv2.imwrite(str(folder / f"{i}.png"), crop_with_spot(side // 2, side // 2, side))
    return folder


def test_several_networks_give_their_mean_and_spread(crops):
    names = [f"{i}.png" for i in range(5)]
    found = ask([BrightSpot(), BrightSpot(shift=3)], crops, names)
    assert found.names.tolist() == names
    assert found.points[0, 0].mean() == pytest.approx(85.5, abs=0.3)
    assert found.points[3, 0].mean() == pytest.approx(43.5, abs=0.3)
    assert found.spread is not None and (found.spread > 1).all()
    assert ask([BrightSpot()], crops, names).spread is None


def test_folder_goes_on_and_file_holds_all(crops, tmp_path, monkeypatch):
    monkeypatch.setattr(second_opinion, "open_aligner", lambda *a, **k: BrightSpot())
    folder, file = tmp_path / "second", tmp_path / "second.npz"
    for part in ("0/2", "1/2", "0/1"):
        assert second_opinion.main([str(crops), "--out", str(folder), "--part", part]) == 0
    assert second_opinion.main([str(crops), "--out", str(file)]) == 0
    both = [load_second_opinion(path) for path in (folder, file)]
    assert all(found.spread is None for found in both)
    assert [sorted(found.names.tolist()) for found in both] == [[f"{i}.png" for i in range(5)]] * 2
    with pytest.raises(InputError, match=r"expected second_\*"):
        load_second_opinion(crops)


def test_archives_without_spread_are_read(tmp_path):
    np.savez(tmp_path / "old.npz", names=np.array(["a"]), points=np.zeros((1, 3, 68)))
    assert load_second_opinion(tmp_path / "old.npz").spread is None


@pytest.mark.parametrize("views", ["0", "3", "16"])
def test_wrong_views_are_named(crops, tmp_path, views):
    with pytest.raises(InputError, match="--views"):
        second_opinion.main([str(crops), "--out", str(tmp_path / "x"), "--views", views])
