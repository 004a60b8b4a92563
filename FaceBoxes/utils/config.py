"""The detector's numbers as the dictionary that the reference has."""

from typing import Any

from FaceBoxes.box_coding import CENTER_VARIANCE, SIZE_VARIANCE
from FaceBoxes.prior_box import LAYERS

cfg: dict[str, Any] = {
    "name": "FaceBoxes",
    "min_dim": 1024,
    "min_sizes": [list(layer.sizes) for layer in LAYERS],
    "steps": [layer.stride for layer in LAYERS],
    "variance": [CENTER_VARIANCE, SIZE_VARIANCE],
    "clip": False,
    "loc_weight": 2.0,
    "gpu_train": True,
}
