import io
import re

import cv2
import numpy as np
import pytest
from PIL import Image

from tddfa.io.jpeg import close_jpeg, jpeg_is_complete
from tddfa.io.pictures import imread

RNG = np.random.default_rng(5)
SMOOTH = cv2.resize(RNG.integers(0, 256, (6, 8, 3), np.uint8), (80, 60))


def pillow_bytes(picture, form, **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def jpeg(img=SMOOTH, **options):
    return pillow_bytes(Image.fromarray(img[..., ::-1]), "JPEG", quality=95, **options)


@pytest.mark.parametrize("progressive", [False, True])
def test_every_truncation_of_a_jpeg_is_found(progressive):
    # The thumbnail in the EXIF block has an end marker of its own.
    exif = Image.Exif()
    exif[0x010E] = jpeg(SMOOTH[:16, :16]).decode("latin-1")
    data = jpeg(progressive=progressive, exif=exif)
    assert data.count(b"\xff\xd9") >= 1
    assert jpeg_is_complete(data)
    assert jpeg_is_complete(data + b"trailing bytes of a camera")
    assert not any(jpeg_is_complete(data[:length]) for length in range(2, len(data)))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}])
@pytest.mark.parametrize("space", [b"", bytes(3000)])
def test_jpeg_that_lacks_its_end_marker_alone(tmp_path, caplog, capfd, options, space):
    data = jpeg(**options)
    (tmp_path / "a.jpg").write_bytes(data[:-2] + space)
    np.testing.assert_array_equal(
        imread(tmp_path / "a.jpg"), cv2.imdecode(np.frombuffer(data, np.uint8), 1)
    )
    assert "a.jpg" in caplog.text and "end marker" in caplog.text
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}])
def test_jpeg_that_lacks_more(options):
    data = jpeg(**options)
    assert close_jpeg(data[:-2]) == data
    lengths = [*range(len(data) - 40, len(data) - 2), *range(4, len(data) - 40, 97)]
    # What is cut off may be the padding of the last byte, or a last block that ends in zeros.
    whole = cv2.imdecode(np.frombuffer(data, np.uint8), 1)
    for length in lengths:
        closed = close_jpeg(data[:length])
        if closed is not None:
            np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(closed, np.uint8), 1), whole)
    assert close_jpeg(data[: len(data) - 40]) is None


def test_progressive_jpeg_without_its_last_scans():
    data = jpeg(progressive=True)
    starts = [match.start() for match in re.finditer(b"\xff\xda", data)]
    assert len(starts) > 3
    assert all(close_jpeg(data[:start]) is None for start in starts[1:])
