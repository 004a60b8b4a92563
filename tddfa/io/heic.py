"""HEIC and HEIF, the format of phones' cameras, through the optional pillow-heif.

It brings its decoder (libheif) along and is maintained; OpenCV and Pillow read none of it.
"""

import importlib.util
import io
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError

HEIC_SUFFIXES = frozenset({".heic", ".heif", ".hif", ".heics", ".heifs"})
INSTALL = "pip install pillow-heif"
# Brands of the file type box whose pictures are compressed by HEVC (ISO/IEC 23008-12, annex B).
_HEVC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_ANY_CODEC = frozenset({b"mif1", b"msf1", b"mif2", b"mif3"})
_AV1_BRANDS = frozenset({b"avif", b"avis", b"avio"})


def can_read_heic() -> bool:
    """Tell whether pillow-heif is installed, without loading it."""
    return importlib.util.find_spec("pillow_heif") is not None


def file_brands(data: bytes) -> frozenset[bytes]:
    """Return the brands of an ISO base media file's type box; none for other files.

    ::

        size (4)  'ftyp'  major brand (4)  version (4)  compatible brands (4 each) ...
    """
    if data[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(data[:4], "big"), len(data), 4096)
    compatible = (data[at : at + 4] for at in range(16, end - 3, 4))
    return frozenset({data[8:12], *compatible})


def is_heic(data: bytes) -> bool:
    """Tell whether a file's bytes are a HEIC or HEIF picture, and no AVIF one."""
    brands = file_brands(data)
    return bool(brands & _HEVC_BRANDS or brands & _ANY_CODEC) and not brands & _AV1_BRANDS


def is_avif(data: bytes) -> bool:
    """Tell whether a file's bytes are an AVIF picture."""
    return bool(file_brands(data) & _AV1_BRANDS)


def decode_heic(data: bytes) -> npt.NDArray[Any]:
    """Decode the main picture of a HEIC file.

    Parameters
    ----------
    data : bytes
        The file.

    Returns
    -------
    ndarray, shape (H, W), (H, W, 3) or (H, W, 4), uint8
        Gray, BGR or BGRA, upright as the file's transformations say; a phone's Exif orientation
        is not to be applied once more (ISO/IEC 23008-12, 6.5.10).

    Raises
    ------
    InputError
        If pillow-heif is not installed or the file is damaged.
    """
    try:
        import pillow_heif
    except ImportError as error:
        raise InputError(f"reading HEIC pictures needs pillow-heif: {INSTALL}") from error
    try:
        picture = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True).to_pillow()
    except MemoryError as error:
        raise InputError("the HEIC picture is too large") from error
    except Exception as error:  # libheif's errors come as several classes
        raise InputError("the HEIC picture is damaged") from error
    if picture.mode not in ("L", "RGB", "RGBA"):
        picture = picture.convert("RGBA" if "A" in picture.getbands() else "RGB")
    pixels = np.asarray(picture)
    if pixels.ndim == 2:
        return pixels
    order = [2, 1, 0, 3][: pixels.shape[2]]
    return np.ascontiguousarray(pixels[..., order])
