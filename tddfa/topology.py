"""Triangles of a face model, together with what is attached to its vertices."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.params import FloatArray

IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]
UVSource = FloatArray | Callable[[], FloatArray] | None


def triangles_outside(triangles: IntArray, inside: BoolArray) -> IntArray:
    """Return the triangles, C-contiguous (M, 3), of which some vertex is not inside."""
    a, b, c = inside.take(triangles).T
    # Whole rows instead of numbers: a twentieth of the time of triangles[...].
    rows = np.ascontiguousarray(triangles).view("V12").ravel()[~(a & b & c)]
    return rows.view(np.int32).reshape(-1, 3)


def are_triangles(array: npt.NDArray[Any]) -> bool:
    """Return whether an array can be triangles: integers, (M, 3) or (3, M)."""
    return array.ndim == 2 and 3 in array.shape and array.dtype.kind in "iu"


class Topology(np.ndarray[Any, np.dtype[np.int32]]):
    """Triangles as an ordinary (M, 3) int32 array that also knows its vertices' codes.

    Drawing functions take ``tddfa.tri`` as their only knowledge of the face model; with the codes
    on board, ``pncc(img, ver_lst, tddfa.tri)`` works for any model without a global table.

    Attributes
    ----------
    ncc_code : ndarray, shape (3, N), float32, or None
        Normalized coordinate code: the mean shape scaled to [0, 1] per axis.
    uv : ndarray, shape (N, 2), float32, or None
        Texture coordinates in [0, 1], v up. A source that is slow to read may be given as a
        function; it is called when they are first asked for.
    inside : ndarray, shape (N,), bool, or None
        Vertices of the mouth's inside and of the line where the lips meet. What lies between them
        alone carries texture, but is no face: depth, PNCC and the shaded mesh leave it out.
    """

    ncc_code: FloatArray | None
    inside: BoolArray | None
    _uv: UVSource
    _outside: tuple[IntArray, BoolArray, IntArray] | None

    def __new__(
        cls,
        triangles: npt.ArrayLike,
        ncc_code: FloatArray | None = None,
        uv: UVSource = None,
        inside: BoolArray | None = None,
    ) -> "Topology":
        """View `triangles` (M, 3) as a topology."""
        self = np.ascontiguousarray(triangles, np.int32).view(cls)
        self.ncc_code = ncc_code
        self._uv = uv
        self.inside = inside
        return self

    def __array_finalize__(self, source: Any) -> None:
        self.ncc_code = getattr(source, "ncc_code", None)
        self._uv = getattr(source, "_uv", None)
        self.inside = getattr(source, "inside", None)
        self._outside = None

    def __array_wrap__(
        self, array: npt.NDArray[Any], context: Any = None, return_scalar: bool = False
    ) -> Any:
        """Return what NumPy computed of triangles: such again, a plain array, or a number.

        NumPy 2 says by `return_scalar` that it wants a number; earlier ones leave that to the
        array's dimensions.
        """
        if array is self:  # in place
            return self
        if array.ndim == 0:
            return array[()]
        plain = np.asarray(array)
        return super().__array_wrap__(plain, context) if are_triangles(plain) else plain

    # NumPy's stubs have an overload for each kind of type, and this answers all of them.
    def astype(self, dtype: npt.DTypeLike, *args: Any, **kws: Any) -> Any:  # type: ignore[override]
        """Return a copy of another type: the codes stay with integers alone."""
        converted = super().astype(dtype, *args, **kws)
        return converted if are_triangles(converted) else np.asarray(converted)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the codes, too, which an array alone would lose; a row or a column has no need."""
        if not are_triangles(self):
            return tuple(np.asarray(self).__reduce__())
        rebuild, arguments, state = tuple(super().__reduce__())
        return rebuild, arguments, (state, self.ncc_code, self._uv, self.inside)

    def __setstate__(self, state: Any) -> None:
        """Restore what `__reduce__` gave."""
        array, self.ncc_code, self._uv, *rest = state
        self.inside = rest[0] if rest else None  # pickles of earlier versions have no such table
        super().__setstate__(array)

    def outside(self, inside: BoolArray) -> IntArray:
        """Return the triangles that are not between vertices of the mouth's inside alone.

        They are sorted out once and kept with copies of what they came from: comparing takes a
        tenth of the time, and the triangles are an array that anyone may change.

        Parameters
        ----------
        inside : ndarray, shape (N,), bool
            Vertices of the mouth's inside.

        Returns
        -------
        ndarray, shape (M, 3), int32
            Not to be written to.
        """
        triangles = np.ascontiguousarray(self, np.int32)
        kept = self._outside
        if (
            kept is None
            or not np.array_equal(kept[0], triangles)
            or not np.array_equal(kept[1], inside)
        ):
            found = triangles_outside(triangles, inside)
            found.flags.writeable = False
            kept = triangles.copy(), inside.copy(), found
            self._outside = kept
        return kept[2]

    @property
    def uv(self) -> FloatArray | None:
        """Texture coordinates (N, 2)."""
        source = self._uv  # once: another thread may be reading them, too
        if callable(source):
            self._uv = source = source()
        return source

    @property
    def uv_if_loaded(self) -> FloatArray | None:
        """Texture coordinates, None where they are absent or not read yet."""
        return None if callable(self._uv) else self._uv
