"""What a texture lacks: from the other half of the face, then from the surroundings, smoothly."""

import cv2
import numpy as np

from tddfa.drawing.texture_map import SeenTexture, TextureMap
from tddfa.params import FloatArray
from tddfa.picture import ImageArray

# Islands of what is seen, in parts of the map, that are left out: a spot of an ear.
_ISLAND = 0.01
# The mouth's inside where it is not seen, BGR.
_MOUTH = np.array([30, 24, 62], np.float32)
# Added to weights where differences are averaged: far from any difference there is none.
_NO_DIFFERENCE = 1e-3


def complete_texture(seen: SeenTexture, unrolled: TextureMap) -> ImageArray:
    """Fill in what was not seen: from the other half, then from the surroundings.

    Parameters
    ----------
    seen : SeenTexture
    unrolled : TextureMap

    Returns
    -------
    ndarray, shape (side, side, 3), uint8
        BGR; texels off the mesh continue its border, so that interpolation finds no seam.
    """
    colors: FloatArray = seen.colors
    weights = _shrunk(seen.weights)
    if not weights.any():  # nothing but outline: what there is, is all there is
        weights = unrolled.covered.astype(np.float32)
    if unrolled.symmetric:
        other, other_weights = colors[:, ::-1], weights[:, ::-1]
        both = weights * other_weights
        # The light on both halves differs; where both are seen this is by how much. Carried on
        # smoothly it takes the mirrored half to this half's light, and there is no border.
        difference = _carry_on(colors - other, both, towards_zero=True)
        share = other_weights * (1 - weights)
        total = weights + share
        mixed = colors * weights[..., None] + (other + difference) * share[..., None]
        colors = np.asarray(mixed / np.maximum(total, 1e-6)[..., None], np.float32)
        weights = np.minimum(total, 1)
    rest = _carry_on(colors, weights)
    cavity = unrolled.cavity[..., None]
    rest = np.asarray(rest * (1 - cavity) + _MOUTH * cavity, np.float32)
    whole = colors * weights[..., None] + rest * (1 - weights[..., None])
    return np.clip(np.rint(whole), 0, 255).astype(np.uint8)


def _shrunk(weights: FloatArray) -> FloatArray:
    """Leave islands out, take the border of what is seen inwards a little, and soften it."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((weights > 0).astype(np.uint8))
    large = stats[:, cv2.CC_STAT_AREA] >= _ISLAND * weights.size
    large[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()) if count > 1 else 0] = True
    weights = weights * large[labels]
    side = max(3, round(len(weights) / 64) | 1)
    return np.minimum(weights, cv2.blur(cv2.erode(weights, np.ones((side, side))), (side, side)))


def _carry_on(values: FloatArray, weights: FloatArray, *, towards_zero: bool = False) -> FloatArray:
    """Continue weighted values over the whole map, smoothly: a pyramid of weighted means.

    Down, each level averages what is known; up, what is missing is taken from the coarser level.
    """
    sums: list[FloatArray] = [np.asarray(values * weights[..., None], np.float32)]
    amounts: list[FloatArray] = [np.asarray(weights, np.float32)]
    while min(amounts[-1].shape) > 2:
        sums.append(np.asarray(cv2.pyrDown(sums[-1]), np.float32))
        amounts.append(np.asarray(cv2.pyrDown(amounts[-1]), np.float32))
    least = _NO_DIFFERENCE if towards_zero else 1e-9
    out = sums[-1] / np.maximum(amounts[-1], least)[..., None]
    for total, amount in zip(sums[-2::-1], amounts[-2::-1], strict=True):
        coarse = cv2.pyrUp(out, dstsize=(total.shape[1], total.shape[0]))
        known = np.minimum(amount * 4, 1)[..., None]
        out = known * total / np.maximum(amount, 1e-6)[..., None] + (1 - known) * coarse
    return np.asarray(out, np.float32)
