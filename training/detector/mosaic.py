"""Tile several pictures into one: true small faces, in their own surroundings.

Photos that were annotated show large faces, and face crops pasted on a picture lack shoulders,
hair and neighbors; photos drawn small have them (mosaics, Bochkovskiy et al., "YOLOv4", 2020).

::

    +-----+-----+-----+
    |     |     |     |     every tile: a part of a photo at a random scale,
    +-----+-----+-----+     with faces or without
    |     |     |     |
    +-----+-----+-----+
"""

from collections.abc import Sequence

import numpy as np

from training.detector.boxes import FloatArray
from training.detector.picture import Image, Picture, sorted_out

CUT = ("doubtful", "sure", "empty")


def tile_side(size: int, across: int) -> int:
    """Return the side of the tiles, `across` of them, that cover `size` pixels."""
    return -(-size // across)


def mosaic(tiles: Sequence[Picture], size: int) -> Picture:
    """Put square pictures together, row by row.

    Parameters
    ----------
    tiles : sequence of Picture
        n² pictures of `tile_side` (size, n) pixels.
    size : int
        Side of the result.

    Returns
    -------
    Picture
        Faces that a tile's edge cuts are those of `part_of_photo`: certain while their center is
        seen.

    Raises
    ------
    ValueError
        If the tiles are not n² of that side.
    """
    across = round(len(tiles) ** 0.5)
    side = tile_side(size, max(across, 1))
    shapes = {tile.image.shape for tile in tiles}
    if across**2 != len(tiles) or shapes != {(side, side, 3)}:
        raise ValueError(f"expected n² tiles that cover {size} px, got {len(tiles)}")
    image: Image = np.empty((across * side, across * side, 3), np.uint8)
    lists: dict[str, list[FloatArray]] = {key: [] for key in ("faces", *CUT)}
    for number, tile in enumerate(tiles):
        top, left = side * (number // across), side * (number % across)
        image[top : top + side, left : left + side] = tile.image
        offset = np.array([left, top, left, top], np.float32)
        lists["faces"].append(tile.faces + offset)
        for key in CUT:
            # What was outside of its tile would lie in its neighbor's.
            kept = np.clip(getattr(tile, key), 0, side)
            kept = kept[(kept[:, 2:] - kept[:, :2]).min(axis=1, initial=np.inf) > 0]
            lists[key].append(kept + offset)
    boxes = {key: np.concatenate(parts) for key, parts in lists.items()}
    return sorted_out(Picture(np.ascontiguousarray(image[:size, :size]), **boxes))
