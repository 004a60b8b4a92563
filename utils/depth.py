"""The faces' depth as gray."""

from collections.abc import Iterable
from typing import Any

import numpy.typing as npt

from tddfa.compat.pictures import as_uint8
from tddfa.drawing import depth as _drawing
from tddfa.io.decode import ImageArray


def depth(
    img: npt.ArrayLike, ver_lst: Iterable[npt.ArrayLike], tri: npt.ArrayLike, *args: Any, **kws: Any
) -> ImageArray:
    """Draw each face's depth, see `tddfa.drawing.depth.depth`; `img` may hold floats, 0 to 255."""
    return _drawing.depth(as_uint8(img), ver_lst, tri, *args, **kws)
