"""What a face detector must do, for pictures and for video.

::

    detect(image)               rows xmin, ymin, xmax, ymax, score, in pixels, best first
    score_crops(crops, places)  is there a face at this place of the aligner's input?

The second one is what makes tracking cheap: a detector's network that sees the very crop of the
aligner, 120x120, tells in a millisecond whether a track still sits on a face. `DetectorBase` makes
it of `DetectorBase.scan`, which runs beside the aligner, before the places are known; a detector
that cannot look at crops in a way of its own inherits that, too: it searches them as pictures.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.iou import iou_matrix
from tddfa.params import FloatArray
from tddfa.picture import ImageArray

# A box that overlaps the expected one less says nothing about this face.
_LEAST_OVERLAP = 0.4
# A search of a crop reports boxes from this score on; the tracker decides.
_LEAST_SCORE = 0.05


@runtime_checkable
class Detector(Protocol):
    """A face detector; see the module's text."""

    def detect(
        self, image: ImageArray, *, least_score: float | None = None, coarse: bool = False
    ) -> FloatArray:
        """Find the faces of a picture.

        Parameters
        ----------
        image : ndarray, shape (H, W, 3), uint8
            BGR picture.
        least_score : float, optional
            Report faces from this score on, in place of the detector's own threshold. Scores are
            in [0, 1]; 0.5 should mean that there is a face as likely as not.
        coarse : bool
            A faster search that may miss small faces will do.

        Returns
        -------
        ndarray, shape (n, 5), float32
            Rows ``xmin, ymin, xmax, ymax, score`` in pixels, by falling score.
        """

    def score_crops(self, crops: FloatArray, places: FloatArray) -> FloatArray:
        """Tell how likely there is a face at a place of each crop.

        Parameters
        ----------
        crops : ndarray, shape (n, 3, s, s), float32
            Inputs of the aligner, BGR, ``(value - 127.5) / 128``.
        places : ndarray, shape (n, 4), float32
            Boxes where a face is expected, in parts of the crop's sides.

        Returns
        -------
        ndarray, shape (n,), float32
            Scores in [0, 1]; 0 where nothing was found at the place.
        """


class DetectorBase(ABC):
    """Detector that searches crops as it searches pictures; only `detect` is left to write."""

    @abstractmethod
    def detect(
        self, image: ImageArray, *, least_score: float | None = None, coarse: bool = False
    ) -> FloatArray:
        """Find the faces of a picture, see `Detector.detect`."""

    def scan(self, crops: FloatArray) -> list[FloatArray]:
        """Look for faces in inputs of the aligner, wherever they are.

        Parameters
        ----------
        crops : ndarray, shape (n, 3, s, s), float32
            See `Detector.score_crops`.

        Returns
        -------
        list of n ndarrays, shape (k, 5), float32
            Boxes in parts of the crop's sides, and their scores; duplicates do no harm.
        """
        pictures = np.clip(crops * 128 + 127.5, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
        sides = np.tile(crops.shape[:1:-1], 2).astype(np.float32)
        found = []
        for picture in pictures:
            boxes = self.detect(np.ascontiguousarray(picture), least_score=_LEAST_SCORE)
            found.append(np.column_stack([boxes[:, :4] / sides, boxes[:, 4]]))
        return found

    def score_crops(self, crops: FloatArray, places: FloatArray) -> FloatArray:
        """Score what `scan` finds at the places, see `Detector.score_crops`."""
        return scores_at(self.scan(crops), places)


class FunctionDetector(DetectorBase):
    """A plain function as a detector.

    Parameters
    ----------
    function : callable
        BGR picture to rows ``xmin, ymin, xmax, ymax, score`` (a score may be left out: 1).
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def detect(
        self, image: ImageArray, *, least_score: float | None = None, coarse: bool = False
    ) -> FloatArray:
        """Call the function."""
        boxes = as_boxes(self.function(image))
        boxes = boxes[np.argsort(-boxes[:, 4], kind="stable")]
        return boxes if least_score is None else boxes[boxes[:, 4] >= least_score]


def as_detector(value: Any) -> Detector:
    """Return a detector: the value itself, or a function made one.

    Raises
    ------
    InputError
        If it is neither.
    """
    if isinstance(value, Detector):
        return value
    if callable(value):
        return FunctionDetector(value)
    raise InputError(
        "detector: expected a name, an object with detect and score_crops, or a function from "
        f"pictures to boxes, got {type(value).__name__}"
    )


def as_boxes(boxes: npt.ArrayLike) -> FloatArray:
    """Return boxes (n, 4 | 5) as (n, 5) float32, 1 for a score that is not given.

    Raises
    ------
    InputError
        If they have another shape or are not finite.
    """
    rows = np.asarray(boxes, np.float32)
    if rows.size == 0:
        return np.zeros((0, 5), np.float32)
    if rows.ndim == 1:
        rows = rows[None]
    if rows.ndim != 2 or rows.shape[1] not in (4, 5):
        raise InputError(f"boxes: expected shape (n, 4) or (n, 5), got {rows.shape}")
    if not np.isfinite(rows).all():
        raise InputError("boxes: expected finite numbers")
    if rows.shape[1] == 4:
        rows = np.column_stack([rows, np.ones(len(rows), np.float32)])
    return rows


def scores_at(found: list[FloatArray], places: FloatArray) -> FloatArray:
    """Return the best score among each crop's boxes (k, 5) that lie where a face is expected."""
    scores = np.zeros(len(found), np.float32)
    for row, (boxes, place) in enumerate(zip(found, places, strict=True)):
        if len(boxes):
            near = iou_matrix(boxes, place[None])[:, 0] >= _LEAST_OVERLAP
            scores[row] = boxes[near, 4].max(initial=0.0)
    return scores


def fit_within(image: ImageArray, height: int, width: int) -> tuple[ImageArray, float]:
    """Shrink a picture to limits in pixels; return it and its pixels per pixel of the original."""
    scale = min(1.0, height / image.shape[0], width / image.shape[1])
    if scale == 1.0:
        return image, 1.0
    import cv2

    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8), scale
