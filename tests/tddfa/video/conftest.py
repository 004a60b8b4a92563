"""Videos made on the spot, whose flashes and clicks tell when a picture or a sound really is."""

from fractions import Fraction

import av
import numpy as np
import pytest

from tddfa.video.reader import VideoReader
from tddfa.video.writer import VideoWriter

FLASHES = (12, 37)  # of 50 frames, at 25 a second
CLICKS = (0.5, 1.5)


def make_clip(
    path,
    sound=None,
    *,
    codec="mpeg4",
    rate=44100,
    layout="stereo",
    count=50,
    size=(64, 64),
    aspect=None,
    pts=None,
    time_base=Fraction(1, 25),
    start=0.0,
    picture_late=0.0,
    sound_late=0.0,
    chunk=1024,
    turn=0,
    options=None,
    format=None,
    container_options=None,
):
    """Write a clip with white frames and clicks at known times; `start` moves its whole clock."""
    height, width = size
    with av.open(str(path), "w", format=format, options=container_options or {}) as output:
        video = output.add_stream(codec, rate=25, options=options or {})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.time_base = time_base
        if aspect:
            video.codec_context.sample_aspect_ratio = aspect
        if turn:
            if not hasattr(video, "set_display_rotation"):
                pytest.skip("PyAV writes turned clips from 18.1 on")
            video.set_display_rotation(turn)
        parts = []
        for number in range(count):
            image = np.full((height, width, 3), 40, np.uint8)
            image[: height // 2, : width // 2] = 3 * number
            if number in FLASHES:
                image[:] = 250
            frame = av.VideoFrame.from_ndarray(image, "bgr24")
            stamp = number if pts is None else pts[number]
            frame.pts = stamp + round((start + picture_late) / time_base)
            frame.time_base = time_base
            parts.append((float(frame.pts * time_base), video, frame))
        if sound:
            voice = output.add_stream(sound, rate=rate, layout=layout)
            if "wma" in sound:
                voice.codec_context.bit_rate = 128_000
            parts += [
                (t, voice, f) for t, f in _tone(rate, voice, count / 25, start + sound_late, chunk)
            ]
        for _, stream, frame in sorted(parts, key=lambda part: part[0]):
            output.mux(stream.encode(frame))
        for stream in {id(part[1]): part[1] for part in parts}.values():
            output.mux(stream.encode(None))
    return path


def _tone(rate, voice, seconds, late, chunk):
    samples = (300 * np.sin(np.arange(round(rate * seconds)) * 2000 / rate)).astype(np.int16)
    for click in CLICKS:
        at = round(click * rate)
        burst = 20_000 * np.sign(np.sin(np.arange(rate // 100) * 0.3))
        samples[at : at + rate // 100] = burst[: len(samples[at : at + rate // 100])]
    channels = len(voice.codec_context.layout.channels) or 1
    for at in range(0, len(samples), chunk):
        piece = np.repeat(samples[at : at + chunk], channels)[None]
        frame = av.AudioFrame.from_ndarray(piece, "s16", voice.codec_context.layout.name)
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = at + round(late * rate)
        yield frame.pts / rate, frame


def timeline(path):
    """Return when the clicks and flashes of a file are, and where sound and picture begin, end.

    FFmpeg's own time stamps, those of a player.
    """
    with av.open(str(path)) as container:
        flashes, shown = [], []
        for frame in container.decode(video=0):
            shown.append(float(frame.pts * frame.time_base))
            if frame.to_ndarray(format="gray").mean() > 150:
                flashes.append(shown[-1])
    found = {"flashes": flashes, "picture": (shown[0], shown[-1]), "frames": len(shown)}
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return found
        found["codec"] = container.streams.audio[0].codec_context.name
        pieces = []
        for frame in container.decode(audio=0):
            if frame.pts is None:  # what a decoder held at the end
                time = pieces[-1][0] + pieces[-1][1].samples / frame.sample_rate
            else:
                time = float(frame.pts * frame.time_base)
            pieces.append((time, frame))
    loud = [(t, f.sample_rate, _loudness(f)) for t, f in pieces]
    limit = 0.5 * max(values.max() for _, _, values in loud)
    clicks, last = [], -1.0
    for start, rate, values in loud:
        for at in np.flatnonzero(values > limit):
            moment = start + at / rate
            if moment - last > 0.2:
                clicks.append(moment)
            last = moment
    time, frame = pieces[-1]
    end = time + frame.samples / frame.sample_rate
    longest = max(f.samples / f.sample_rate for _, f in pieces)
    return found | {"clicks": clicks, "sound": (pieces[0][0], end), "packet": longest}


def _loudness(frame):
    samples = np.abs(frame.to_ndarray().astype(float))
    if not frame.format.is_planar:
        samples = samples.reshape(-1, len(frame.layout.channels)).T
    return samples.max(axis=0)


def copy_clip(source, target, frames=None):
    """Read a clip and write it, all of it or the frames (first, last)."""
    with VideoReader(source) as reader:
        sound = source if reader.has_sound else None
        unit, rate, cut = reader.time_base, reader.rate, frames is not None
        with VideoWriter(target, unit, rate, sound=sound, trimmed=cut) as writer:
            for picture in reader:
                if frames is None or frames[0] <= picture.index <= frames[1]:
                    aspect = picture.stored.aspect if picture.stored else Fraction(1)
                    image = picture.stored.image if picture.stored else picture.image
                    writer.write(image, picture.pts, aspect)
    return reader


def plain_count(path):
    """Return how many frames FFmpeg decodes, errors left out."""
    with av.open(str(path)) as container:
        videos = [s for s in container.streams.video if s.codec_context is not None]
        count = 0
        for packet in container.demux(videos[0]):
            try:
                count += len(packet.decode())
            except av.error.FFmpegError:
                continue
    return count


@pytest.fixture(name="make_clip")
def make_clip_fixture():
    return make_clip


@pytest.fixture(name="timeline")
def timeline_fixture():
    return timeline


@pytest.fixture(name="copy_clip")
def copy_clip_fixture():
    return copy_clip


@pytest.fixture(name="plain_count")
def plain_count_fixture():
    return plain_count
