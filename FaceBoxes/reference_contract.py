"""What both detectors share under the reference's names: lists of boxes, and any picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from FaceBoxes.base_detector import BaseDetector
from tddfa.compat.pictures import as_uint8
from tddfa.io.pictures import imwrite

Boxes = list[list[float]]

_RED, _WHITE = (0, 0, 255), (255, 255, 255)


def settings_from(constants: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a detector that a module's constants, under old names, stand for."""
    names = ("confidence_threshold", "top_k", "keep_top_k", "nms_threshold", "vis_thres")
    limits = ("HEIGHT", "WIDTH") if constants["scale_flag"] else (None, None)
    height, width = (None if name is None else constants[name] for name in limits)
    return {name: constants[name] for name in names} | {"max_height": height, "max_width": width}


class BoxLister:
    """A detector whose result is a list, which can be empty, sorted, appended to and joined.

    Parameters
    ----------
    detector : BaseDetector
        What finds the faces.

    Attributes
    ----------
    timer_flag : bool
        Log the times of each call at level INFO.
    """

    def __init__(self, detector: BaseDetector) -> None:
        self.detector = detector

    def __getattr__(self, name: str) -> Any:
        """Have what else the detector has, such as ``settings``; new code finds its methods."""
        if name.startswith("_") or name == "detector":  # while a copy is being made
            raise AttributeError(name)
        return getattr(self.detector, name)

    @property
    def timer_flag(self) -> bool:
        """Whether the times of each call are logged."""
        return self.detector.timer_flag

    @timer_flag.setter
    def timer_flag(self, value: bool) -> None:
        self.detector.timer_flag = value

    def __call__(self, img: npt.ArrayLike) -> Boxes:
        """Find the faces of a picture.

        Parameters
        ----------
        img : ndarray, shape (H, W, 3)
            BGR picture, uint8 or numbers from 0 to 255 of any type.

        Returns
        -------
        list of ``[xmin, ymin, xmax, ymax, score]``
            In pixels of `img`, by falling score; an empty list where there is no face.

        Raises
        ------
        InputError
            If `img` is not such a picture.
        """
        boxes: Boxes = self.detector(as_uint8(img)).tolist()
        return boxes


def viz_bbox(
    img: npt.NDArray[Any],
    dets: npt.ArrayLike,
    wfp: str | Path = "out.jpg",
    threshold: float = 0.5,
) -> None:
    """Draw boxes and their scores into `img`, which is changed, and write it.

    Parameters
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture.
    dets : sequence of ``[xmin, ymin, xmax, ymax, score]``
        Boxes in pixels; those with a score below `threshold` are left out.
    wfp : path-like
        File to write.
    threshold : float
        Smallest score that is drawn.
    """
    canvas = np.ascontiguousarray(as_uint8(img))
    for left, top, right, bottom, score in np.asarray(dets, np.float64).reshape(-1, 5):
        if score < threshold:
            continue
        corners = np.clip([left, top, right, bottom], -(2.0**20), 2.0**20).astype(int).tolist()
        cv2.rectangle(canvas, corners[:2], corners[2:], _RED, 2)
        place = (corners[0], corners[1] + 12)
        cv2.putText(canvas, f"{score:.4f}", place, cv2.FONT_HERSHEY_DUPLEX, 0.5, _WHITE)
    if canvas is not img and isinstance(img, np.ndarray) and img.flags.writeable:
        img[...] = canvas
    imwrite(wfp, canvas)
