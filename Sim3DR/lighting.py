"""Shade a mesh with an ambient, a directional and a specular light."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._checks import FloatArray, as_colors, as_mesh
from ._lighting import light_vertices
from .normals import get_normal
from .rasterize import rasterize


class RenderPipeline:
    """Lights, and the call that draws a mesh lit by them.

    Each parameter is an attribute of the same name, which may be assigned for the drawings from
    then on; positions and colors are rows (1, 3) there.

    The mesh is first moved and scaled to lie centered in a box whose longest side runs from -1 to
    1; the positions below are in that frame, whose axes are those of the vertices. With unit vertex
    normal n, direction l to the light, direction e to the viewer, c = n·l and r = 2 c n - l::

        light = I_a + I_d clip(c, 0, 1) + I_s clip(q, 0, 1),  clipped to [0, 1]
        q = Σ over the axes of (e_k r_k) ** specular_exp,  0 where c = 0

    This q is the reference's own choice and gives its look: each axis is raised to the power by
    itself, where Phong's model ("Illumination for computer generated pictures", 1975) has
    ``(e·r) ** specular_exp``. A highlight therefore appears where e and r agree along an axis.

    Parameters
    ----------
    intensity_ambient, intensity_directional, intensity_specular : float
        I_a, I_d and I_s.
    specular_exp : int
        Exponent of the highlight, at least 1.
    color_ambient, color_directional : sequence of 3 floats, or array (1, 3)
        Colors of the lights in [0, 1], in the order of the picture's channels (BGR here). The
        highlight has the color of the directional light.
    light_pos, view_pos : sequence of 3 floats, or array (1, 3)
        Positions of the light and of the viewer; larger z is nearer.

    Raises
    ------
    ValueError
        If a parameter is not finite or has the wrong length, or the exponent is not a whole
        number of at least 1.

    Examples
    --------
    >>> vertices = np.array([[1, 1, 0], [1, 8, 0], [8, 1, 0]], dtype=np.float32)
    >>> picture = np.zeros((10, 10, 3), dtype=np.uint8)
    >>> RenderPipeline()(vertices, [[0, 2, 1]], picture)[2, 2]
    array([241, 241, 241], dtype=uint8)
    """

    def __init__(
        self,
        *,
        intensity_ambient: float = 0.3,
        intensity_directional: float = 0.6,
        intensity_specular: float = 0.1,
        specular_exp: int = 5,
        color_ambient: ArrayLike = (1, 1, 1),
        color_directional: ArrayLike = (1, 1, 1),
        light_pos: ArrayLike = (0, 0, 5),
        view_pos: ArrayLike = (0, 0, 5),
    ) -> None:
        self.intensity_ambient = intensity_ambient
        self.intensity_directional = intensity_directional
        self.intensity_specular = intensity_specular
        self.specular_exp = specular_exp
        self.color_ambient = color_ambient
        self.color_directional = color_directional
        self.light_pos = light_pos
        self.view_pos = view_pos

    def __setattr__(self, name: str, value: Any) -> None:
        """Check a parameter when it is assigned; raise the ValueError of the class."""
        check = _CHECKS.get(name)
        super().__setattr__(name, value if check is None else check(name, value))

    def update_light_pos(self, light_pos: ArrayLike) -> None:
        """Move the light, for the drawings from now on.

        Parameters
        ----------
        light_pos : sequence of 3 floats
            Position in the frame of the class; an array (1, 3) counts as three numbers.

        Raises
        ------
        ValueError
            If it is not three finite numbers.
        """
        self.light_pos = np.ravel(light_pos)

    def shade(self, vertices: ArrayLike, triangles: ArrayLike) -> FloatArray:
        """Return the light at each vertex.

        Parameters
        ----------
        vertices : (N, 3) array
            Larger z is nearer. A vertex that is not finite gets the ambient light alone.
        triangles : (M, 3) array of integers
            Vertex indices, 0-based.

        Returns
        -------
        (N, 1) or (N, 3) float32 array
            In [0, 1]; a single channel if the lights are gray, as they are by default.
            `rasterize` draws either into a picture of three channels.
        """
        points, faces = as_mesh(vertices, triangles)
        ambient, directional = np.ravel(self.color_ambient), np.ravel(self.color_directional)
        if np.ptp(ambient) == np.ptp(directional) == 0:  # gray light: one channel says it all
            ambient, directional = ambient[:1], directional[:1]
        light = np.empty((len(points), len(ambient)), dtype=np.float32)
        light_vertices(
            points,
            get_normal(points, faces),
            np.ravel(self.light_pos),
            np.ravel(self.view_pos),
            self.specular_exp,
            ambient * self.intensity_ambient,
            directional * self.intensity_directional,
            directional * self.intensity_specular,
            light,
        )
        return light

    def __call__(
        self,
        vertices: ArrayLike,
        triangles: ArrayLike,
        bg: NDArray[np.uint8],
        texture: ArrayLike | None = None,
        *,
        n_threads: int = 1,
    ) -> NDArray[np.uint8]:
        """Draw the lit mesh.

        Parameters
        ----------
        vertices, triangles
            As for `rasterize`.
        bg : (H, W, 3) uint8 array
            The picture to draw into. **It is changed in place** and returned.
        texture : (N, 3) or (N, 1) array of floats, optional
            Color of each vertex in [0, 1], which the light is multiplied by; white by default.
        n_threads : int
            Threads that share the rows; the result does not depend on it.

        Returns
        -------
        (H, W, 3) uint8 array
            `bg`.
        """
        points, faces = as_mesh(vertices, triangles)
        colors = self.shade(points, faces)
        if texture is not None:
            colors = colors * as_colors("texture", texture, len(points))
        return rasterize(points, faces, colors, bg, n_threads=n_threads)


def _finite(name: str, value: float) -> float:
    if not np.isfinite(value):
        raise ValueError(f"{name}: expected a finite number, got {value}")
    return float(value)


def _exponent(name: str, value: float) -> int:
    if not 1 <= value < 2**31 or value != int(value):
        raise ValueError(f"{name}: expected a whole number >= 1, got {value}")
    return int(value)


def _row(name: str, value: ArrayLike) -> NDArray[np.float64]:
    array = np.array(value, dtype=np.float64)
    if array.shape not in ((3,), (1, 3)) or not np.isfinite(array).all():
        raise ValueError(f"{name}: expected three finite numbers, got {value!r}")
    return array.reshape(1, 3)


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "intensity_ambient": _finite,
    "intensity_directional": _finite,
    "intensity_specular": _finite,
    "specular_exp": _exponent,
    "color_ambient": _row,
    "color_directional": _row,
    "light_pos": _row,
    "view_pos": _row,
}


# The reference's helpers, for code that imports them from here; the kernel does without.


def norm_vertices(vertices: NDArray[np.floating]) -> NDArray[np.floating]:
    """Center vertices in a box whose longest side runs from -1 to 1; they are changed in place.

    Parameters
    ----------
    vertices : (N, 3) array of floats
        Any unit.

    Returns
    -------
    (N, 3) array
        `vertices`: minus the minimum of each axis, divided by the largest value that is left, times
        2, minus half the maximum of each axis.
    """
    vertices -= vertices.min(axis=0)
    vertices /= vertices.max()
    vertices *= 2
    vertices -= vertices.max(axis=0) / 2
    return vertices


def norm(arr: ArrayLike) -> NDArray[np.floating]:
    """Return the rows of (N, 3) at unit length."""
    rows = np.asarray(arr)
    unit: NDArray[np.floating] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


_norm = norm


def convert_type(obj: ArrayLike) -> ArrayLike:
    """Return a list or tuple as a float32 array with one row; anything else as it is."""
    return np.array(obj, np.float32)[None] if isinstance(obj, list | tuple) else obj
