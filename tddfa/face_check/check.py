"""What both face checks share: crops in, `Looks` out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import cv2
import numpy as np

from tddfa.face_check.looks import LEAST_CERTAINTY, OUTPUTS, Looks
from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.roi import network_input
from tddfa.upright import needed_turns, turned_input

# Side of its input in pixels, and crops that go through it together.
SIZE, _BATCH = 120, 64
_MORE_LOOKS = 2


class FaceCheck(ABC):
    """A tiny network that looks at inputs of the aligner; about 0.1 ms each on one core."""

    @abstractmethod
    def forward(self, crops: FloatArray) -> FloatArray:
        """Run the network on crops (n, 3, 120, 120); return its answers (n, 6)."""

    def __call__(self, crops: FloatArray) -> Looks:
        """Look at crops.

        Parameters
        ----------
        crops : ndarray, shape (n, 3, s, s), float32
            Inputs of the aligner, BGR, ``(value - 127.5) / 128``, of any size.
        """
        if not len(crops):
            return Looks.of(np.zeros((0, OUTPUTS), np.float32))
        fitting = _resized(crops)
        parts = [self.forward(fitting[i : i + _BATCH]) for i in range(0, len(fitting), _BATCH)]
        return Looks.of(np.concatenate(parts))

    def at(self, image: ImageArray, roi_boxes: Sequence[Sequence[float]]) -> Looks:
        """Look at the squares ``[xmin, ymin, xmax, ymax]`` of a BGR picture."""
        return self(network_input(image, [list(box) for box in roi_boxes], SIZE))

    def turns(self, image: ImageArray, roi_boxes: Sequence[Sequence[float]]) -> list[float]:
        """Return by how many degrees to turn squares of a BGR picture, see `tddfa.upright`.

        What is turned is looked at again as turned: the network tells small rolls best.
        """
        boxes = [list(box) for box in roi_boxes]
        looks = self.at(image, boxes)
        sure = looks.certainty >= LEAST_CERTAINTY
        turns = needed_turns(np.where(sure, looks.roll, np.nan))
        for _ in range(_MORE_LOOKS):
            turned = np.flatnonzero(turns)
            if not len(turned):
                break
            crops = turned_input(image, [boxes[i] for i in turned], turns[turned], SIZE)
            better = turns[turned] + self(crops).roll
            turns[turned] = (better + 180) % 360 - 180
        return needed_turns(turns).tolist()


def _resized(crops: FloatArray) -> FloatArray:
    if crops.shape[2:] == (SIZE, SIZE):
        return crops
    way = cv2.INTER_AREA if crops.shape[2] > SIZE else cv2.INTER_LINEAR
    resized = [
        cv2.resize(crop.transpose(1, 2, 0), (SIZE, SIZE), interpolation=way) for crop in crops
    ]
    return np.ascontiguousarray(np.stack(resized).transpose(0, 3, 1, 2), np.float32)
