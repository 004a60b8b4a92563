"""Sound videos of many containers and codecs, made here: ten frames of a face, and a tone."""

import contextlib
import io
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image

_FRAMES, _RATE = 10, 25
# Name, video codec, pixel format, audio codec.
_FILMS = (
    ("avc.mp4", "libx264", "yuv420p", "aac"),
    ("mpeg4.mp4", "mpeg4", "yuv420p", None),
    ("mjpeg.mov", "mjpeg", "yuvj420p", "pcm_s16le"),
    ("png.mov", "png", "rgb24", None),
    ("prores.mov", "prores_ks", "yuv422p10le", None),
    ("vp8.webm", "libvpx", "yuv420p", "libopus"),
    ("avc.mkv", "libx264", "yuv420p", "flac"),
    ("ffv1.mkv", "ffv1", "bgra", None),
    ("mpeg4.avi", "mpeg4", "yuv420p", "libmp3lame"),
    ("raw.avi", "rawvideo", "bgr24", "pcm_s16le"),
    ("huffyuv.avi", "huffyuv", "yuv422p", None),
    ("flash.flv", "flv1", "yuv420p", "libmp3lame"),
    ("mpeg2.ts", "mpeg2video", "yuv420p", "mp2"),
    ("avc.ts", "libx264", "yuv420p", "aac"),
    ("mpeg1.mpg", "mpeg1video", "yuv420p", "mp2"),
    ("windows.wmv", "wmv2", "yuv420p", "wmav2"),
    ("vp9.webm", "libvpx-vp9", "yuva420p", "libopus"),
    ("tape.mxf", "mpeg2video", "yuv420p", None),
    ("jpeg2000.mkv", "jpeg2000", "yuv420p", "pcm_s16le"),
    ("open.nut", "mpeg4", "yuv420p", "pcm_s16le"),
    ("phone.3gp", "mpeg4", "yuv420p", None),
    ("raw.y4m", "wrapped_avframe", "yuv420p", None),
    ("moving.gif", "gif", "bgr8", None),
    ("stream.h264", "libx264", "yuv420p", None),
)


def video_seeds(portrait: np.ndarray, folder: Path) -> dict[str, bytes]:
    """Return name and content of the files; those whose encoder is not here are left out.

    Parameters
    ----------
    portrait : ndarray
        BGR picture of a face.
    folder : Path
        Where they are made.
    """
    face = cv2.resize(portrait, (144, 112), interpolation=cv2.INTER_AREA)
    frames = [np.roll(face, 2 * k, axis=1) for k in range(_FRAMES)]
    files = {}
    for name, codec, form, sound in _FILMS:
        path = folder / name
        with contextlib.suppress(av.error.FFmpegError, ValueError):
            _write(path, frames, codec, form, sound)
            files[name] = path.read_bytes()
        path.unlink(missing_ok=True)
    return files | _animations(frames)


def _write(path: Path, frames: list[np.ndarray], codec: str, form: str, sound: str | None) -> None:
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=_RATE)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = form
        voice = None
        if sound is not None:
            voice = output.add_stream(sound, rate=48000 if sound == "libopus" else 44100)
            voice.layout, voice.bit_rate = "mono", 64_000
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=form)
            frame.pts, frame.time_base = number, Fraction(1, _RATE)
            output.mux(stream.encode(frame))
        if voice is not None:
            _add_tone(output, voice)
        output.mux(stream.encode(None))


def _add_tone(output: av.container.OutputContainer, voice: av.AudioStream) -> None:
    rate = voice.codec_context.sample_rate
    tone = (8000 * np.sin(np.arange(rate * _FRAMES // _RATE) / 8)).astype(np.int16)
    for start in range(0, len(tone), 1024):
        piece = av.AudioFrame.from_ndarray(
            tone[None, start : start + 1024], format="s16", layout="mono"
        )
        piece.sample_rate, piece.pts, piece.time_base = rate, start, Fraction(1, rate)
        output.mux(voice.encode(piece))
    output.mux(voice.encode(None))


def _animations(frames: list[np.ndarray]) -> dict[str, bytes]:
    pictures = [Image.fromarray(frame[..., ::-1]) for frame in frames]
    files = {}
    for name in ("moving.webp", "moving.png"):
        buffer = io.BytesIO()
        form = name.split(".")[1].upper()
        pictures[0].save(buffer, form, save_all=True, append_images=pictures[1:], duration=40)
        files[name] = buffer.getvalue()
    return files
