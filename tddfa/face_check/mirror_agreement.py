r"""Tell faces from other things by whether the regressor reads them alike in a mirror.

The regressor answers whatever it is shown, and where there is no face its answer hangs on chance: a
dog's head or a wheel gives one face as it is and another one in a mirror, however much it looks
like one to a detector::

    a face     / o o \  -->  68 landmarks    d = 0.01     a wheel    ( + )  -->  d = 0.15
               \  o o/  -->  the same ones                           ( + )  -->  others

with d the mean distance between both answers' landmarks over the face's size. It was trained on
faces alone, none of the other things was in its way, and yet this tells both apart better than
networks that were trained for it (docs/training.md, "The mirror's word").
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tddfa.mirrored_look import mirror_errors, mirrored_crops
from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.upright import turned_input

if TYPE_CHECKING:
    from tddfa.aligner import Aligner

__all__ = ["MirrorAgreement", "agreement_logit"]

# Weight of ln(1 / d) beside the logits of detector and check, and the d at which it says neither
# yes nor no; chosen by what `training.face_check.doubts` prints.
_WEIGHT, _NEUTRAL = 4.0, 0.04
# A distance of nothing, or of more than the face itself, says no more than these.
_LEAST, _MOST = 0.005, 1.0
# Crops that go through the network together, each twice.
_BATCH = 8


class MirrorAgreement:
    """How well a regressor agrees with itself on what it sees as it is and in a mirror.

    Parameters
    ----------
    aligner : Aligner
        The regressor.
    """

    def __init__(self, aligner: "Aligner") -> None:
        self.aligner = aligner

    def at(
        self,
        image: ImageArray,
        roi_boxes: Sequence[Sequence[float]],
        angles: Sequence[float] | None = None,
    ) -> FloatArray:
        """Return how far apart both answers are in squares of a picture.

        Parameters
        ----------
        image : ndarray, shape (H, W, 3), uint8
            BGR picture.
        roi_boxes : sequence of n ``[xmin, ymin, xmax, ymax]``
            Squares in pixels, as the regressor is to see faces.
        angles : sequence of n floats, optional
            By how many degrees each is turned upright, see `tddfa.upright`.

        Returns
        -------
        ndarray, shape (n,), float32
            Mean distance of 68 landmarks over the root of the area of their bounding box; infinite
            where the network gives no numbers.
        """
        boxes = [list(box) for box in roi_boxes]
        turns = [0.0] * len(boxes) if angles is None else list(angles)
        found = [np.zeros(0, np.float32)]
        for start in range(0, len(boxes), _BATCH):
            part = slice(start, start + _BATCH)
            crops = turned_input(image, boxes[part], turns[part], self.aligner.size)
            found.append(self._distances(crops))
        return np.concatenate(found)

    def _distances(self, crops: FloatArray) -> FloatArray:
        aligner = self.aligner
        output = aligner.forward(np.concatenate([crops, mirrored_crops(crops)]))
        return mirror_errors(aligner.reconstructor, aligner.scale.denormalize(output), aligner.size)


def agreement_logit(distances: npt.ArrayLike) -> FloatArray:
    """Return what a distance adds to the logit of a face: 4 ln(0.04 / d).

    Parameters
    ----------
    distances : array_like, shape (n,)
        Of `MirrorAgreement.at`.

    Examples
    --------
    >>> [round(logit, 1) for logit in agreement_logit([0.02, 0.04, 0.15]).tolist()]
    [2.8, 0.0, -5.3]
    """
    bounded = np.clip(np.asarray(distances, np.float32), _LEAST, _MOST)
    return np.asarray(_WEIGHT * np.log(_NEUTRAL / bounded), np.float32)
