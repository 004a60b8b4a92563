"""The projected normalized coordinate code (PNCC)."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.compat.pictures import as_uint8
from tddfa.compat.tables import with_tables
from tddfa.drawing import pncc as _drawing
from tddfa.drawing.checks import as_faces
from tddfa.io.decode import ImageArray
from tddfa.known_tables import shipped_table
from tddfa.params import FloatArray


def pncc(
    img: npt.ArrayLike, ver_lst: Iterable[npt.ArrayLike], tri: npt.ArrayLike, *args: Any, **kws: Any
) -> ImageArray:
    """Draw the code of faces, see `tddfa.drawing.pncc.pncc`; `img` may hold floats, 0 to 255.

    The code of triangles that are not known is that of a face model with as many vertices.
    """
    faces = as_faces(ver_lst)
    return _drawing.pncc(as_uint8(img), faces, with_tables(tri, faces), *args, **kws)


def calc_ncc_code() -> FloatArray:
    """Return the code of the face model that ships, (3, N) in [0, 1].

    The mean shape scaled to [0, 1] along each axis. Nothing is written.
    """
    return np.array(shipped_table("ncc_code"))


def __getattr__(name: str) -> Any:
    """Give `ncc_code`, the code of the face model that ships, once it is asked for."""
    if name == "ncc_code":
        return calc_ncc_code()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
