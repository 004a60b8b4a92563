import importlib.util
import io

import cv2
import numpy as np
import pytest
from PIL import Image

from tddfa.errors import InputError
from tddfa.io.heic import is_avif, is_heic
from tddfa.io.picture_paths import expand_inputs
from tddfa.io.pictures import imread

RNG = np.random.default_rng(5)
SMOOTH = cv2.resize(RNG.integers(0, 256, (6, 8, 3), np.uint8), (80, 60))
HEAD = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"


def heic_bytes(picture, **options):
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(picture).save(buffer, quality=95, **options)
    return buffer.getvalue()


@pytest.fixture
def without_pillow_heif(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "pillow_heif" else find_spec(name)
    )
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)


def test_brands():
    assert is_heic(HEAD) and not is_avif(HEAD)
    avif = HEAD.replace(b"heic", b"avif")
    assert is_avif(avif) and not is_heic(avif)
    assert not is_heic(b"") and not is_heic(b"\x00\x00\x00\x18ftypisom") and not is_heic(b"ftyp")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_as_phones_write_it(tmp_path, orientation):
    """The file turns by its transformations; Exif's copy of it must not turn it once more."""
    pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[274] = orientation
    stored = Image.fromarray(SMOOTH[..., ::-1])
    (tmp_path / "a.heic").write_bytes(heic_bytes(stored, exif=exif.tobytes()))
    transpose = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # Pillow's numbers
    upright = stored.transpose(transpose[orientation]) if orientation > 1 else stored
    expected = np.asarray(upright)[..., ::-1].astype(int)
    img = imread(tmp_path / "a.heic")
    assert img.shape == expected.shape
    assert np.abs(img - expected).mean() < 4


@pytest.mark.parametrize("mode", ["L", "RGBA", "RGB"])
def test_modes(tmp_path, mode):
    picture = Image.fromarray(SMOOTH[..., ::-1]).convert(mode)
    if mode == "RGBA":
        picture.putalpha(Image.fromarray(np.full((60, 80), 0, np.uint8)))
    (tmp_path / "a.heif").write_bytes(heic_bytes(picture))
    expected = np.asarray(picture.convert("RGB"))[..., ::-1].astype(int)
    img = imread(tmp_path / "a.heif")
    if mode == "RGBA":
        assert (img == 255).all()
    else:
        assert np.abs(img - expected).mean() < 4


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_truncated(tmp_path, share):
    data = heic_bytes(Image.fromarray(SMOOTH))
    (tmp_path / "a.heic").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match=r"a\.heic.*damaged"):
        imread(tmp_path / "a.heic")


def test_without_pillow_heif(tmp_path, without_pillow_heif):
    (tmp_path / "a.heic").write_bytes(HEAD)
    with pytest.raises(InputError, match=r"a\.heic.*pip install pillow-heif$"):
        imread(tmp_path / "a.heic")


def test_folder_without_pillow_heif(tmp_path, without_pillow_heif, caplog):
    for name in ("a.HEIC", "b.heif", "c.png"):
        (tmp_path / name).touch()
    assert expand_inputs([str(tmp_path)]) == [tmp_path / "c.png"]
    assert "2 HEIC pictures skipped" in caplog.text
    assert "pip install pillow-heif" in caplog.text
    (tmp_path / "c.png").unlink()
    with pytest.raises(InputError, match=r"2 HEIC pictures.*pip install pillow-heif"):
        expand_inputs([str(tmp_path)])


def test_folder_with_pillow_heif(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("tddfa.io.picture_paths.can_read_heic", lambda: True)
    for name in ("a.HEIC", "c.heif", "b.png"):
        (tmp_path / name).touch()
    assert [path.name for path in expand_inputs([str(tmp_path)])] == ["a.HEIC", "b.png", "c.heif"]
    assert caplog.text == ""
