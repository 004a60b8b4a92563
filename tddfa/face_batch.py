"""Faces of one or several pictures through the regressor together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tddfa.aligner import Aligner
from tddfa.face import Face
from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.upright import turn_params, turned_input

# Crops that go through the network together; more need more memory and are no faster.
_BATCH = 64


@dataclass(frozen=True, eq=False)
class FaceCrops:
    """What is kept of a picture until its faces are aligned.

    Attributes
    ----------
    image_size : (int, int)
        Height and width of the picture in pixels.
    rois : list of n ``[xmin, ymin, xmax, ymax]``
        Squares in pixels.
    crops : ndarray, shape (n, 3, s, s), float32
        The network's inputs.
    boxes : ndarray, shape (n, 5), float32, or None
        The detector's boxes with scores, in pixels.
    angles : sequence of n floats
        By how many degrees each was turned upright, see `tddfa.upright`; none if empty.
    """

    image_size: tuple[int, int]
    rois: list[list[float]]
    crops: FloatArray
    boxes: FloatArray | None = None
    angles: Sequence[float] = ()

    @classmethod
    def of(
        cls,
        picture: ImageArray,
        rois: list[list[float]],
        size: int,
        boxes: FloatArray | None = None,
        angles: Sequence[float] | None = None,
    ) -> "FaceCrops":
        """Cut the faces out of a BGR picture (H, W, 3), each to `size` pixels, turned if asked."""
        turns = [0.0] * len(rois) if angles is None else [float(angle) for angle in angles]
        crops = turned_input(picture, rois, turns, size)
        return cls((picture.shape[0], picture.shape[1]), rois, crops, boxes, turns)


def align_crops(aligner: Aligner, pictures: Sequence[FaceCrops]) -> list[list[Face]]:
    """Align the faces of several pictures in one batch.

    Parameters
    ----------
    aligner : Aligner
    pictures : sequence of FaceCrops

    Returns
    -------
    list of lists of Face
        One list per picture, both in the order given.
    """
    rois = [roi for picture in pictures for roi in picture.rois]
    if not rois:
        return [[] for _ in pictures]
    crops = np.concatenate([picture.crops for picture in pictures])
    step = _BATCH if aligner.mirror is None else _BATCH // 2  # each is seen in a mirror as well
    parts = [aligner.regress_all(crops[i : i + step]) for i in range(0, len(crops), step)]
    params = np.concatenate([part.params for part in parts])
    nothing = [None] * len(params)
    shapes = [row for part in parts if part.blendshapes is not None for row in part.blendshapes]
    errors = [e for part in parts if part.mirror_errors is not None for e in part.mirror_errors]
    angles = [a for p in pictures for a in (p.angles or [0.0] * len(p.rois))]
    turned = np.flatnonzero(angles)
    if len(turned):
        params[turned] = turn_params(params[turned], np.array(angles)[turned], aligner.size)
    landmarks = aligner.reconstructor(list(params), rois)
    aligned = iter(zip(params, landmarks, shapes or nothing, errors or nothing, strict=True))
    return [
        [
            Face(
                score=1.0 if picture.boxes is None else float(picture.boxes[i, 4]),
                roi_box=roi,
                param=param,
                landmarks=points,
                blendshapes=coefficients,
                mirror_error=None if error is None else float(error),
                detected_box=None if picture.boxes is None else picture.boxes[i, :4],
                image_size=picture.image_size,
                reconstructor=aligner.reconstructor,
            )
            for i, (roi, (param, points, coefficients, error)) in enumerate(
                zip(picture.rois, aligned, strict=False)
            )
        ]
        for picture in pictures
    ]
