import shutil

import cv2
import numpy as np
import pytest

from tddfa import FaceAligner
from tddfa.errors import InputError
from training.dataset.split import is_held_out_picture
from training.face_check import doubts
from training.face_check.doubts import Doubts, found_at, look_at, pictures_of

PORTRAIT = "examples/inputs/astronaut.png"
TRAINED = [n for n in (f"p{i}x.png" for i in range(60)) if not is_held_out_picture(n)]
HELD_OUT = [n for n in (f"p{i}x.png" for i in range(60)) if is_held_out_picture(n)]


@pytest.fixture(scope="module")
def aligner():
    return FaceAligner("free", threads=1)


@pytest.fixture(scope="module")
def folders(tmp_path_factory, aligner):
    """One annotated portrait and an empty picture, and one of each that is held out."""
    root = tmp_path_factory.mktemp("doubts")
    scenes, negatives = root / "scenes", root / "negatives"
    (scenes / "images").mkdir(parents=True)
    negatives.mkdir()
    (face,) = aligner.detect(PORTRAIT)
    numbers = [f"{x:.2f}" for x in face.landmarks[:2].T.reshape(-1)]
    head = ["file", *(f"{axis}{i}" for i in range(68) for axis in "xy")]
    lines = [",".join(head)]
    for name in (TRAINED[0], HELD_OUT[0]):
        shutil.copy(PORTRAIT, scenes / "images" / name)
        lines.append(",".join([name, *numbers]))
    (scenes / "landmarks68.csv").write_text("\n".join(lines) + "\n")
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    for name in (TRAINED[1], HELD_OUT[1]):
        cv2.imwrite(str(negatives / name), noise)
    return scenes, negatives


def test_held_out_pictures_are_not_looked_at(folders):
    scenes, negatives = folders
    paths = [path.name for path, _ in pictures_of(scenes, negatives, 1)]
    assert paths == [TRAINED[0], TRAINED[1]]
    assert [len(known) for _, known in pictures_of(scenes, negatives, 1)] == [1, 0]


def test_faces_are_told_from_other_things(folders, aligner):
    seen = look_at(aligner, list(pictures_of(*folders, 1)))
    assert (seen.faces, seen.empty) == (1, 1)
    there = seen.face >= 0
    assert there.any()
    assert seen.distance[there].min() < 0.03
    image = cv2.imread(str(folders[0] / "images" / TRAINED[0]))
    cv2.imwrite(str(folders[1] / "suit.png"), image[330:])
    others = look_at(aligner, [(folders[1] / "suit.png", [])])
    assert len(others.face) and (others.face < 0).all()
    assert np.median(others.distance) > 0.05
    (folders[1] / "suit.png").unlink()
    assert len(seen.face) == len(seen.logit) == len(seen.distance)


def test_no_pictures_are_no_doubts(aligner):
    seen = look_at(aligner, [])
    assert (len(seen.face), seen.faces, seen.empty) == (0, 0, 0)


def test_a_configuration_without_a_face_check_is_refused():
    with pytest.raises(InputError, match="face check"):
        look_at(FaceAligner(detector=lambda image: np.zeros((0, 5), np.float32)), [])


@pytest.mark.parametrize(("rate", "share"), [(0.0, 0.5), (0.1, 0.5), (0.2, 0.75), (0.9, 0.75)])
def test_faces_are_found_where_few_others_score_higher(rate, share):
    face = np.array([0, 0, -1, 1, 2, -1])
    score = np.array([9.0, 1.0, 5.0, 6.0, 4.0, 4.5])
    seen = Doubts(face, score, np.zeros(6), faces=4, empty=10)
    assert found_at(seen, score, rate) == share


def test_pictures_without_anything_are_named(folders, tmp_path):
    scenes, _ = folders
    empty = tmp_path / "none"
    empty.mkdir()
    gray = np.full((60, 60, 3), 90, np.uint8)
    cv2.imwrite(str(empty / TRAINED[1]), gray)
    with pytest.raises(InputError, match="--negatives"):
        doubts.main(["free", "--scenes", str(scenes), "--negatives", str(empty), "--every", "1"])


def test_what_is_printed(folders, capsys, monkeypatch):
    seen = Doubts(
        np.array([0, 1, -1, -1]),
        np.array([3.0, 1, 0.5, -3]),
        np.array([0.01, 0.02, 0.1, 0.2]),
        2,
        9,
    )
    monkeypatch.setattr(doubts, "look_at", lambda aligner, pictures: seen)
    scenes, negatives = folders
    arguments = ["free", "--scenes", str(scenes), "--negatives", str(negatives)]
    assert doubts.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "found of 2 faces at so many false ones a picture of 9" in printed
    assert "0.003: 1.000" in printed
    assert "distance, faces: 10 % 0.011" in printed
    assert "regression: " in printed and " ln(" in printed
