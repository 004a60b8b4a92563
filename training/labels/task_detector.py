"""MediaPipe's short-range face detector, which says where its landmark network looks first.

It lies in ``face_landmarker.task`` beside that network (Bazarevsky et al., "BlazeFace:
Sub-millisecond Neural Face Detection on Mobile GPUs", 2019): 128 px, 896 anchors, six points a
face. Labels that begin with it owe nothing to another detector.

::

    crop --128 px--> 16x16 cells, 2 anchors each, and 8x8 cells, 6 each --> best face
                                                                             |
                       square 1.5 times the box's side, upright by the eyes <+
"""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from training.labels.task_net import Square, open_network

NETWORK = "face_detector.tflite"
SIDE = 128
LEAST_SCORE = 0.5
ENLARGED = 1.5  # square's side over that of the box
_GRIDS = ((16, 2), (8, 6))  # cells a side, anchors a cell


def anchors() -> npt.NDArray[np.float64]:
    """Return the anchors' centers (896, 2) in shares of the picture's side."""
    grids = []
    for cells, count in _GRIDS:
        y, x = np.mgrid[:cells, :cells]
        centers = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) / cells
        grids.append(np.repeat(centers, count, axis=0))
    return np.concatenate(grids)


class TaskDetector:
    """Finds the best face of a crop.

    Parameters
    ----------
    bundle : Path
        ``face_landmarker.task``.

    Raises
    ------
    InputError
        If LiteRT is missing, or the file holds no such network.
    """

    def __init__(self, bundle: Path) -> None:
        self._network = open_network(bundle, NETWORK)
        self._input = self._network.get_input_details()[0]["index"]
        outputs = {d["shape"][-1]: d["index"] for d in self._network.get_output_details()}
        self._boxes, self._scores = outputs[16], outputs[1]
        self._anchors = anchors()

    def __call__(self, crop: npt.NDArray[np.uint8]) -> Square | None:
        """Return where to look first in a BGR crop (H, W, 3), None where no face is seen."""
        height, width = crop.shape[:2]
        side = max(height, width)
        # The network takes squares: the rest is black, as MediaPipe leaves it.
        top, left = (side - height) // 2, (side - width) // 2
        square = np.zeros((side, side, 3), np.uint8)
        square[top : top + height, left : left + width] = crop
        shrinks = side > SIDE
        small = cv2.resize(
            square, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        picture = small[None, :, :, ::-1].astype(np.float32) / np.float32(127.5) - np.float32(1)
        self._network.set_tensor(self._input, picture)
        self._network.invoke()
        logits = self._network.get_tensor(self._scores).ravel()
        best = int(logits.argmax())
        if 1 / (1 + math.exp(-float(np.clip(logits[best], -50, 50)))) < LEAST_SCORE:
            return None
        answer = self._network.get_tensor(self._boxes)[0, best].astype(np.float64) / SIDE
        center = answer[:2] + self._anchors[best]
        eyes = answer[4:8].reshape(2, 2) + self._anchors[best]  # the subject's right one first
        across = eyes[1] - eyes[0]
        return Square(
            center * side - [left, top],
            ENLARGED * float(answer[2:4].max()) * side,
            math.atan2(across[1], across[0]),
        )
