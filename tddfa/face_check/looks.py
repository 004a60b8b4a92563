"""What the face check answers, and how its answers and a detector's scores go together.

The network gives six numbers for an input of the aligner::

    0      logit of: there is a face, and about here
    1, 2   cosine and sine of its roll; shorter than 1 where the roll is in doubt
    3, 4   where the face's ROI has its center, from the crop's, in sides of the crop
    5      logarithm of the ROI's side, in sides of the crop

The ROI is a detector's (`tddfa.roi.parse_roi_box_from_bbox`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tddfa.detector_box import ROI_BELOW_BOX, ROI_PER_BOX
from tddfa.params import FloatArray

OUTPUTS = 6
# Boxes of upright faces are 0.76 times as wide as high.
_WIDTH, _HEIGHT = 2 * 0.76 / 1.76, 2 / 1.76
# Scores are kept this far from 0 and 1.
_LEAST = 1e-4
_LARGEST_GROWTH = 1.5
# A roll is believed from this length of its cosine and sine on.
LEAST_CERTAINTY = 0.35


@dataclass(frozen=True)
class Looks:
    """Answers of the face check on n crops.

    Attributes
    ----------
    logit : ndarray, shape (n,), float32
        Of the probability that there is a face.
    roll : ndarray, shape (n,), float32
        Degrees in [-180, 180], positive where the face's top leans towards the picture's left, as
        `tddfa.upright.in_plane_roll`.
    certainty : ndarray, shape (n,), float32
        Of the roll, from 0 up to about 1.
    squares : ndarray, shape (n, 3), float32
        Center (x, y) and side of the face's ROI in sides of the crop, from its upper left corner.
    """

    logit: FloatArray
    roll: FloatArray
    certainty: FloatArray
    squares: FloatArray

    @classmethod
    def of(cls, answers: FloatArray) -> "Looks":
        """Read the network's output (n, 6)."""
        logit, cosine, sine = answers[:, :3].T
        center = np.clip(answers[:, 3:5] + np.float32(0.5), -1, 2)
        side = np.exp(np.clip(answers[:, 5:], -_LARGEST_GROWTH, _LARGEST_GROWTH))
        return cls(
            logit=logit,
            roll=np.degrees(np.arctan2(sine, cosine)),
            certainty=np.hypot(cosine, sine),
            squares=np.concatenate([center, side], axis=1),
        )

    @property
    def score(self) -> FloatArray:
        """Probability that there is a face, (n,)."""
        return probability(self.logit)

    @property
    def boxes(self) -> FloatArray:
        """Boxes as a detector draws them, (n, 4), in sides of the crop."""
        side = self.squares[:, 2:] / np.float32(ROI_PER_BOX)
        center = self.squares[:, :2] - side * np.array([0, ROI_BELOW_BOX], np.float32)
        half = side * np.array([_WIDTH, _HEIGHT], np.float32) / 2
        return np.concatenate([center - half, center + half], axis=1)


def probability(logit: npt.ArrayLike) -> FloatArray:
    """Return the probability of a logit."""
    bounded = np.clip(np.asarray(logit, np.float32), -30, 30)
    return np.asarray(1 / (1 + np.exp(-bounded)), np.float32)


def logit_of(score: npt.ArrayLike) -> FloatArray:
    """Return the logit of a probability; 0 and 1 count as a little more and less."""
    bounded = np.clip(np.asarray(score, np.float32), _LEAST, 1 - _LEAST)
    return np.asarray(np.log(bounded / (1 - bounded)), np.float32)
