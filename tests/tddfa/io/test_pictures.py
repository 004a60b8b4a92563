import io
import os
import stat
import sys
import threading

import cv2
import numpy as np
import pytest
from PIL import Image

from tddfa.errors import InputError
from tddfa.io.atomic import atomic_write
from tddfa.io.pictures import imread, imwrite

RNG = np.random.default_rng(5)
SMOOTH = cv2.resize(RNG.integers(0, 256, (6, 8, 3), np.uint8), (80, 60))


def assert_one_line(error, *parts):
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert str(part) in message


def pillow_bytes(picture, form, **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def jpeg(img=SMOOTH, **options):
    return pillow_bytes(Image.fromarray(img[..., ::-1]), "JPEG", quality=95, **options)


# ---------------------------------------------------------------------------- what is no picture


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "empty"),
        (b"hello, this is text\n" * 20, "expected a picture"),
        (b"\xff\xd8", "truncated"),
        (b"\x89PNG\r\n\x1a\n", "truncated"),
    ],
)
def test_no_picture(tmp_path, capfd, content, part):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        imread(path)
    assert_one_line(error, path, part)
    assert capfd.readouterr().err == ""


def test_missing_and_folder(tmp_path):
    with pytest.raises(InputError) as error:
        imread(tmp_path / "none.jpg")
    assert_one_line(error, tmp_path / "none.jpg", "No such file")
    with pytest.raises(InputError) as error:
        imread(tmp_path)
    assert_one_line(error, tmp_path, "folder")
    with pytest.raises(InputError):
        imread("null\0character.jpg")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_truncated(tmp_path, capfd, form, share):
    data = pillow_bytes(Image.fromarray(SMOOTH), form)
    path = tmp_path / f"a.{form.lower()}"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError) as error:
        imread(path)
    assert_one_line(error, path)
    assert capfd.readouterr().err == ""


def test_preallocated_download_is_truncated(tmp_path):
    data = jpeg()
    path = tmp_path / "a.jpg"
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) // 2))
    with pytest.raises(InputError):
        imread(path)


# ------------------------------------------------------------------------------- kinds of picture


@pytest.mark.parametrize("name", ["a.jpg", "пример 图 é.jpg", "no_extension"])
def test_read_jpeg_as_opencv_does(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(jpeg())
    img = imread(path)
    assert img.dtype == np.uint8 and img.flags.c_contiguous
    np.testing.assert_array_equal(img, cv2.imdecode(np.frombuffer(jpeg(), np.uint8), 1))


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 5000, 3), (5000, 1, 3)])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
def test_thin_pictures(tmp_path, shape, suffix):
    img = np.full(shape, 200, np.uint8)
    imwrite(tmp_path / f"a{suffix}", img)
    np.testing.assert_allclose(imread(tmp_path / f"a{suffix}"), img, atol=1)


def test_gray_and_gray_jpeg(tmp_path):
    gray = SMOOTH[..., 0]
    imwrite(tmp_path / "a.png", gray)
    np.testing.assert_array_equal(imread(tmp_path / "a.png"), np.dstack([gray] * 3))
    Image.fromarray(gray).save(tmp_path / "a.jpg", quality=100)
    img = imread(tmp_path / "a.jpg")
    assert img.shape == SMOOTH.shape
    assert np.abs(img.astype(int) - gray[..., None]).max() <= 3


@pytest.mark.parametrize(
    ("mode", "form"),
    # Not TIFF with LA: OpenCV drops the alpha channel of a gray TIFF.
    [("RGBA", "PNG"), ("RGBA", "WEBP"), ("RGBA", "TIFF"), ("LA", "PNG"), ("LA", "WEBP")],
)
def test_transparency_shows_white_ground(tmp_path, mode, form):
    picture = Image.fromarray(RNG.integers(0, 256, (300, 40, 4), np.uint8)).convert(mode)
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    path = tmp_path / "a.bin"
    path.write_bytes(pillow_bytes(picture, form, **options))
    rgba = np.asarray(picture.convert("RGBA")).astype(float)
    alpha = rgba[..., 3:] / 255
    expected = (rgba[..., :3] * alpha + 255 * (1 - alpha))[..., ::-1]
    # Multiplying by alpha rounds once more in TIFF.
    atol = 1.01 if form == "TIFF" else 0.501
    np.testing.assert_allclose(imread(path), expected, atol=atol)


def test_palette_with_transparency_and_bilevel(tmp_path):
    picture = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8), "P")
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.save(tmp_path / "p.png", transparency=0)
    expected = [[[255] * 3, [60, 50, 40]], [[60, 50, 40], [255] * 3]]
    np.testing.assert_array_equal(imread(tmp_path / "p.png"), expected)
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "b.png")
    np.testing.assert_array_equal(imread(tmp_path / "b.png"), [[[255] * 3, [0] * 3]])


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bit(tmp_path, channels):
    img = RNG.integers(0, 65536, (9, 7, channels), np.uint16)
    if channels == 4:
        img[..., 3] = 65535
    (tmp_path / "a.png").write_bytes(cv2.imencode(".png", img)[1].tobytes())
    expected = np.rint(img[..., :3] / 257).astype(np.uint8)
    expected = np.broadcast_to(expected, (9, 7, 3))
    np.testing.assert_array_equal(imread(tmp_path / "a.png"), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float_tiff(tmp_path, dtype):
    img = np.array([[[-1, 0, 0.5], [1, 2, np.nan]]], dtype)
    (tmp_path / "a.tiff").write_bytes(cv2.imencode(".tiff", img)[1].tobytes())
    np.testing.assert_array_equal(imread(tmp_path / "a.tiff"), [[[0, 0, 128], [255, 255, 0]]])


def tiff(path, img):
    path.write_bytes(cv2.imencode(".tiff", img)[1].tobytes())
    return path


@pytest.mark.parametrize("white", [1, 255, 1023, 4095, 65535])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float_tiff_by_its_range(tmp_path, white, dtype, caplog):
    ramp = np.tile(np.linspace(0, white, 256, dtype=dtype)[:, None, None], (1, 40, 3))
    img = imread(tiff(tmp_path / "a.tiff", ramp))
    assert np.abs(img[:, 0, 0].astype(int) - np.arange(256)).max() <= 1


def test_float_tiff_that_is_bright_beyond_white(tmp_path):
    ramp = np.tile(np.linspace(0, 1, 256, dtype=np.float32)[:, None, None], (1, 40, 3))
    ramp[0, 0] = 3000.0  # a speck of sun
    np.testing.assert_array_equal(imread(tiff(tmp_path / "a.tiff", ramp))[0, 0], [255] * 3)
    assert imread(tiff(tmp_path / "a.tiff", ramp))[128, 0, 0] == 128


@pytest.mark.parametrize(("bits", "dtype"), [(10, "u2"), (12, "u2"), (14, "u2"), (12, "i4")])
def test_fewer_bits_than_the_file_could_hold(tmp_path, bits, dtype, caplog):
    caplog.set_level("INFO")
    ramp = np.tile(np.arange(256)[:, None] * (2**bits - 1) // 255, (1, 20)).astype(dtype)
    (tmp_path / "a.tiff").write_bytes(pillow_bytes(Image.fromarray(ramp), "TIFF"))
    img = imread(tmp_path / "a.tiff")
    assert np.abs(img[:, 0, 0].astype(int) - np.arange(256)).max() <= 1
    assert "a.tiff" in caplog.text and f"0 to {2**bits - 1}" in caplog.text


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP", "PPM", "GIF"])
def test_one_bit(tmp_path, form):
    bits = RNG.integers(0, 2, (30, 21)).astype(bool)
    (tmp_path / "a").write_bytes(pillow_bytes(Image.fromarray(bits), form))
    expected = np.repeat(bits[..., None] * np.uint8(255), 3, axis=2)
    np.testing.assert_array_equal(imread(tmp_path / "a"), expected)


def test_cases_of_users(shared, project_root, caplog):
    cases = shared / "cases"
    expected = cv2.imread(str(project_root / "examples" / "inputs" / "astronaut.png"))
    for name in ("float255.tiff", "noeoi.jpg", "phone_orientation.avif"):
        img = imread(cases / name)
        assert img.shape == (512, 512, 3)
        assert np.abs(img.astype(int) - expected).mean() < 4, name
    assert "noeoi.jpg" in caplog.text


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_exif_orientation(tmp_path, form, orientation, mode):
    if form == "JPEG" and mode == "RGBA":
        mode = "L"
    picture = Image.fromarray(SMOOTH[..., ::-1]).convert(mode)
    exif = Image.Exif()
    exif[274] = orientation
    options = {
        "WEBP": {"lossless": True},
        "JPEG": {"quality": 98, "subsampling": 0},
        "AVIF": {"quality": 98},
    }.get(form, {})
    (tmp_path / "a").write_bytes(pillow_bytes(picture, form, exif=exif, **options))
    transpose = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    upright = picture.transpose(transpose[orientation]) if orientation > 1 else picture
    expected = np.asarray(upright.convert("RGB"))[..., ::-1].astype(int)
    img = imread(tmp_path / "a")
    assert img.shape == expected.shape
    # JPEG is lossy; a wrong orientation differs by tens of gray levels.
    assert np.abs(img - expected).mean() < (3 if form in ("JPEG", "AVIF") else 0.01)


# ---------------------------------------------------------------------------------------- writing


def test_write_makes_folders_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "new" / "folder" / "größe.png"
    imwrite(path, SMOOTH[:, ::-1])
    np.testing.assert_array_equal(imread(path), SMOOTH[:, ::-1])
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_write_quality(tmp_path):
    for suffix in (".jpg", ".webp"):
        imwrite(tmp_path / f"low{suffix}", SMOOTH, quality=5)
        imwrite(tmp_path / f"high{suffix}", SMOOTH, quality=100)
        sizes = [(tmp_path / f"{name}{suffix}").stat().st_size for name in ("low", "high")]
        assert sizes[0] < sizes[1]
    with pytest.raises(InputError):
        imwrite(tmp_path / "a.jpg", SMOOTH, quality=0)


@pytest.mark.parametrize("name", ["a", "a.xyz", "a.txt"])
def test_write_unknown_extension(tmp_path, capfd, name):
    with pytest.raises(InputError) as error:
        imwrite(tmp_path / name, SMOOTH)
    assert_one_line(error, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "img"),
    [
        ("a.png", np.empty((0, 5, 3), np.uint8)),
        ("a.png", np.zeros((4, 5, 3))),
        ("a.png", np.zeros((4, 5, 2), np.uint8)),
        ("a.jpg", np.zeros((1, 70_000, 3), np.uint8)),  # more than a JPEG can hold
        ("a.webp", np.zeros((1, 20_000, 3), np.uint8)),
    ],
)
def test_write_what_cannot_be_encoded(tmp_path, capfd, name, img):
    with pytest.raises(InputError) as error:
        imwrite(tmp_path / name, img)
    assert_one_line(error, tmp_path / name, "cannot write")
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == ""


def test_unwritable(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.png").mkdir()
    for path in (tmp_path / "file" / "a.png", tmp_path / "folder.png", "/proc/none/a.png"):
        with pytest.raises(InputError) as error:
            imwrite(path, SMOOTH)
        assert_one_line(error, path, "cannot write")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.png"]


def test_longest_name_and_mode(tmp_path):
    path = tmp_path / ("x" * 251 + ".png")
    imwrite(path, SMOOTH)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    with pytest.raises(ValueError, match="mode"), atomic_write(path, "a"):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="/dev/zero")
def test_what_has_no_end(tmp_path, monkeypatch):
    monkeypatch.setattr("tddfa.io.pictures._LONGEST", 1 << 26)
    with pytest.raises(InputError, match="/dev/zero: expected a picture, got more than 64 MB"):
        imread("/dev/zero")
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(1 << 40)  # a hole: it takes no room
    with pytest.raises(InputError, match=r"large\.png: expected a picture, got more than"):
        imread(large)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX")
def test_pipe(tmp_path):
    """What a shell makes of ``-f <(curl …)``."""
    path, data = tmp_path / "pipe", cv2.imencode(".png", SMOOTH)[1].tobytes()
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(data,))
    writer.start()
    np.testing.assert_array_equal(imread(path), SMOOTH)
    writer.join()
