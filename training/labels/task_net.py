"""MediaPipe's 256 px face landmark network on crops: two passes, then the mean of views.

It lies in the bundle ``face_landmarker.task`` (Apache-2.0) that MediaPipe offers for download, and
runs on LiteRT (``pip install ai-edge-litert``), without MediaPipe itself.

::

    crop's middle --pass--> points --upright square around them--> pass --> pass --> points
                                                                                        |
                       mean of the points  <--  views: larger and smaller, rolled, mirrored

A pass is better the nearer its square is to those that the network was trained with: upright by the
eyes' outer corners, 1.5 times the side of the points' box. Errors of different views are different,
so that their mean is better than each.
"""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from training.labels.mediapipe_mirror import MIRROR
from training.mediapipe_points import N_POINTS

FloatArray = npt.NDArray[np.floating]

NETWORK = "face_landmarks_detector.tflite"
SIDE = 256
ROI_SHARE = 120 / 168  # of a crop's side, see `batch`, which needs PyTorch
PASSES = 2
ENLARGED = 1.5  # square's side over that of the points' box
EYE_CORNERS = (33, 263)
LEAST_PRESENCE = 0.3
# Log of the scale and roll in degrees; each is seen as it is and mirrored.
POSES = ((0.0, 0.0), (0.08, 8.0), (-0.08, -8.0), (0.08, -8.0), (-0.08, 8.0), (0.0, 8.0),
         (0.0, -8.0), (0.08, 0.0), (-0.08, 0.0))  # fmt: skip
MOST_VIEWS = 2 * len(POSES)


@dataclass(frozen=True)
class Square:
    """Where a pass looks: pixels of the crop from its upper left edge, y down.

    Attributes
    ----------
    center : ndarray, shape (2,)
    side : float
    roll : float
        Radians by which the square's x axis is turned from the crop's x axis to its y axis.
    """

    center: FloatArray
    side: float
    roll: float

    def matrix(self, mirrored: bool = False) -> FloatArray:
        """Return the map (2, 3) from the network's edge coordinates to the crop's."""
        k, c, s = self.side / SIDE, math.cos(self.roll), math.sin(self.roll)
        linear = k * np.array([[c, -s], [s, c]])
        if mirrored:
            linear = linear * [-1, 1]
        return np.column_stack([linear, self.center - linear @ [SIDE / 2, SIDE / 2]])


def square_around(points: FloatArray) -> Square:
    """Return the upright square around a face's points (478, 2 | 3).

    Examples
    --------
    >>> points = np.zeros((478, 2))
    >>> points[33], points[263] = (-1, 0), (1, 0)
    >>> square_around(points).side
    3.0
    """
    left, right = (points[k, :2] for k in EYE_CORNERS)
    roll = math.atan2(right[1] - left[1], right[0] - left[0])
    c, s = math.cos(roll), math.sin(roll)
    axes = np.array([[c, s], [-s, c]])
    upright = points[:, :2] @ axes.T
    low, high = upright.min(axis=0), upright.max(axis=0)
    side = ENLARGED * float((high - low).max())
    return Square((low + high) / 2 @ axes, max(side, 1.0), roll)


class TaskNet:
    """Marks the points of crops.

    Parameters
    ----------
    bundle : Path
        ``face_landmarker.task``.
    views : int
        Number of views whose mean is taken: 1, or an even number up to 18.

    Raises
    ------
    InputError
        If LiteRT is missing, or the file holds no such network.
    """

    def __init__(self, bundle: Path, views: int = 2) -> None:
        if views != 1 and not (views % 2 == 0 and 0 < views <= MOST_VIEWS):
            raise InputError(f"--views: expected 1 or an even number up to {MOST_VIEWS}")
        self.views = views
        self._network = open_bundled(bundle, NETWORK)
        self._input = self._network.get_input_details()[0]["index"]
        # Points, then the logit of a face being there.
        self._outputs = [detail["index"] for detail in self._network.get_output_details()[:2]]

    def __call__(self, crop: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the points of a BGR crop (H, W, 3), see `points.FacePoints.points`."""
        height, width = crop.shape[:2]
        square = Square(np.array([width, height]) / 2, min(height, width) * ROI_SHARE, 0.0)
        points: FloatArray = np.zeros((N_POINTS, 3))
        for _ in range(PASSES):
            points, presence = self.look(crop, square)
            square = square_around(points)
        if presence < LEAST_PRESENCE:
            return np.full((N_POINTS, 3), np.nan, np.float32)
        if self.views == 1:
            return points.astype(np.float32)
        seen = []
        for stretch, roll in POSES[: self.views // 2]:
            pose = Square(
                square.center, square.side * math.exp(stretch), square.roll + math.radians(roll)
            )
            seen += [self.look(crop, pose, mirrored)[0] for mirrored in (False, True)]
        return np.asarray(np.mean(seen, axis=0, dtype=np.float64), np.float32)

    def look(
        self, crop: npt.NDArray[np.uint8], square: Square, mirrored: bool = False
    ) -> tuple[FloatArray, float]:
        """Return the points that one pass finds, and the probability that a face is there."""
        to_crop = square.matrix(mirrored)
        # OpenCV counts from the pixels' centers.
        shift = to_crop[:, :2] @ [0.5, 0.5] - 0.5
        sampling = np.column_stack([to_crop[:, :2], to_crop[:, 2] + shift])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(
            crop, sampling, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        picture = seen[None, :, :, ::-1].astype(np.float32) / np.float32(255)
        self._network.set_tensor(self._input, picture)
        self._network.invoke()
        found, logit = (self._network.get_tensor(index).ravel() for index in self._outputs)
        points = found.reshape(N_POINTS, 3).astype(np.float64)
        if mirrored:
            points = points[MIRROR]
        points[:, :2] = points[:, :2] @ to_crop[:, :2].T + to_crop[:, 2]
        points[:, 2] *= square.side / SIDE
        return points, 1 / (1 + math.exp(-float(np.clip(logit[0], -50, 50))))


def open_bundled(bundle: Path, name: str) -> Any:
    """Open one of the networks of ``face_landmarker.task`` in LiteRT.

    Raises
    ------
    InputError
        If LiteRT is missing, or the file holds no such network.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise InputError("--task: LiteRT is missing, pip install ai-edge-litert") from error
    try:
        with zipfile.ZipFile(bundle) as archive:
            network = archive.read(name)
        interpreter = Interpreter(model_content=network, num_threads=1)
        interpreter.allocate_tensors()
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"'{bundle}': expected MediaPipe's face_landmarker.task") from error
    return interpreter
