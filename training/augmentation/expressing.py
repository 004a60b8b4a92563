"""Give a fitted face another expression in its picture: shut its eyes, open its mouth.

::

    picture + fitted mesh --> move the mesh's expression --> draw it by z-buffer, each pixel read
    from where its place on the mesh was; between parted lips the mouth's dark inside

The moved mesh is drawn over the picture itself: where it ends nothing moves, and a chin that drops
covers the neck below it. A lid that comes down is the skin above the eye, stretched, as in life.
"""

import cv2
import numpy as np
import numpy.typing as npt

from Sim3DR import rasterize_triangles
from tddfa.pixel_frames import to_centers, turned_over
from training.dataset.batch import CANVAS

FloatArray = npt.NDArray[np.float32]

# Brightness of the mouth's rim and depth, and of teeth, in that of the skin around.
_RIM, _DEPTH, _TEETH = 0.38, 0.1, 1.0
_BRIGHTEST = 205.0  # of teeth, which are in the lips' shadow


def express_picture(
    image: npt.NDArray[np.uint8],
    before: FloatArray,
    after: FloatArray,
    triangles: npt.NDArray[np.int32],
    inside: npt.NDArray[np.bool_] | None,
    teeth: float | None = 0.0,
) -> npt.NDArray[np.uint8]:
    """Draw the face with another expression.

    Parameters
    ----------
    image : ndarray, shape (168, 168, 3), uint8
        BGR.
    before, after : ndarray, shape (N, 3)
        The fitted mesh, and the same with the new expression, in the canvas frame (y up).
    triangles : ndarray, shape (M, 3), int32
    inside : ndarray, shape (N,), bool, optional
        Vertices of the mouth's inside, which no picture of a shut mouth shows.
    teeth : float, optional
        Share of the open mouth's height that the upper teeth cover; 0 for none, None leaves the
        mouth's inside as the picture shows it.

    Returns
    -------
    ndarray, shape (168, 168, 3), uint8
    """
    old, new = (turned_over(np.asarray(mesh, np.float32), CANVAS) for mesh in (before, after))
    new = new.copy()
    new[:, :2] = to_centers(new[:, :2])
    found = rasterize_triangles(np.ascontiguousarray(new), triangles, CANVAS, CANVAS)
    shown = found.triangle >= 0
    corners = triangles[np.maximum(found.triangle, 0)]
    x, y = (to_centers((found.weights * old[corners, axis]).sum(axis=2)) for axis in (0, 1))
    maps = x.astype(np.float32), y.astype(np.float32)
    moved = cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    out = np.where(shown[:, :, None], moved, image)
    if inside is not None and teeth is not None:
        hole = shown & inside[corners].all(axis=2)
        out = _with_mouth(out, hole, teeth)
    return np.asarray(out, np.uint8)


def _with_mouth(
    image: npt.NDArray[np.uint8], hole: npt.NDArray[np.bool_], teeth: float
) -> npt.NDArray[np.uint8]:
    """Paint the mouth's inside where `hole` is, with a soft edge, in the light of what is around.

    A gray picture's mouth is gray; that of a colored one is redder than its skin.
    """
    if not hole.any():
        return image
    around = cv2.dilate(hole.astype(np.uint8), np.ones((9, 9), np.uint8)) > hole
    skin = image[around].mean(axis=0)
    columns = hole.any(axis=0)
    height, top = hole.sum(axis=0), np.where(columns, hole.argmax(axis=0), 0)
    below = np.arange(len(hole))[:, None] - top  # rows below the upper lip
    depth = np.sin(np.pi * np.clip(below / np.maximum(height, 1), 0, 1))[:, :, None]
    color = skin * (_RIM + (_DEPTH - _RIM) * np.sqrt(depth))
    if teeth > 0:
        white = np.minimum(_BRIGHTEST, _TEETH * (skin.mean() + skin) / 2)
        rows = teeth * height.max()
        share = np.clip(rows - below, 0, 1) * (below < height)
        color = color + (white - color) * share[:, :, None]
    soft = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 0.7)[:, :, None]
    return np.asarray(image + (color - image) * soft + 0.5, np.uint8)
