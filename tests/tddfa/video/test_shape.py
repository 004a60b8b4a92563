"""Pixels that are not square, and sizes that change."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from tddfa.video.reader import VideoReader
from tddfa.video.shape import (
    CommonShape,
    StoredPicture,
    fitted,
    plausible_aspect,
    square_size,
    to_square,
    to_stored,
)


@pytest.mark.parametrize(
    ("said", "aspect"),
    [
        (None, 1),
        (Fraction(0), 1),
        (Fraction(4, 3), Fraction(4, 3)),
        (Fraction(12, 11), Fraction(12, 11)),
        (Fraction(8), 8),
        (Fraction(1, 255), 1),
        (Fraction(500), 1),
    ],
)
def test_plausible_aspect(said, aspect):
    assert plausible_aspect(said) == aspect


@pytest.mark.parametrize(
    ("stored", "aspect", "square"),
    [
        ((240, 240), Fraction(4, 3), (240, 320)),
        ((576, 720), Fraction(12, 11), (576, 785)),
        ((480, 720), Fraction(8, 9), (540, 720)),
        ((10, 10), Fraction(1), (10, 10)),
        ((1, 1), Fraction(1, 8), (8, 1)),
    ],
)
def test_square_size(stored, aspect, square):
    assert square_size(*stored, aspect) == square


def test_untouched_pixels_are_those_that_were_stored():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (60, 90, 3), np.uint8)
    square = to_square(image, Fraction(4, 3))
    drawn = square.copy()
    cv2.circle(drawn, (60, 30), 10, (0, 0, 255), -1)
    stored = StoredPicture(image, Fraction(4, 3))
    out = to_stored(drawn, square, stored)
    assert np.array_equal(out[:18], image[:18]) and np.array_equal(out[:, 60:], image[:, 60:])
    assert out[30, 45].tolist() == [0, 0, 255]
    assert to_stored(square, square, stored) is image


def test_other_proportions_get_bars():
    image = np.full((50, 100, 3), 200, np.uint8)
    out = fitted(image, 100, 100)
    assert out.shape == (100, 100, 3)
    assert out[:24].max() == 0 and out[76:].max() == 0 and out[27:73].min() == 200
    assert fitted(image, 101, 200).min() == 200, "a pixel's difference is no bar"


def test_all_pictures_take_the_first_ones_shape():
    shape = CommonShape()
    first = np.full((40, 30, 3), 90, np.uint8)
    square, stored = shape(first, Fraction(2))
    assert square.shape == (40, 60, 3) and stored.image is first
    square, stored = shape(np.full((80, 120, 3), 90, np.uint8), Fraction(1))
    assert square.shape == (40, 60, 3) and stored.image.shape == (40, 30, 3)
    assert stored.aspect == 2 and stored.image.min() == 90


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov"])
@pytest.mark.parametrize(
    "aspect", [Fraction(4, 3), Fraction(2), Fraction(12, 11), Fraction(8, 9), Fraction(1)]
)
def test_aspect_is_kept_in_the_file(make_clip, copy_clip, tmp_path, aspect, name):
    source = make_clip(tmp_path / "in.mp4", aspect=aspect, count=5, size=(60, 96), codec="libx264")
    with VideoReader(source) as reader:
        picture = next(iter(reader))
    assert picture.image.shape[:2] == square_size(60, 96, aspect)
    copy_clip(source, tmp_path / name)
    with av.open(str(tmp_path / name)) as container:
        stream = container.streams.video[0]
        assert stream.sample_aspect_ratio == aspect
        context = stream.codec_context
        assert (context.sample_aspect_ratio, context.height, context.width) == (aspect, 60, 96)


def test_aspect_of_a_turned_clip(make_clip, tmp_path):
    source = make_clip(
        tmp_path / "a.mp4", codec="libx264", aspect=Fraction(2), count=3, size=(48, 64), turn=90
    )
    with VideoReader(source) as reader:
        picture = next(iter(reader))
    assert picture.image.shape == (128, 48, 3)
    assert picture.stored.image.shape == (64, 48, 3) and picture.stored.aspect == Fraction(1, 2)


@pytest.mark.parametrize("sizes", [[(64, 64), (96, 128)], [(96, 128), (48, 64), (120, 66)]])
def test_size_that_changes_midway(make_clip, copy_clip, plain_count, tmp_path, sizes):
    parts = [
        make_clip(tmp_path / f"{n}.ts", codec="mpeg2video", size=size, count=10, start=1.0)
        for n, size in enumerate(sizes)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    with VideoReader(joined) as reader:
        pictures = list(reader)
    # FFmpeg's decoder drops the frame that it holds when the size changes.
    assert len(pictures) == plain_count(joined) == 9 * len(sizes) + 1
    assert len({picture.image.shape for picture in pictures}) == 1
    copy_clip(joined, tmp_path / "o.mp4")
    with VideoReader(tmp_path / "o.mp4") as reader:
        found = [picture.time for picture in reader]
    assert len(found) == len(pictures) and np.all(np.diff(found) > 0)


def test_pixel_format_that_changes_midway(tmp_path):
    """Two JPEGs in one stream, the one with colors at half the resolution, the other without."""
    pieces = []
    for name in ("yuvj420p", "yuvj444p"):
        context = av.CodecContext.create("mjpeg", "w")
        context.width, context.height, context.pix_fmt = 64, 48, name
        context.time_base = Fraction(1, 25)
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 120, np.uint8), "bgr24")
        pieces += [bytes(packet) for packet in context.encode(frame.reformat(format=name))] * 3
    path = tmp_path / "a.mjpeg"
    path.write_bytes(b"".join(pieces))
    with VideoReader(path) as reader:
        pictures = list(reader)
    assert len(pictures) == 6 and reader.skipped == 0
    assert all(abs(int(picture.image.mean()) - 120) <= 2 for picture in pictures)
