"""Look for faces at given places of a frame: align, and judge what came out."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from tddfa.aligner import Aligner
from tddfa.face import Face
from tddfa.face_box import face_boxes_of, landmark_roi
from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.tracking.face_finder import FaceFinder, fractions
from tddfa.upright import turn_params, turned_input


@dataclass(frozen=True)
class Plausibility:
    """Limits that a face keeps and what is none, or no longer one, often breaks.

    Attributes
    ----------
    least_side : float
        Pixels of the landmarks' ROI; on fewer nothing can be aligned.
    most_side : float
        The same in units of the picture's longer side: no ROI grows without bound.
    least_overlap : float
        Intersection over union of the ROI looked at and the ROI of the landmarks found in it.
    least_visible : float
        Part of the landmarks' ROI that lies in the picture. Its center must, too.
    most_deviation : float
        Root mean square of the network's output, which is in standard deviations of the training
        faces. Laughing, blinking, turning faces of clips reach 1.8 with the weights that ship.
    calm_overlap : float
        The same overlap, from which on a face that was checked a moment ago is taken for itself.
    """

    least_side: float = 18.0
    most_side: float = 2.0
    least_overlap: float = 0.3
    least_visible: float = 0.35
    most_deviation: float = 2.6
    calm_overlap: float = 0.75

    def holds(
        self, roi: Sequence[float], found: Sequence[float], output: FloatArray, image: ImageArray
    ) -> bool:
        """Judge landmarks with the ROI `found`, seen in the crop `roi`."""
        deviation = math.sqrt(float(output @ output) / len(output))
        if not (math.isfinite(sum(found)) and math.isfinite(deviation)):
            return False
        height, width = image.shape[:2]
        left, top, right, bottom = found
        side = right - left
        shared = _shared_area(roi, found)
        joint = (roi[2] - roi[0]) * (roi[3] - roi[1]) + side * side - shared
        return (
            self.least_side <= side <= self.most_side * max(height, width)
            and 0 <= left + right <= 2 * width
            and 0 <= top + bottom <= 2 * height
            and _shared_area(found, (0, 0, width, height)) >= self.least_visible * side * side
            and shared >= self.least_overlap * joint
            and deviation <= self.most_deviation
        )

    def calm(self, roi: Sequence[float], found: Sequence[float]) -> bool:
        """Tell whether a face is where it was: its check can wait."""
        shared = _shared_area(roi, found)
        area = (roi[2] - roi[0]) * (roi[3] - roi[1])
        joint = area + (found[2] - found[0]) * (found[3] - found[1]) - shared
        return shared >= self.calm_overlap * joint


def _shared_area(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the area that two boxes share; in plain numbers, for it is asked in every frame."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(width, 0.0) * max(height, 0.0)


@dataclass(frozen=True)
class Observation:
    """What was found at a place, and what it is worth.

    Attributes
    ----------
    face : Face
        Its score is the face check's.
    plausible : bool
        Whether its numbers can be a face's.
    seen : bool
        Whether the check says that there is a face.
    checked : bool
        Whether it was asked; if not, score and `seen` are what was known before.
    """

    face: Face
    plausible: bool
    seen: bool
    checked: bool = True


class FaceObserver:
    """Align faces and check them.

    Parameters
    ----------
    finder : FaceFinder
        What checks.
    aligner : Aligner
        ``TDDFA`` or ``TDDFA_ONNX``.
    least_score : float
        Score of a face in its own crop from which on it counts as seen.
    least_wide_score : float
        The same for the second look.
    limits : Plausibility
        What else a face must keep.
    upright : bool
        Whether `align` asks a face check, if there is one, how far faces are rolled.
    """

    def __init__(
        self,
        finder: FaceFinder,
        aligner: Aligner,
        least_score: float = 0.25,
        least_wide_score: float = 0.12,
        limits: Plausibility | None = None,
        upright: bool = True,
    ) -> None:
        self.finder = finder
        self.aligner = aligner
        self.least_score = least_score
        self.least_wide_score = least_wide_score
        self.limits = limits or Plausibility()
        self.upright = upright
        self._helper = ThreadPoolExecutor(1, "face-check")

    def align(
        self, image: ImageArray, roi_boxes: Sequence[Sequence[float]]
    ) -> list[tuple[FloatArray, FloatArray]]:
        """Align without checking, turned as the face check says; parameters, landmarks per ROI."""
        boxes = [list(box) for box in roi_boxes]
        if not boxes:
            return []
        told = self.finder.turns(image, boxes) if self.upright else None
        turns = [0.0] * len(boxes) if told is None else told
        found = self.aligner.regress(turned_input(image, boxes, turns, self.aligner.size))
        params = list(self._as_they_lie(found, turns))
        return list(zip(params, self.aligner.recon_vers(params, boxes), strict=True))

    def _as_they_lie(self, params: FloatArray, angles: Sequence[float]) -> FloatArray:
        """Turn parameters back that were found in turned ROIs; the others stay bit by bit."""
        if any(angles):
            chosen = np.flatnonzero(angles)
            params = params.copy()
            params[chosen] = turn_params(
                params[chosen], np.asarray(angles)[chosen], self.aligner.size
            )
        return params

    def __call__(
        self,
        image: ImageArray,
        roi_boxes: Sequence[Sequence[float]],
        angles: Sequence[float] | None = None,
        *,
        known: Sequence[float | None] | None = None,
    ) -> list[Observation]:
        """Align the faces at `roi_boxes`, all in one batch, and judge each.

        Parameters
        ----------
        image : ndarray, shape (H, W, 3), uint8
            BGR frame.
        roi_boxes : sequence of n ``[xmin, ymin, xmax, ymax]``
            Squares in pixels.
        angles : sequence of n floats, optional
            By how many degrees each is turned upright first, see `tddfa.upright`.
        known : sequence of n float or None, optional
            Scores of faces that were checked a moment ago: they are checked only if they have
            moved or changed. None is for those that are to be checked in any case.
        """
        boxes = [list(box) for box in roi_boxes]
        if not boxes:
            return []
        scores: list[float | None] = list(known) if known is not None else [None] * len(boxes)
        due = [i for i, score in enumerate(scores) if score is None]
        turns = [0.0] * len(boxes) if angles is None else list(angles)
        crops = turned_input(image, boxes, turns, self.aligner.size)
        # Both networks see the same crops: they run side by side.
        looking = self._helper.submit(self.finder.look, crops[due]) if due else None
        output, given = self.aligner.forward_all(crops)
        shapes = [None] * len(boxes) if given is None else list(given)
        upright = self.aligner.scale.denormalize(output)
        params = list(self._as_they_lie(upright, turns))
        landmarks = self.aligner.recon_vers(params, boxes)
        rois = [landmark_roi(points) for points in landmarks]
        # The check looks where the landmarks lie in the crops, which may be turned.
        within = rois
        if any(turns):
            inside = self.aligner.recon_vers(list(upright), boxes)
            within = [landmark_roi(points) for points in inside]
        plausible = [
            self.limits.holds(box, roi, row, image)
            for box, roi, row in zip(boxes, rois, output, strict=True)
        ]

        def places(numbers: Sequence[int]) -> FloatArray:
            found = face_boxes_of([within[i] for i in numbers])
            return fractions(found, [boxes[i] for i in numbers])

        if looking is not None:
            for i, score in zip(due, looking.result()(places(due)).tolist(), strict=True):
                scores[i] = score
        moved = [
            i
            for i in range(len(boxes))
            if i not in due and plausible[i] and not self.limits.calm(boxes[i], rois[i])
        ]
        if moved:
            look = self.finder.look(crops[moved])
            for i, score in zip(moved, look(places(moved)).tolist(), strict=True):
                scores[i] = score
        checked = {*due, *moved}
        found = [0.0 if score is None else score for score in scores]
        seen = [i not in checked or found[i] >= self.least_score for i in range(len(boxes))]
        doubtful = [i for i in range(len(boxes)) if plausible[i] and not seen[i]]
        if doubtful:
            wide = self.finder.look_wider(image, [rois[i] for i in doubtful])
            for i, score in zip(doubtful, wide.tolist(), strict=True):
                found[i] = max(found[i], score)
                seen[i] = score >= self.least_wide_score
        size, model = image.shape[:2], self.aligner.reconstructor
        faces = (
            Face(
                score,
                box,
                param,
                points,
                blendshapes=coefficients,
                image_size=size,
                reconstructor=model,
            )
            for score, box, param, points, coefficients in zip(
                found, boxes, params, landmarks, shapes, strict=True
            )
        )
        return [
            Observation(face, plausible[i], seen[i], i in checked) for i, face in enumerate(faces)
        ]
