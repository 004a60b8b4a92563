"""Sound pictures of every format that is read, made here: a face of 96 pixels, and odd shapes."""

import io
import struct
import zlib

import cv2
import numpy as np
from PIL import Image

from tddfa.io.decode import quiet_opencv
from tddfa.io.heic import can_read_heic
from tddfa.io.png import pixels_only

_SIDE = 96


def picture_seeds(portrait: np.ndarray) -> dict[str, bytes]:
    """Return name and content of the files that this build of OpenCV reads; `portrait` is BGR."""
    face = cv2.resize(portrait, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    files = _by_opencv(face) | _by_pillow(face) | _by_hand(face)
    with quiet_opencv():
        return {name: data for name, data in files.items() if _is_read(data)} | _phone(face)


def _is_read(data: bytes) -> bool:
    pixels = np.frombuffer(pixels_only(data), np.uint8)
    return cv2.imdecode(pixels, cv2.IMREAD_UNCHANGED) is not None


def _by_opencv(face: np.ndarray) -> dict[str, bytes]:
    gray = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)
    clear = np.dstack([face, gray])
    deep = face.astype(np.uint16) * 257
    real = face.astype(np.float32) / 255
    pictures = {
        "color.jpg": face,
        "gray.jpg": gray,
        "color.png": face,
        "alpha.png": clear,
        "deep.png": deep,
        "gray.png": gray,
        "color.bmp": face,
        "color.tiff": face,
        "deep.tiff": deep,
        "float.tiff": real,
        "double.tiff": real.astype(np.float64),
        "color.webp": face,
        "color.jp2": face,
        "color.ppm": face,
        "gray.pgm": gray,
        "color.hdr": real,
        "color.pfm": real,
        "color.ras": face,
        "color.avif": face,
        "color.gif": face,
        "color.pam": face,
        "tall.png": face[:, :1],
        "wide.jpg": face[:1],
    }
    files = {}
    for name, picture in pictures.items():
        try:
            done, data = cv2.imencode(f".{name.split('.')[1]}", picture)
        except cv2.error:  # this build of OpenCV has not got the format
            continue
        if done:
            files[name] = data.tobytes()
    return files


def _by_pillow(face: np.ndarray) -> dict[str, bytes]:
    color = Image.fromarray(face[..., ::-1])
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "turned"
    several = {"save_all": True, "append_images": [color.rotate(90), color.rotate(180)]}
    wanted = {
        "progressive.jpg": (color, {"progressive": True}),
        "restarts.jpg": (color, {"restart_marker_rows": 1}),
        "cmyk.jpg": (color.convert("CMYK"), {}),
        "exif.jpg": (color, {"exif": exif}),
        "exif.png": (color, {"exif": exif}),
        "exif.webp": (color, {"exif": exif}),
        "palette.png": (color.convert("P"), {}),
        "one_bit.png": (color.convert("1"), {}),
        "animated.png": (color, several),
        "animated.webp": (color, several),
        "lossless.webp": (color, {"lossless": True}),
        "animated.gif": (color, several),
        "palette.bmp": (color.convert("P"), {}),
        "deflate.tiff": (color, {"compression": "tiff_adobe_deflate"}),
        "lzw.tiff": (color, {"compression": "tiff_lzw"}),
        "jpeg.tiff": (color, {"compression": "jpeg"}),
        "fax.tiff": (color.convert("1"), {"compression": "group4"}),
        "cmyk.tiff": (color.convert("CMYK"), {}),
        "exif.avif": (color, {"exif": exif}),
        "photo.j2k": (color, {}),
    }
    files = {}
    for name, (picture, options) in wanted.items():
        buffer = io.BytesIO()
        form = {"j2k": "JPEG2000", "jpg": "JPEG"}.get(name.split(".")[1], name.split(".")[1])
        try:
            picture.save(buffer, form.upper(), **options)
        except (OSError, KeyError, ValueError):  # this build of Pillow has not got the format
            continue
        files[name] = buffer.getvalue()
    return files


def _phone(face: np.ndarray) -> dict[str, bytes]:
    if not can_read_heic():
        return {}
    import pillow_heif

    buffer = io.BytesIO()
    color = Image.fromarray(face[..., ::-1])
    pillow_heif.from_pillow(color).save(buffer, format="HEIF", quality=60)
    return {"phone.heic": buffer.getvalue()}


def _by_hand(face: np.ndarray) -> dict[str, bytes]:
    """Formats that nothing here writes: text and bits as PNM, a run-length BMP, a PNG's extras."""
    height, width = face.shape[:2]
    numbers = " ".join(map(str, face[..., ::-1].ravel().tolist()))
    gray = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)
    bits = np.packbits(gray > 127, axis=1).tobytes()
    return {
        "text.ppm": f"P3\n{width} {height}\n255\n{numbers}\n".encode(),
        "bits.pbm": f"P4\n{width} {height}\n".encode() + bits,
        "runs.bmp": _run_length_bmp(gray >> 4 << 4),
        "extras.png": _png_with_extras(face),
    }


def _run_length_bmp(gray: np.ndarray) -> bytes:
    rows = bytearray()
    for row in gray[::-1].tolist():
        for value in row:
            rows += bytes([1, value])
        rows += b"\0\0"
    rows[-2:] = b"\0\1"
    palette = b"".join(bytes([k, k, k, 0]) for k in range(256))
    offset = 54 + len(palette)
    head = struct.pack("<2sIHHI", b"BM", offset + len(rows), 0, 0, offset)
    height, width = gray.shape
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(rows), 2835, 2835, 256, 0)
    return head + info + palette + bytes(rows)


def _png_with_extras(face: np.ndarray) -> bytes:
    """A PNG with text, a color profile and a time, each of which a decoder may look into."""
    data = cv2.imencode(".png", face)[1].tobytes()
    extras = {
        b"iCCP": b"profile\0\0" + zlib.compress(bytes(2000)),
        b"zTXt": b"Comment\0\0" + zlib.compress(b"x" * 5000),
        b"tIME": struct.pack(">HBBBBB", 2020, 2, 3, 4, 5, 6),
    }
    chunks = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in extras.items()
    )
    return data[:33] + chunks + data[33:]
