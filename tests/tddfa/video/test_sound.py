"""Sound: begin, end and offset to the picture, for every codec and kind."""

import logging
from fractions import Fraction

import av
import numpy as np
import pytest

from tddfa.video.samples import SampleQueue, named, nearest_rate

CODECS = [
    ("aac", "a.mp4"),
    ("aac", "a.ts"),
    ("libmp3lame", "a.mkv"),
    ("libmp3lame", "a.avi"),
    ("libopus", "a.mkv"),
    ("wmav2", "a.asf"),
    ("wmav1", "a.asf"),
    ("wavpack", "a.mkv"),
    ("flac", "a.mkv"),
    ("alac", "a.mov"),
    ("pcm_s16le", "a.avi"),
    ("pcm_s24le", "a.mov"),
    ("mp2", "a.ts"),
    ("ac3", "a.ts"),
    ("eac3", "a.mkv"),
    ("adpcm_ima_wav", "a.avi"),
    ("pcm_mulaw", "a.mov"),
]


def clip_with(make_clip, path, codec, **options):
    rate = 48_000 if "opus" in codec else 44_100
    video = "mpeg2video" if path.suffix == ".ts" else "mpeg4"
    chunk = rate if codec in ("wavpack", "pcm_s24le") else 1024  # packets of a whole second
    return make_clip(path, codec, codec=video, rate=rate, chunk=chunk, **options)


@pytest.mark.parametrize(("codec", "name"), CODECS)
def test_whole_sound(make_clip, copy_clip, timeline, tmp_path, codec, name):
    source = clip_with(make_clip, tmp_path / name, codec)
    copy_clip(source, tmp_path / "o.mp4")
    before, after = timeline(source), timeline(tmp_path / "o.mp4")
    # A broadcast's clock starts anywhere.
    origin = min(before["picture"][0], before["sound"][0]) if name == "a.ts" else 0
    packet = max(before["packet"], after["packet"], 0.03)
    packet = min(packet, 0.11)  # WavPack's packets are a second long
    np.testing.assert_allclose(after["sound"], np.subtract(before["sound"], origin), atol=packet)
    for kind in ("clicks", "flashes"):
        np.testing.assert_allclose(after[kind], np.subtract(before[kind], origin), atol=0.004)


@pytest.mark.parametrize(
    ("codec", "name", "target"),
    [(*pair, "o.mp4") for pair in CODECS]
    + [(*pair, "o.mov") for pair in CODECS if pair[0] in ("flac", "eac3", "libopus", "alac")]
    + [(*pair, "o.mkv") for pair in CODECS if pair[0] in ("flac", "eac3", "libopus", "wavpack")],
)
def test_sound_is_cut_with_the_pictures(
    make_clip, copy_clip, timeline, tmp_path, codec, name, target
):
    source = clip_with(make_clip, tmp_path / name, codec)
    whole = timeline(source)
    copy_clip(source, tmp_path / target, frames=(10, 39))
    found = timeline(tmp_path / target)
    packet = min(max(whole["packet"], found["packet"]), 0.11)
    assert found["frames"] == 30 and found["picture"][0] == 0
    # Older FFmpegs count the samples that set an AAC decoder going as sound.
    assert -0.024 <= found["sound"][0] <= packet + 0.02
    assert found["sound"][1] == pytest.approx(1.2, abs=packet + 0.005)
    offset = np.subtract(whole["clicks"], whole["flashes"])
    np.testing.assert_allclose(np.subtract(found["clicks"], found["flashes"]), offset, atol=0.005)


@pytest.mark.parametrize(
    ("rate", "layout"),
    [(8000, "mono"), (37_800, "stereo"), (96_000, "5.1"), (176_400, "stereo"), (192_000, "mono")],
)
def test_rates_and_layouts(make_clip, copy_clip, timeline, tmp_path, rate, layout):
    source = make_clip(tmp_path / "a.mkv", "pcm_s16le", rate=rate, layout=layout)
    copy_clip(source, tmp_path / "o.mp4")
    found = timeline(tmp_path / "o.mp4")
    np.testing.assert_allclose(found["clicks"], [0.5, 1.5], atol=0.003)
    assert found["sound"][1] == pytest.approx(2, abs=0.14)
    with av.open(str(tmp_path / "o.mp4")) as container:
        context = container.streams.audio[0].codec_context
        assert context.sample_rate == nearest_rate(rate)
        assert len(context.layout.channels) == (1 if layout == "mono" else 2)


@pytest.mark.parametrize(
    ("rate", "nearest"), [(192_000, 96_000), (37_800, 32_000), (44_100, 44_100), (5000, 7350)]
)
def test_nearest_rate(rate, nearest):
    assert nearest_rate(rate) == nearest


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_channels_without_names(tmp_path, count, planar):
    """AVI and Matroska give the number of channels alone."""
    path = tmp_path / "a.wav"
    values = (np.arange(count * 100).reshape(count, 100) * 10).astype(np.int16)
    data = values.T.tobytes()
    head = b"RIFF" + (36 + len(data)).to_bytes(4, "little") + b"WAVEfmt " + bytes([16, 0, 0, 0])
    head += bytes([1, 0, count, 0]) + (8000).to_bytes(4, "little")
    head += (16_000 * count).to_bytes(4, "little") + bytes([2 * count, 0, 16, 0])
    path.write_bytes(head + b"data" + len(data).to_bytes(4, "little") + data)
    with av.open(str(path)) as container:
        frame = next(container.decode(audio=0))
    if planar:
        source = av.AudioResampler("s16p", frame.layout, 8000)
        (frame,) = source.resample(frame)
    out = named(frame)
    assert out.layout.name in ("mono", "stereo") and out.sample_rate == 8000
    resampled = av.AudioResampler("fltp", "stereo", 8000).resample(out)
    assert sum(piece.samples for piece in resampled) == 100


def test_queue_of_samples():
    queue = SampleQueue(2)
    queue.push(np.full((2, 5), 1, np.float32))
    queue.push(10**10)
    queue.push(np.full((2, 3), 2, np.float32))
    assert queue.count == 10**10 + 8
    assert queue.take(7)[0].tolist() == [1, 1, 1, 1, 1, 0, 0]
    queue.drop_last(1)
    queue.drop(10**10 - 4)
    assert queue.take(9)[1].tolist() == [0, 0, 2, 2] and queue.count == 0
    assert queue.take(4).shape == (2, 0)


def test_gap_in_the_sound_is_silence(copy_clip, timeline, tmp_path):
    """Half a second of samples is missing; what follows comes when it should."""
    source = tmp_path / "a.mkv"
    with av.open(str(source), "w") as output:
        video, voice = (
            output.add_stream("mpeg4", rate=25),
            output.add_stream("pcm_s16le", rate=8000),
        )
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            output.mux(video.encode(frame))
            if not 20 <= number < 33:
                loud = 20_000 if number == 40 else 0
                samples = np.full((1, 640), loud, np.int16)
                piece = av.AudioFrame.from_ndarray(samples, "s16", "stereo")
                piece.sample_rate, piece.pts = 8000, number * 320
                piece.time_base = Fraction(1, 8000)
                output.mux(voice.encode(piece))
        output.mux(video.encode(None))
    copy_clip(source, tmp_path / "o.mp4")
    found = timeline(tmp_path / "o.mp4")
    np.testing.assert_allclose(found["clicks"], [1.6], atol=0.01)
    assert found["sound"][1] == pytest.approx(2, abs=0.13)


def test_sound_of_unknown_codec_is_left_out(shared, copy_clip, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        copy_clip(shared / "cases" / "damaged_audio_header.flv", tmp_path / "o.mp4")
    lines = [record.getMessage() for record in caplog.records]
    assert [line for line in lines if "unknown codec" in line and "\n" not in line]
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert container.streams.video[0].frames == 12
        length = container.duration / 1e6
    assert length < 2, "a wrong time stamp made the film long"


def test_sound_that_a_container_refuses_is_left_out(make_clip, tmp_path, caplog, monkeypatch):
    """Rather a film without its sound than none."""
    from tddfa.video import audio

    monkeypatch.setattr(audio, "COPIED", frozenset({"wmav2"}))
    monkeypatch.setattr(audio, "_fits", lambda stream, form: True)
    source = make_clip(tmp_path / "a.asf", "wmav2", count=5)
    from tests.tddfa.video.conftest import copy_clip

    copy_clip(source, tmp_path / "o.mp4")
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert container.streams.video[0].frames == 5 and not container.streams.audio
    assert "cannot be kept" in caplog.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.asf", "o.mp4"]


@pytest.mark.parametrize("target", ["o.mp4", "o.mov", "o.mkv"])
def test_sound_without_a_head_does_not_cost_the_pictures(make_clip, copy_clip, tmp_path, target):
    """MP4's muxer missed it after the last picture, and all was lost: found by tests.fuzz."""
    source = clip_with(make_clip, tmp_path / "a.mkv", "libopus")
    data = source.read_bytes()
    assert data.count(b"\x63\xa2\x93OpusHead") == 1
    source.write_bytes(data.replace(b"\x63\xa2\x93OpusHead", b"\x42\x42\x93OpusHead"))
    copy_clip(source, tmp_path / target)
    with av.open(str(source)) as before, av.open(str(tmp_path / target)) as after:
        count = sum(1 for _ in before.decode(video=0))
        assert sum(1 for _ in after.decode(video=0)) == count > 20
