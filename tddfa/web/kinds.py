"""What an upload is, by its first bytes: its name is the visitor's and says nothing.

FFmpeg is shown only what begins as a video does. Play lists, which begin otherwise, would make it
open other files of the server.
"""

from typing import Literal

from tddfa.errors import InputError
from tddfa.io.animation import is_animation

Kind = Literal["picture", "clip"]

_PICTURE_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"miaf")
_CLIP_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_CLIP_BEGINNINGS = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"OggS",
    b"FLV\x01",
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x00\x00\x01\xb3",  # MPEG video
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # Windows Media
)
_TS_PACKET = 188


def upload_kind(data: bytes) -> Kind:
    r"""Tell whether an upload is a picture or a clip.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    {'picture', 'clip'}
        'picture' for whatever is not known as a clip: the reader of pictures says what it is.

    Raises
    ------
    InputError
        If it is empty.

    Examples
    --------
    >>> upload_kind(b"\x1a\x45\xdf\xa3 and so on"), upload_kind(b"#EXTM3U")
    ('clip', 'picture')
    """
    if not data:
        raise InputError("the file is empty")
    if data[4:8] in _CLIP_BOXES:
        return "picture" if data[8:12] in _PICTURE_BRANDS else "clip"
    if data.startswith(_CLIP_BEGINNINGS) or (data[:4], data[8:12]) == (b"RIFF", b"AVI "):
        return "clip"
    if data[:1] == b"G" and data[_TS_PACKET : _TS_PACKET + 1] == b"G" and data[:4] != b"GIF8":
        return "clip"  # MPEG transport stream
    return "clip" if data[:4] in (b"GIF8", b"RIFF") and is_animation(data) else "picture"
