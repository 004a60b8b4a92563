"""Face profiling: turn a fitted face with its picture in 3D, to any pose, with exact labels.

::

    picture + fitted mesh --> lattice of points with depth (the face's own, a smooth fall to a
    plane around it) --> rotate --> draw by z-buffer, each pixel read from where it was

Zhu et al., "Face Alignment Across Large Poses: A 3D Solution", CVPR 2016, section 4.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from Sim3DR import rasterize_triangles
from tddfa.pixel_frames import to_centers, turned_over
from training.augmentation.depth_grid import depth_grid
from training.dataset.batch import CANVAS, INPUT

FloatArray = npt.NDArray[np.float32]

# The lattice reaches far beyond the picture at the sides, which a turn brings into view.
ORIGIN = (-120.0, -40.0)
STEP = 3.0
SHAPE = (84, 137)


@dataclass(frozen=True)
class Turn:
    """A rotation of a face and what brings it back to the middle of the canvas.

    In the canvas frame (x right, y up, from the lower left edge) a point p goes to
    ``zoom · (rotation · (p - center) + center) + offset``.

    Attributes
    ----------
    rotation : ndarray, shape (3, 3)
    center : ndarray, shape (3,)
    zoom : float
    offset : ndarray, shape (3,)
    """

    rotation: npt.NDArray[np.floating]
    center: npt.NDArray[np.floating]
    zoom: float
    offset: npt.NDArray[np.floating]

    def points(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Return turned points (n, 3)."""
        turned = (points - self.center) @ self.rotation.T + self.center
        return self.zoom * turned + self.offset

    def camera(self, camera: npt.NDArray[np.floating]) -> FloatArray:
        """Return the camera (3, 4) of the turned face."""
        linear = self.zoom * self.rotation @ camera[:, :3]
        return np.c_[linear, self.points(camera[None, :, 3])[0]].astype(np.float32)


def turn_to(landmarks: npt.NDArray[np.floating], rotation: npt.NDArray[np.floating]) -> Turn:
    """Return the turn after which the landmarks' ROI is the middle 120 px.

    Parameters
    ----------
    landmarks : ndarray, shape (68, 3)
        In the canvas frame.
    rotation : ndarray, shape (3, 3)
    """
    center = landmarks.mean(axis=0)
    turned = (landmarks - center) @ rotation.T + center
    low, high = turned[:, :2].min(axis=0), turned[:, :2].max(axis=0)
    zoom = INPUT / (np.sqrt(2) * float((high - low).max()))
    offset = np.zeros(3)
    offset[:2] = CANVAS / 2 - zoom * (low + high) / 2
    return Turn(rotation, center, zoom, offset)


def rotation_matrix(yaw: float, pitch: float) -> npt.NDArray[np.float64]:
    """Return the rotation about the vertical axis, then about the horizontal one; degrees."""
    cy, sy = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    cp, sp = np.cos(np.radians(pitch)), np.sin(np.radians(pitch))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    return about_x @ about_y


def turn_picture(
    image: npt.NDArray[np.uint8],
    vertices: FloatArray,
    triangles: npt.NDArray[np.int32],
    turn: Turn,
    filling: npt.NDArray[np.uint8],
    valid: tuple[int, int, int, int] | None = None,
) -> npt.NDArray[np.uint8]:
    """Draw the turned picture.

    Parameters
    ----------
    image : ndarray, shape (168, 168, 3), uint8
    vertices : ndarray, shape (N, 3)
        The fitted mesh in the canvas frame.
    triangles : ndarray, shape (M, 3), int32
    turn : Turn
    filling : ndarray, shape (168, 168, 3), uint8
        Another picture, shown where nothing is drawn.
    valid : (left, top, right, bottom), optional
        What the original photo covers; `filling` is shown in place of the rest too.
    """
    down = turned_over(np.asarray(vertices, np.float32), CANVAS)
    depth = depth_grid(down, triangles, ORIGIN, STEP, SHAPE)
    x, y = _lattice_places()
    nodes = turn.points(np.column_stack([x, CANVAS - y, depth.ravel()]))
    # The rasterizer has pixel centers at whole numbers and y down.
    drawn = turned_over(nodes, CANVAS)
    drawn[:, :2] = to_centers(drawn[:, :2])
    lattice = _lattice_triangles()
    found = rasterize_triangles(drawn.astype(np.float32), lattice, CANVAS, CANVAS)
    corners = lattice[np.maximum(found.triangle, 0)]
    source_x = to_centers((found.weights * x[corners]).sum(axis=2))
    source_y = to_centers((found.weights * y[corners]).sum(axis=2))

    def sample(picture: npt.NDArray[np.uint8], how: int, beyond: int) -> npt.NDArray[np.uint8]:
        maps = source_x.astype(np.float32), source_y.astype(np.float32)
        return np.asarray(cv2.remap(picture, *maps, how, borderMode=beyond), np.uint8)

    shown = found.triangle >= 0
    if valid is not None:
        covered = np.zeros(image.shape[:2], np.uint8)
        covered[valid[1] : valid[3], valid[0] : valid[2]] = 1
        shown &= sample(covered, cv2.INTER_NEAREST, cv2.BORDER_CONSTANT) > 0
    mirrored = sample(image, cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101)
    return np.where(shown[:, :, None], mirrored, filling)


@lru_cache(maxsize=1)
def _lattice_places() -> tuple[FloatArray, FloatArray]:
    rows, columns = np.indices(SHAPE)
    x, y = ORIGIN[0] + STEP * columns, ORIGIN[1] + STEP * rows
    return x.ravel().astype(np.float32), y.ravel().astype(np.float32)


@lru_cache(maxsize=1)
def _lattice_triangles() -> npt.NDArray[np.int32]:
    index = np.arange(SHAPE[0] * SHAPE[1], dtype=np.int32).reshape(SHAPE)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    upper, lower = (np.stack(t, axis=2).reshape(-1, 3) for t in ((a, b, c), (b, d, c)))
    return np.ascontiguousarray(np.concatenate([upper, lower]))
