"""Triangles of a face model, together with what is attached to its vertices."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.params import FloatArray


class Topology(npt.NDArray[np.int32]):  # type: ignore[misc]
    """Triangles as an ordinary (M, 3) int32 array that also knows its vertices' codes.

    Drawing functions take ``tddfa.tri`` as their only knowledge of the face model; with the codes
    on board, ``pncc(img, ver_lst, tddfa.tri)`` works for any model without a global table.

    Attributes
    ----------
    ncc_code : ndarray, shape (3, N), float32, or None
        Normalized coordinate code: the mean shape scaled to [0, 1] per axis.
    uv : ndarray, shape (N, 2), float32, or None
        Texture coordinates in [0, 1], v up.
    """

    ncc_code: FloatArray | None
    uv: FloatArray | None

    def __new__(
        cls,
        triangles: npt.ArrayLike,
        ncc_code: FloatArray | None = None,
        uv: FloatArray | None = None,
    ) -> "Topology":
        """View `triangles` (M, 3) as a topology."""
        self = np.ascontiguousarray(triangles, np.int32).view(cls)
        self.ncc_code = ncc_code
        self.uv = uv
        return self

    def __array_finalize__(self, source: Any) -> None:
        self.ncc_code = getattr(source, "ncc_code", None)
        self.uv = getattr(source, "uv", None)
