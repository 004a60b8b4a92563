import csv

import cv2
import numpy as np
import pytest

from tddfa.errors import InputError
from training.dataset.crops import SQUARES, cut_faces
from training.labels.annotation import load_annotations

COLUMNS = ["file", *(f"{axis}{k}" for k in range(68) for axis in "xy")]


def write_table(path, rows):
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        table.writerows([name, *np.ravel(points)] for name, points in rows)
    return path


def face(left, top, side, seed=0):
    points = np.random.default_rng(seed).uniform(0, 1, (68, 2))
    points[0], points[1] = 0, 1
    return points * side + [left, top]


@pytest.fixture
def cut(tmp_path):
    """A photo with two annotated faces, of which the detector finds one, and its crop."""
    photos, crops = tmp_path / "photos", tmp_path / "crops"
    photos.mkdir()
    picture = np.zeros((300, 600, 3), np.uint8)
    near, far = face(150, 100, 100), face(400, 90, 100, 1)
    for x, y in np.round(near[2:8]).astype(int):
        picture[y - 2 : y + 3, x - 2 : x + 3] = 255
    cv2.imwrite(str(photos / "one.png"), picture)
    # A detector's ROI is 1.58 boxes wide and lies 0.14 of one lower, the points' 1.41 wide.
    box = np.array([[155, 90, 245, 180, 0.9]], np.float32)
    cut_faces(photos, crops, lambda image: box)
    table = write_table(tmp_path / "points.csv", [("one.png", near), ("one.png", far)])
    return table, crops, near[2:8]


def test_points_lie_where_the_crop_shows_them(cut):
    table, crops, marked = cut
    found = load_annotations(table, crops)
    assert found.names.tolist() == ["one_0.webp"]
    crop = cv2.imread(str(crops / "one_0.webp"), cv2.IMREAD_GRAYSCALE)
    for x, y in found.points[0, 2:8]:
        assert crop[round(y), round(x)] > 200
    # Marks keep their distances at the crop's scale.
    scale = np.ptp(found.points[0, 2:8], axis=0) / np.ptp(marked, axis=0)
    np.testing.assert_allclose(scale, 168 / (1.58 * 1.4 * 90), rtol=0.02)


def test_other_crops_have_no_points(cut):
    table, crops, _ = cut
    marks = load_annotations(table, crops).of(np.array(["other.webp", "one_0.webp"]))
    assert np.isnan(marks[0]).all() and np.isfinite(marks[1]).all()


def test_no_annotated_photo_is_no_error(cut, tmp_path):
    found = load_annotations(write_table(tmp_path / "none.csv", []), cut[1])
    assert found.points.shape == (0, 68, 2)
    assert np.isnan(found.of(np.array(["one_0.webp"]))).all()


@pytest.mark.parametrize("content", ["", "file,x0\none.png,3\n", "file,x0,y0\none.png,a,b\n"])
def test_wrong_tables_are_named(cut, tmp_path, content):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(content + ("" if content else "name\none.png\n"))
    with pytest.raises(InputError, match=r"wrong\.csv.*x67"):
        load_annotations(wrong, cut[1])


@pytest.mark.parametrize("lines", [None, "one_0.webp,one.png,3\n", "one_0.webp,one.png,a,b,c,d\n"])
def test_crops_without_their_places_are_named(cut, tmp_path, lines):
    folder = tmp_path / "empty"
    folder.mkdir()
    if lines is not None:
        (folder / SQUARES).write_text(lines)
    with pytest.raises(InputError, match="prepare without --crops"):
        load_annotations(cut[0], folder)
