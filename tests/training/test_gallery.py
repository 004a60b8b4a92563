import cv2
import numpy as np
import pytest

from tddfa.errors import InputError
from training.dataset.split import is_held_out_crop
from training.gallery import find_pictures, main


def test_sheet_shows_landmarks_and_mesh(project_root, tmp_path):
    cv2.imwrite(str(tmp_path / "empty.png"), np.full((90, 120, 3), 90, np.uint8))
    face = project_root / "examples" / "inputs" / "astronaut.png"
    out = tmp_path / "sheet.png"
    pictures = [str(face), str(tmp_path / "empty.png")]
    assert main([*pictures, "--out", str(out), "--columns", "1", "--side", "160", "--onnx"]) == 0
    sheet = cv2.imread(str(out))
    assert sheet.shape == (320, 320, 3)
    points, mesh = np.abs(sheet[:140].astype(int)).reshape(140, 2, 160, 3).swapaxes(0, 1)
    assert (np.abs(points - mesh).max(axis=2) > 40).mean() > 0.02
    assert (sheet[160:300, :160] == sheet[160:300, 160:]).all()  # no face: nothing is drawn


def test_held_out_crops_alone_are_taken(tmp_path):
    """Of a source's folder as of the folder of all sources: training knows crops by both names."""
    names = [f"a/{i:05d}.png" for i in range(0, 2000, 20)]
    (tmp_path / "a").mkdir()
    for name in names:
        (tmp_path / name).touch()
    kept = find_pictures([tmp_path], held_out=True)
    assert kept == find_pictures([tmp_path / "a"], held_out=True)
    expected = {name for name in names if is_held_out_crop(name)}
    assert {f"a/{path.name}" for path in kept} == expected and 0 < len(expected) < 100
    with pytest.raises(InputError, match="at least one"):
        find_pictures([], held_out=False)
