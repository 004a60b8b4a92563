import io
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tddfa.errors import InputError
from tddfa.io.container import declared_size
from tddfa.io.pictures import imread

RNG = np.random.default_rng(5)
SMOOTH = cv2.resize(RNG.integers(0, 256, (6, 8, 3), np.uint8), (80, 60))


def pillow_bytes(picture, form, **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def assert_one_line(error, *parts):
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert str(part) in message


def png_chunk(kind, content, length=None):
    size = len(content) if length is None else length
    checksum = zlib.crc32(kind + content)
    return size.to_bytes(4, "big") + kind + content + checksum.to_bytes(4, "big")


def png(width, height, *chunks, data=bytes(4)):
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 6, 0, 0, 0])
    parts = [png_chunk(b"IHDR", head), *chunks, png_chunk(b"IDAT", zlib.compress(b"\0" + data))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + png_chunk(b"IEND", b"")


EXIF_BOMB = b"MM\0*\0\0\0\x08\0\x01\x01\x12\x9c\x03\x49\0\xff\x01\xff\x03\0\0\0\0\0\0"


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (png(1, 1, png_chunk(b"eXIf", EXIF_BOMB, 0xFF00000D)), "truncated"),
        (png(40_000, 40_000), "megapixels"),
        (png(12_000, 12_000), "pixels declared in"),
        (png(3000, 3000), "pixels declared in"),
        (
            b"RIFF\x20\0\0\0WEBPVP8X\n\0\0\0\x02\0\0\0" + b"\xfe\x3f\0" * 2 + bytes(20),
            "pixels declared in",
        ),
        (b"GIF89a" + b"\xff\xff" * 2 + bytes(30), "megapixels"),
        (b"GIF89a" + (12_000).to_bytes(2, "little") * 2 + bytes(30), "pixels declared in"),
        (b"BM" + bytes(16) + (12_000).to_bytes(4, "little") * 2 + bytes(30), "pixels declared in"),
        (b"BM" + bytes(16) + b"\xff\xff\0\0" * 2 + bytes(30), "megapixels"),
    ],
)
def test_declared_beyond_what_a_file_can_hold(tmp_path, data, part, capfd):
    (tmp_path / "a").write_bytes(data)
    tracemalloc.start()
    with pytest.raises(InputError) as error:
        imread(tmp_path / "a")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert_one_line(error, tmp_path / "a", part)
    assert peak < 1 << 20
    assert capfd.readouterr().err == ""


def test_damaged_metadata_does_not_matter(tmp_path, capfd):
    chunks = [
        png_chunk(b"eXIf", EXIF_BOMB),
        png_chunk(b"iCCP", b"x\0\0junk"),
        png_chunk(b"tEXt", b""),
    ]
    (tmp_path / "a.png").write_bytes(png(1, 1, *chunks, data=b"\x01\x02\x03\xff"))
    np.testing.assert_array_equal(imread(tmp_path / "a.png"), [[[3, 2, 1]]])
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory as Linux says it")
def test_memory_of_a_bomb(shared, project_root):
    script = (
        "import re, sys; from pathlib import Path; from tddfa.io.pictures import imread\n"
        "try: imread(sys.argv[1])\n"
        "except Exception as error: print(type(error).__name__)\n"
        # Not getrusage, whose maximum begins with that of the process which started this one.
        "status = Path('/proc/self/status').read_text()\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) // 1024)"
    )
    bomb = shared / "cases" / "memory_bomb_108_bytes.png"
    command = [sys.executable, "-c", script, bomb]
    done = subprocess.run(command, capture_output=True, text=True, cwd=project_root, check=True)
    kind, megabytes = done.stdout.split()
    assert kind == "InputError" and int(megabytes) < 300


@pytest.mark.parametrize("form", ["TGA", "ICO", "PCX", "DDS", "ICNS", "PDF"])
def test_format_that_is_not_read(tmp_path, form):
    (tmp_path / "a").write_bytes(pillow_bytes(Image.fromarray(SMOOTH), form))
    with pytest.raises(InputError) as error:
        imread(tmp_path / "a")
    assert_one_line(error, tmp_path / "a", "not supported", form)


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "AVIF"])
def test_animation(tmp_path, form, caplog):
    caplog.set_level("INFO")
    first, second = Image.fromarray(SMOOTH[..., ::-1]), Image.fromarray(255 - SMOOTH)
    path = tmp_path / "a"
    path.write_bytes(pillow_bytes(first, form, save_all=True, append_images=[second]))
    # A GIF has 256 colors; the second picture differs by 127 on the mean.
    assert np.abs(imread(path).astype(int) - SMOOTH).mean() < 12
    assert "first picture" in caplog.text
    caplog.clear()
    path.write_bytes(pillow_bytes(first, form))
    imread(path)
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {}),
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0II*\0"}),
        ("GIF", {}),
        ("AVIF", {}),
        ("JPEG2000", {}),
    ],
)
def test_declared_size(form, options):
    data = pillow_bytes(Image.fromarray(SMOOTH), form, **options)
    assert declared_size(data) == (80, 60)
    for length in range(0, len(data), 7):  # never an error
        declared_size(data[:length])
