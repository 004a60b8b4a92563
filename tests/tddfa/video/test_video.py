"""Video in and out: odd files, odd clocks, odd ends."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.video.reader import VideoReader, is_url
from tddfa.video.writer import VideoWriter


def pattern(number, height=48, width=64):
    """A picture whose colors tell the frame's number and which way is up."""
    image = np.full((height, width, 3), 40, np.uint8)
    image[: height // 2, :, 1] = 200  # green above
    image[:, : width // 2, 2] = 220  # red on the left
    image[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = 8 * number % 250
    return image


def patterns(count, **size):
    return [pattern(number, **size) for number in range(count)]


def read(path):
    with VideoReader(path) as reader:
        return list(reader), reader


def copy(source, target, **options):
    with VideoReader(source) as reader:
        options = {"sound": source} | options
        with VideoWriter(target, reader.time_base, reader.rate, **options) as writer:
            for picture in reader:
                writer.write(picture.image, picture.pts)
    return writer


def packets(path, kind):
    with av.open(str(path)) as container:
        streams = [s for s in container.streams if s.type == kind]
        if not streams:
            return []
        return [(float(p.pts * p.time_base), p.size) for p in container.demux(*streams) if p.size]


def close(image, other, worst=4.0):
    assert image.shape == other.shape
    return np.abs(image.astype(int) - other.astype(int)).mean() < worst


@pytest.mark.parametrize("count", [1, 2, 30])
def test_copy_keeps_frames_times_and_pictures(make_video, tmp_path, count):
    source = make_video(tmp_path / "a.mp4", patterns(count))
    writer = copy(source, tmp_path / "b.mp4")
    assert writer.frames == count
    before, after = read(source)[0], read(tmp_path / "b.mp4")[0]
    assert [p.time for p in after] == [p.time for p in before]
    assert len(after) == count
    assert all(close(a.image, b.image) for a, b in zip(before, after, strict=True))


def test_output_is_what_browsers_play(make_video, tmp_path):
    copy(make_video(tmp_path / "a.mp4", patterns(5)), tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
    data = (tmp_path / "b.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "the index lies at the end"


@pytest.mark.parametrize(("height", "width"), [(47, 64), (48, 63), (33, 17), (1, 1), (2, 700)])
def test_odd_sizes(tmp_path, height, width):
    path = tmp_path / "odd.mp4"
    with VideoWriter(path, Fraction(1, 25), Fraction(25)) as writer:
        for number in range(3):
            writer.write(pattern(number, height, width), number)
    (first, *_), _ = read(path)
    assert first.image.shape == (height + height % 2, width + width % 2, 3)
    assert np.abs(first.image[:height, :width].astype(int) - pattern(0, height, width)).mean() < 40


def test_variable_frame_rate_is_kept(make_video, tmp_path):
    pts = [0, 20, 60, 70, 300, 303]
    source = make_video(tmp_path / "a.mkv", patterns(6), pts=pts, time_base=Fraction(1, 1000))
    copy(source, tmp_path / "b.mp4")
    times = [round(p.time, 3) for p in read(tmp_path / "b.mp4")[0]]
    np.testing.assert_allclose(times, np.array(pts) / 1000, atol=1.1e-3)


@pytest.mark.parametrize(("turn", "quarter"), [(90, 1), (180, 2), (270, 3)])
def test_rotated_phone_video_comes_upright(make_video, tmp_path, turn, quarter):
    """The picture is stored turned, with a matrix in the track's header that turns it back."""
    stored = [np.ascontiguousarray(np.rot90(image, quarter)) for image in patterns(3)]
    path = make_video(tmp_path / "phone.mp4", stored)
    data = path.read_bytes()
    cos, sin = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[turn]
    matrix = struct.pack(">9i", *(65536 * v for v in (cos, sin, 0, -sin, cos, 0, 0, 0)), 1 << 30)
    at = data.index(b"tkhd") + 4 + 40
    path.write_bytes(data[:at] + matrix + data[at + 36 :])
    (first, *_), _ = read(path)
    assert close(first.image, pattern(0), 12)


def test_transparent_video_is_laid_on_white(make_video, tmp_path):
    clear = np.zeros((48, 64, 4), np.uint8)
    clear[:, :32] = (10, 20, 200, 255)
    path = make_video(
        tmp_path / "a.mov", [clear] * 2, codec="qtrle", pix_fmt="argb", source_format="bgra"
    )
    (first, *_), _ = read(path)
    assert first.image[10, 50].tolist() == [255, 255, 255]
    np.testing.assert_allclose(first.image[10, 10], (10, 20, 200), atol=2)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mkv", "ffv1", "yuv420p"),
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.mkv", "libx264", "yuv444p10le"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.mpg", "mpeg2video", "yuv420p"),
        ("a.gif", "gif", "rgb8"),
    ],
)
def test_containers_and_codecs(make_video, tmp_path, name, codec, pix_fmt):
    source = "rgb8" if pix_fmt == "rgb8" else "bgr24"
    frames = patterns(4)
    if source == "rgb8":
        frames = [av.VideoFrame.from_ndarray(f, "bgr24").to_ndarray(format="rgb8") for f in frames]
    path = make_video(tmp_path / name, frames, codec=codec, pix_fmt=pix_fmt, source_format=source)
    pictures, reader = read(path)
    assert len(pictures) == 4 and reader.skipped == 0
    assert close(pictures[0].image, pattern(0), 20)
    times = [picture.time for picture in pictures]
    assert sorted(set(times)) == times


@pytest.mark.parametrize(("sound", "name"), [("aac", "a.mp4"), ("libopus", "a.mkv")])
def test_sound_is_copied_packet_by_packet(make_video, tmp_path, sound, name):
    source = make_video(tmp_path / name, patterns(50), sound=sound)
    copy(source, tmp_path / "b.mp4")
    before, after = packets(source, "audio"), packets(tmp_path / "b.mp4", "audio")
    assert len(after) == len(before) > 20
    assert [size for _, size in after] == [size for _, size in before]
    np.testing.assert_allclose([t for t, _ in after], [t for t, _ in before], atol=2e-3)


def test_sound_that_mp4_cannot_hold_is_encoded_anew(make_video, tmp_path):
    source = make_video(
        tmp_path / "a.avi", patterns(50), codec="mjpeg", pix_fmt="yuvj420p", sound="pcm_s16le"
    )
    copy(source, tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert abs(samples / 16000 - 2.0) < 0.15


def test_sound_is_trimmed_with_the_pictures(make_video, tmp_path):
    source = make_video(tmp_path / "a.mp4", patterns(75), sound="aac")
    target = tmp_path / "b.mp4"
    with VideoReader(source) as reader:
        options = {"sound": source, "trimmed": True}
        with VideoWriter(target, reader.time_base, reader.rate, **options) as writer:
            for picture in reader:
                if 25 <= picture.index < 50:
                    writer.write(picture.image, picture.pts)
    times = [time for time, _ in packets(target, "audio")]
    assert [p.time for p in read(target)[0]][:2] == [0.0, 0.04]
    assert 0 <= times[0] < 0.065 and 0.9 < times[-1] < 1.0
    kept = [size for time, size in packets(source, "audio") if 1.0 <= time < 2.0]
    assert [size for _, size in packets(target, "audio")] == kept


def test_video_without_sound(make_video, tmp_path):
    copy(make_video(tmp_path / "a.mp4", patterns(3)), tmp_path / "b.mp4")
    assert packets(tmp_path / "b.mp4", "audio") == []


def test_late_start_is_kept(make_video, tmp_path):
    source = make_video(tmp_path / "a.mp4", patterns(4), pts=[20, 21, 22, 23])
    copy(source, tmp_path / "b.mp4")
    assert [p.time for p in read(tmp_path / "b.mp4")[0]] == [p.time for p in read(source)[0]]


@pytest.mark.parametrize("part", [0.5, 0.8, 0.97])
def test_truncated_file_gives_what_it_has(make_video, tmp_path, part):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (40, 48, 64, 3), np.uint8)
    path = make_video(tmp_path / "a.mp4", frames, options={"g": "5", "bf": "0"})
    data = path.read_bytes()
    path.write_bytes(data[: round(len(data) * part)])
    pictures, _ = read(path)
    assert 0.3 * part * 40 < len(pictures) < 40


def test_damaged_frames_are_skipped_and_counted(make_video, tmp_path):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (20, 48, 64, 3), np.uint8)
    path = make_video(tmp_path / "a.avi", frames, codec="mjpeg", pix_fmt="yuvj420p")
    with av.open(str(path)) as container:
        spans = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for at, size in spans[5:8]:
        data[at : at + size] = bytes(size)
    path.write_bytes(data)
    pictures, reader = read(path)
    assert reader.skipped == 3 and len(pictures) == 17


def test_index_at_the_end_cut_off(make_video, tmp_path):
    path = make_video(tmp_path / "a.mp4", patterns(10), movflags="")
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(InputError, match=r"a\.mp4"):
        VideoReader(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"not a video at all" * 50, "expected a video"), (None, "no such file")],
)
def test_file_that_is_no_video(tmp_path, content, words):
    path = tmp_path / "x.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        VideoReader(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_folder_and_sound_alone(make_video, tmp_path):
    with pytest.raises(InputError, match="folder"):
        VideoReader(tmp_path)
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=8000, layout="mono")
        piece = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        piece.sample_rate = 8000
        output.mux(stream.encode(piece))
    with pytest.raises(InputError, match="no pictures"):
        VideoReader(path)


@pytest.mark.parametrize(
    ("name", "answer"),
    [("rtsp://x/y", True), ("http://x", True), ("C:\\a.mp4", False), ("a/b.mp4", False)],
)
def test_url(name, answer):
    assert is_url(name) is answer


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("a.avi", {}, ".mp4"),
        ("a", {}, ".mp4"),
        ("a.mp4", {"crf": 52}, "crf"),
        ("a.mp4", {"crf": -1}, "crf"),
    ],
)
def test_bad_output(tmp_path, name, options, words):
    with pytest.raises(InputError, match=words):
        VideoWriter(tmp_path / name, Fraction(1, 25), Fraction(25), **options)


def test_output_that_is_a_folder(tmp_path):
    (tmp_path / "a.mp4").mkdir()
    with pytest.raises(InputError, match="folder"):
        VideoWriter(tmp_path / "a.mp4", Fraction(1, 25), Fraction(25))


def test_output_below_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot write"):
        VideoWriter(tmp_path / "file" / "a.mp4", Fraction(1, 25), Fraction(25))


def test_error_leaves_what_was_written(tmp_path):
    target = tmp_path / "new" / "a.mp4"
    with (
        pytest.raises(RuntimeError),
        VideoWriter(target, Fraction(1, 25), Fraction(25)) as writer,
    ):
        for number in range(7):
            writer.write(pattern(number), number)
        raise RuntimeError
    assert len(read(target)[0]) == 7
    assert list(target.parent.iterdir()) == [target]


def test_nothing_written_leaves_nothing(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", Fraction(1, 25), Fraction(25)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_pictures_of_another_size_are_fitted(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", Fraction(1, 25), Fraction(25)) as writer:
        writer.write(pattern(0), 0)
        writer.write(pattern(1, 96, 128), 1)
    assert [p.image.shape for p in read(tmp_path / "a.mp4")[0]] == [(48, 64, 3)] * 2


def test_time_must_go_on(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", Fraction(1, 25), Fraction(25)) as writer:
        writer.write(pattern(0), 3)
        with pytest.raises(ValueError, match="pts"):
            writer.write(pattern(1), 3)


def test_crf_decides_the_size(tmp_path):
    sizes = []
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (5, 64, 64, 3), np.uint8)
    for crf in (0, 20, 45):
        path = tmp_path / f"{crf}.mp4"
        with VideoWriter(path, Fraction(1, 25), Fraction(25), crf=crf) as writer:
            for number, frame in enumerate(frames):
                writer.write(frame, number)
        sizes.append(Path(path).stat().st_size)
    assert sizes[0] > sizes[1] > sizes[2]
