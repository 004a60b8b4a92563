r"""Single numbers out of the first directory of a TIFF structure, which Exif blocks are, too.

::

    'II*\0' or 'MM\0*'  place of directory (4)       directory: count (2)
                                                      { tag (2)  type (2)  number (4)  value (4) }
"""

from typing import Literal

ORIENTATION, WIDTH, HEIGHT = 274, 256, 257
_SIZES = {3: 2, 4: 4}  # bytes of the types SHORT and LONG


def tiff_number(data: bytes, wanted: int) -> int | None:
    """Return the value of a tag that holds one whole number; None where there is none."""
    order: Literal["little", "big"] | None = None
    if data.startswith((b"II*\0", b"MM\0*")):
        order = "little" if data.startswith(b"II") else "big"
    if order is None:
        return None
    first = int.from_bytes(data[4:8], order)
    for entry in range(int.from_bytes(data[first : first + 2], order)):
        at = first + 2 + 12 * entry
        if at + 12 > len(data):
            return None
        if int.from_bytes(data[at : at + 2], order) == wanted:
            size = _SIZES.get(int.from_bytes(data[at + 2 : at + 4], order), 0)
            one = int.from_bytes(data[at + 4 : at + 8], order) == 1
            return int.from_bytes(data[at + 8 : at + 8 + size], order) if one and size else None
    return None
