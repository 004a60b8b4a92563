"""Damaged files, covers, animations, and what the messages say."""

import re
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from tddfa.errors import InputError
from tddfa.video import container as container_module
from tddfa.video.animation import AnimationReader
from tddfa.video.container import choose_streams, open_container, reason
from tddfa.video.open_film import open_film
from tddfa.video.reader import VideoReader
from tddfa.video.writer import VideoWriter


def damaged(source, target, packets):
    """Copy a file with noise in the middle of some packets of its picture."""
    with av.open(str(source)) as container:
        spans = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(source.read_bytes())
    rng = np.random.default_rng(0)
    for number in packets:
        at, size = spans[number]
        start = at + size // 3
        data[start : start + size // 3] = rng.bytes(size // 3)
    target.write_bytes(data)
    return target


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.avi", "mpeg4", {"g": "50"}),
        ("a.avi", "mpeg4", {"g": "5"}),
        ("a.mp4", "libx264", {"g": "50"}),
        ("a.mp4", "libx264", {"g": "5", "bf": "2"}),
        ("a.mkv", "libx265", {"x265-params": "log-level=none"}),
        ("a.mov", "mjpeg", {}),
        ("a.webm", "libvpx-vp9", {}),
        ("a.ts", "mpeg2video", {}),
    ],
)
def test_as_many_frames_as_plain_decoding_gives(
    make_video, plain_count, tmp_path, name, codec, options
):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (40, 48, 64, 3), np.uint8)
    kind = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    source = make_video(
        tmp_path / f"whole_{name}", frames, codec=codec, pix_fmt=kind, options=options
    )
    path = damaged(source, tmp_path / name, (0, 7, 8, 20))
    with VideoReader(path) as reader:
        pictures = list(reader)
    assert len(pictures) == plain_count(path) > 0
    assert codec not in ("mpeg4", "libx264") or reader.skipped + reader.damaged > 0
    times = [picture.time for picture in pictures]
    assert times == sorted(set(times))


def test_frames_that_a_decoder_holds_come_out_of_a_file_cut_off(make_video, plain_count, tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (30, 48, 64, 3), np.uint8)
    whole = make_video(tmp_path / "whole.ts", frames, options={"bf": "3"})
    data = whole.read_bytes()
    path = tmp_path / "cut.ts"
    path.write_bytes(data[: len(data) * 6 // 10])
    with VideoReader(path) as reader:
        assert len(list(reader)) == plain_count(path) > 10


def test_reading_goes_on_after_an_error(monkeypatch, make_clip):
    """A demuxer may fail at one packet and have the next."""

    class Packet:
        size = 1

    parts = [[Packet(), av.error.InvalidDataError(1, "bad")], [Packet()], []]

    class Container:
        def demux(self, *_):
            for item in parts.pop(0):
                if isinstance(item, Exception):
                    raise item
                yield item

    found = list(container_module.packets_of(Container(), (), "x"))
    assert [item is None for item in found] == [False, True, False]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
def test_turned_clips_have_all_their_frames_once(
    make_clip, copy_clip, plain_count, tmp_path, turn, name
):
    source = make_clip(tmp_path / name, codec="libx264", count=25, turn=turn)
    copy_clip(source, tmp_path / "o.mp4")
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert container.streams.video[0].frames == 25 == plain_count(source)


def test_number_of_frames_in_the_header_is_not_believed(make_clip, copy_clip, tmp_path):
    """The header says 25, the file has 27: all come, and a range counts what is there."""
    source = make_clip(tmp_path / "a.avi", count=27)
    data = bytearray(source.read_bytes())
    at = data.index(b"strh") + 8 + 32
    assert data[at] == 27
    data[at] = 25
    data[data.index(b"avih") + 8 + 16] = 25
    source.write_bytes(data)
    with VideoReader(source) as reader:
        assert reader.n_frames == 25
        assert len(list(reader)) == 27 and reader.ended
    copy_clip(source, tmp_path / "o.mp4", frames=(0, 24))
    with VideoReader(tmp_path / "o.mp4") as reader:
        assert len(list(reader)) == 25


def add_cover(output):
    cover = output.add_stream("mjpeg", rate=25)
    cover.width = cover.height = 32
    cover.pix_fmt = "yuvj420p"
    try:
        cover.disposition = av.stream.Disposition.attached_pic
    except (AttributeError, TypeError):
        pytest.skip("this PyAV writes no covers")
    return cover


def cover_packets(cover):
    frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 255, np.uint8), "bgr24")
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    return [*cover.encode(frame.reformat(format="yuvj420p")), *cover.encode(None)]


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_cover_first(tmp_path, name):
    path = tmp_path / name
    with av.open(str(path), "w") as output:
        cover = add_cover(output)
        video = output.add_stream("libx264", rate=25)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        output.mux(cover_packets(cover))
        for number in range(6):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), "bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    with VideoReader(path) as reader:
        pictures = list(reader)
    assert len(pictures) == 6 and pictures[0].image.shape == (64, 64, 3)
    assert pictures[0].image.mean() < 120


def test_picture_of_one_frame_before_the_film(tmp_path):
    """Cameras store a preview as a stream of its own, without saying so."""

    class Disposition:
        value = 0

    class Stream:
        codec_context, disposition = object(), Disposition()

        def __init__(self, index, frames):
            self.index, self.frames = index, frames

    videos = [Stream(0, 1), Stream(1, 250), Stream(2, 250)]
    container = SimpleNamespace(streams=SimpleNamespace(video=videos, audio=[]))
    assert choose_streams(container, "x").video.index == 1


def test_mp3_with_a_cover_is_no_video(tmp_path):
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as output:
        voice = output.add_stream("libmp3lame", rate=44100)
        cover = add_cover(output)
        output.mux(cover_packets(cover))
        for number in range(10):
            piece = av.AudioFrame.from_ndarray(np.zeros((1, 2304), np.int16), "s16", "stereo")
            piece.sample_rate, piece.pts = 44100, number * 1152
            output.mux(voice.encode(piece))
        output.mux(voice.encode(None))
    with pytest.raises(InputError, match=r"song\.mp3: expected a video, found sound with a cover"):
        VideoReader(path)


@pytest.mark.parametrize("alpha", [False, True])
def test_animated_webp(tmp_path, alpha):
    images = []
    for number in range(5):
        values = np.full((48, 64, 4), 40 * number, np.uint8)
        values[..., 3] = 255
        values[:10, :10, 3] = 0 if alpha else 255
        images.append(Image.fromarray(values).convert("RGBA" if alpha else "RGB"))
    path = tmp_path / "a.webp"
    images[0].save(
        path,
        save_all=True,
        append_images=images[1:],
        duration=[100, 100, 200, 50, 100],
        lossless=True,
    )
    with open_film(path) as reader:
        assert isinstance(reader, AnimationReader) and reader.n_frames == 5
        pictures = list(reader)
    assert [picture.time for picture in pictures] == [0, 0.1, 0.2, 0.4, 0.45]
    assert [int(picture.image[20, 20, 0]) for picture in pictures] == [0, 40, 80, 120, 160]
    assert pictures[1].image[2, 2, 0] == (255 if alpha else 40)


def test_animated_webp_that_is_damaged_or_too_large(tmp_path):
    frames = [Image.fromarray(np.full((48, 64, 3), v, np.uint8)) for v in (0, 99)]
    path = tmp_path / "a.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    data = bytearray(path.read_bytes())
    path.write_bytes(data[:60])
    with pytest.raises(InputError, match=r"a\.webp"):
        open_film(path)
    data[24:30] = b"\xff\x3f\x00\xff\x3f\x00"
    path.write_bytes(data)
    with pytest.raises(InputError, match="16384x16384"):
        open_film(path)


def test_colon_in_a_name(make_clip, monkeypatch, tmp_path):
    make_clip(tmp_path / "a.mp4", count=2).rename(tmp_path / "data:x.mp4")
    monkeypatch.chdir(tmp_path)
    with VideoReader("data:x.mp4") as reader:
        assert len(list(reader)) == 2


WELCOME = "Not yet implemented in FFmpeg, patches welcome"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (av.error.PatchWelcomeError(1163346256, WELCOME, "x"), "FFmpeg cannot do this"),
        (OSError(28, "No space left on device", ".12.tmp"), "No space left on device"),
        (av.error.InvalidDataError(1094995529, "Invalid data", "avcodec()"), "Invalid data"),
        (ValueError("anything: 'x.tmp' returned 22"), "ValueError"),
    ],
)
def test_reasons_name_no_files_and_numbers(error, words):
    assert reason(error) == words


def test_message_of_a_failed_write_names_the_target_alone(tmp_path, monkeypatch):
    writer = VideoWriter(tmp_path / "o.mp4", Fraction(1, 25), Fraction(25))
    image = np.zeros((16, 16, 3), np.uint8)
    with pytest.raises(InputError) as caught, writer:
        writer.write(image, 0)
        for number in range(1, 60):
            writer.write(image, number * 10**9)
    text = str(caught.value)
    assert "o.mp4" in text and ".tmp" not in text and not re.search(r"Errno|returned|\d{5}", text)
    assert list(tmp_path.iterdir()) == []


def test_metadata_that_is_no_text(make_clip, tmp_path):
    source = make_clip(tmp_path / "a.mkv", count=2)
    with av.open(str(source)) as old, av.open(str(tmp_path / "b.mkv"), "w") as new:
        new.metadata["title"] = "AAAAAAAA"
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    data = (tmp_path / "b.mkv").read_bytes()
    (tmp_path / "b.mkv").write_bytes(data.replace(b"AAAAAAAA", b"\xff\xfe\xe4\xffAAAA"))
    with open_container(tmp_path / "b.mkv") as container:
        assert container.streams.video
