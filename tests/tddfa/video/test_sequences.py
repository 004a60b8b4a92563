"""Numbered pictures as a film, and a film as numbered pictures."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.io.pictures import imread, imwrite
from tddfa.video.open_film import film_stem, open_film, parse_fps
from tddfa.video.sequence_names import SequenceName, is_sequence_name, pictures_in
from tddfa.video.sequence_writer import SequenceWriter


def picture(value, height=24, width=32):
    return np.full((height, width, 3), value, np.uint8)


def fill(folder, names):
    for number, name in enumerate(names):
        imwrite(folder / name, picture(10 * number))


def values(reader):
    return [int(picture.image[0, 0, 0]) for picture in reader]


@pytest.mark.parametrize(
    ("text", "number", "name"),
    [
        ("a/f_%04d.png", 7, "a/f_0007.png"),
        ("f%d.jpg", 123, "f123.jpg"),
        ("%06d.webp", 3, "000003.webp"),
        ("f_%02d_x.png", 1234, "f_1234_x.png"),
    ],
)
def test_names(text, number, name):
    parsed = SequenceName.parse(text)
    assert parsed.path(number) == Path(name) and str(parsed) == str(Path(text))


@pytest.mark.parametrize(
    "text", ["f.png", "f_%d_%d.png", "f_%04d.mp4", "f_%d", "f_%s.png", "f_%d_%%.png", "100%.png"]
)
def test_names_that_are_none(text):
    with pytest.raises(InputError) as caught:
        SequenceName.parse(text)
    assert text in str(caught.value) and "frame_%04d.png" in str(caught.value)


@pytest.mark.parametrize("start", [0, 1, 9, 4711])
def test_a_sequence_starts_at_its_first_number(tmp_path, start):
    fill(tmp_path, [f"f_{start + n:04d}.png" for n in range(3)])
    with open_film(tmp_path / "f_%04d.png") as reader:
        assert values(reader) == [0, 10, 20]
        assert reader.numbers == (start, start + 1, start + 2) and reader.missing == 0
        assert reader.rate == 25 and reader.n_frames == 3 and reader.ended


def test_numbers_without_zeros_and_what_does_not_belong(tmp_path):
    fill(tmp_path, ["f1.png", "f2.png", "f10.png"])
    fill(tmp_path, ["f02.png", "g3.png", "f3.jpg", "f4.png.png"])
    with open_film(tmp_path / "f%d.png", Fraction(10)) as reader:
        pictures = list(reader)
    assert reader.numbers == (1, 2, 10) and reader.missing == 7
    assert [p.time for p in pictures] == [0, 0.1, 0.2], "pictures follow each other over a gap"


def test_a_folder_in_numeric_order(tmp_path):
    fill(tmp_path, ["shot2.png", "shot10.jpg", "shot1.png"])
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "._shot3.png").write_bytes(b"x")
    found = pictures_in(tmp_path)
    assert [(number, path.name) for number, path in found] == [
        (1, "shot1.png"),
        (2, "shot2.png"),
        (10, "shot10.jpg"),
    ]


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["b.png", "a.png"], [(0, "a.png"), (1, "b.png")]),
        (["a1.png", "b1.png"], [(0, "a1.png"), (1, "b1.png")]),
        (["b2.png", "a9.png"], [(0, "a9.png"), (1, "b2.png")]),
    ],
)
def test_a_folder_whose_names_do_not_count(tmp_path, names, order):
    fill(tmp_path, names)
    assert [(number, path.name) for number, path in pictures_in(tmp_path)] == order


def test_pictures_of_differing_sizes(tmp_path):
    imwrite(tmp_path / "1.png", picture(50, 24, 32))
    imwrite(tmp_path / "2.png", picture(100, 48, 64))
    imwrite(tmp_path / "3.png", picture(200, 48, 24))
    with open_film(tmp_path) as reader:
        images = [p.image for p in reader]
    assert {image.shape for image in images} == {(24, 32, 3)}
    assert images[1].min() == 100
    assert images[2][:, :9].max() == 0 and images[2][:, 11:20].min() == 200


def test_a_picture_that_cannot_be_read_leaves_its_time(tmp_path, caplog):
    fill(tmp_path, ["1.png", "2.png", "3.png"])
    (tmp_path / "2.png").write_bytes(b"no picture")
    with open_film(tmp_path) as reader:
        found = [(p.index, p.time) for p in reader]
    assert found == [(0, 0.0), (2, 0.08)] and reader.skipped == 1
    assert "2.png" in caplog.text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("f_%04d.png", "no such pictures"),
        ("none/f_%04d.png", "no such folder"),
        (".", "expected a folder with pictures"),
        ("f_%04d.mp4", "expected numbered pictures"),
    ],
)
def test_nothing_there(tmp_path, monkeypatch, name, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=words) as caught:
        open_film(name)
    assert name in str(caught.value)


def test_a_percent_sign_in_a_name(make_clip, tmp_path):
    make_clip(tmp_path / "a.mp4", count=2).rename(tmp_path / "100%d.mp4")
    assert not is_sequence_name(str(tmp_path / "100%d.mp4"))
    with open_film(tmp_path / "100%d.mp4") as reader:
        assert len(list(reader)) == 2


def test_rate_of_a_video_is_its_own(make_clip, tmp_path):
    with pytest.raises(InputError, match="--fps"):
        open_film(make_clip(tmp_path / "a.mp4", count=2), Fraction(10))


@pytest.mark.parametrize(
    ("text", "rate"),
    [("25", 25), ("29.97", Fraction(2997, 100)), ("30000/1001", Fraction(30000, 1001))],
)
def test_rates(text, rate):
    assert parse_fps(text) == rate


@pytest.mark.parametrize("text", ["0", "-5", "x", "1/0", "1e9", "nan", ""])
def test_no_rates(text):
    with pytest.raises((ValueError, ZeroDivisionError)):
        parse_fps(text)


@pytest.mark.parametrize(
    ("numbers", "first", "names"),
    [
        (None, None, ["f_0005.png", "f_0006.png"]),
        ((0, 0, 0, 0, 0, 31, 44), None, ["f_0031.png", "f_0044.png"]),
        ((0, 0, 0, 0, 0, 31, 44), 100, ["f_0100.png", "f_0101.png"]),
    ],
)
def test_numbers_of_written_pictures(tmp_path, numbers, first, names):
    target = SequenceName.parse(str(tmp_path / "new" / "f_%04d.png"))
    with SequenceWriter(target, numbers, first) as writer:
        for index in (5, 6):
            writer.write(picture(index), index)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == names
    assert imread(tmp_path / "new" / names[1])[0, 0, 0] == 6 and writer.frames == 2


def test_written_pictures_have_square_pixels(tmp_path):
    with SequenceWriter(SequenceName.parse(str(tmp_path / "%d.png"))) as writer:
        writer.write(picture(9, 20, 30), 0, Fraction(2))
    assert cv2.imread(str(tmp_path / "0.png")).shape == (20, 60, 3)


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot write"):
        SequenceWriter(SequenceName.parse(str(tmp_path / "file" / "%d.png")))


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a/clip.mp4", "clip"),
        ("a/frame_%04d.png", "frame"),
        ("shots/%04d.png", "shots"),
        ("rtsp://host:554/door?x=1", "door"),
        ("http://host/a/clip.m3u8", "clip"),
    ],
)
def test_what_the_result_is_called(name, stem):
    assert film_stem(name) == stem
