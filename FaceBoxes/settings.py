"""The numbers that steer a detector."""

from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from tddfa.errors import InputError


class SettingArguments(TypedDict, total=False):
    """Keyword arguments of the detectors that `DetectorSettings` explains."""

    confidence_threshold: float
    top_k: int
    keep_top_k: int
    nms_threshold: float
    vis_thres: float
    max_height: int | None
    max_width: int | None


@dataclass(frozen=True)
class DetectorSettings:
    """Thresholds and size limits of a detector; the defaults are the reference's.

    Attributes
    ----------
    confidence_threshold : float
        Anchors with a score up to this are dropped before NMS.
    top_k : int
        So many of the best anchors go into NMS.
    keep_top_k : int
        So many detections come out of NMS at most.
    nms_threshold : float
        Intersection over union from which on the weaker of two detections is removed.
    vis_thres : float
        Only detections with a score above this are reported.
    max_height, max_width : int or None
        Pictures larger than this, in pixels, are scaled down before detection; None for no limit.
        Smaller limits are faster and miss small faces.
    """

    confidence_threshold: float = 0.05
    top_k: int = 5000
    keep_top_k: int = 750
    nms_threshold: float = 0.3
    vis_thres: float = 0.5
    max_height: int | None = 720
    max_width: int | None = 1080

    def __post_init__(self) -> None:
        """Check the ranges; raise `InputError` that names the setting."""
        for name in ("confidence_threshold", "vis_thres", "nms_threshold"):
            value = getattr(self, name)
            if not (isinstance(value, int | float | np.floating) and 0 <= value <= 1):
                raise InputError(f"{name}: expected a number in [0, 1], got {value!r}")
        if self.nms_threshold == 0:
            raise InputError("nms_threshold: expected a number above 0, got 0")
        for name in ("top_k", "keep_top_k", "max_height", "max_width"):
            value = getattr(self, name)
            optional = name.startswith("max_")
            if value is None and optional:
                continue
            if not (isinstance(value, int | np.integer) and value >= 1):
                expected = "an integer from 1 up" + (" or None" if optional else "")
                raise InputError(f"{name}: expected {expected}, got {value!r}")
