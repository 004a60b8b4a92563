"""Prior boxes (anchors) of FaceBoxes for any picture size.

Source: Zhang et al., "FaceBoxes: A CPU Real-time Face Detector with High Accuracy", IJCB 2017,
section 3.2, anchor densification.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class AnchorLayer:
    """Square anchors of one detection layer.

    Attributes
    ----------
    stride : int
        Distance of the layer's cells in pixels.
    sizes : tuple of int
        Side of each anchor in pixels.
    densities : tuple of int
        An anchor of density d stands d×d times in a cell, at the offsets 0, 1/d, … of the cell in
        both directions; one of density 1 stands in the middle.
    """

    stride: int
    sizes: tuple[int, ...]
    densities: tuple[int, ...]

    @property
    def anchors_per_cell(self) -> int:
        """Number of anchors in each cell of the layer."""
        return sum(d * d for d in self.densities)


LAYERS = (
    AnchorLayer(32, (32, 64, 128), (4, 2, 1)),
    AnchorLayer(64, (256,), (1,)),
    AnchorLayer(128, (512,), (1,)),
)
ANCHORS_PER_CELL = tuple(layer.anchors_per_cell for layer in LAYERS)


@lru_cache(maxsize=4)
def prior_boxes(height: int, width: int) -> NDArray[np.float32]:
    """Return the anchors for a picture of the given size, in the order of the network's output.

    Parameters
    ----------
    height, width : int
        Size of the network's input in pixels, at least 1.

    Returns
    -------
    ndarray, float32 (P, 4), read-only
        Centers and sizes ``cx, cy, w, h`` as fractions of width and height. Order: layer, cell row,
        cell column, anchor size, dense y, dense x. The last few picture sizes are kept.

    Examples
    --------
    >>> prior_boxes(720, 1080).shape
    (16680, 4)
    """
    priors = np.concatenate([layer_priors(layer, height, width) for layer in LAYERS])
    priors.flags.writeable = False
    return priors


def layer_priors(layer: AnchorLayer, height: int, width: int) -> NDArray[np.float32]:
    """Return the anchors of one layer, (P, 4), as `prior_boxes` has them."""
    rows, columns = -(-height // layer.stride), -(-width // layer.stride)
    x_offset, y_offset, size = _cell_anchors(layer)
    grid = np.empty((rows, columns, layer.anchors_per_cell, 4), np.float32)
    # Positions are formed in float64 and rounded once, when they are stored.
    grid[..., 0] = (np.arange(columns)[:, None] + x_offset) * layer.stride / width
    grid[..., 1] = ((np.arange(rows)[:, None] + y_offset) * layer.stride / height)[:, None]
    grid[..., 2] = size / width
    grid[..., 3] = size / height
    return grid.reshape(-1, 4)


def _cell_anchors(layer: AnchorLayer) -> tuple[NDArray, NDArray, NDArray]:
    """Return x offset, y offset (in cells) and size (in pixels) of the anchors of one cell."""
    anchors = []
    for size, density in zip(layer.sizes, layer.densities, strict=True):
        offsets = [0.5] if density == 1 else [i / density for i in range(density)]
        anchors += [(x, y, size) for y in offsets for x in offsets]
    x_offset, y_offset, sizes = np.array(anchors, np.float64).T
    return x_offset, y_offset, sizes
