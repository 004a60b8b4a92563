"""Cover parts of pictures: borders beyond the photo, patches, face masks.

Pictures are float (n, 3, h, w), BGR, 0..255.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from training.dataset.batch import CANVAS, Crops

# Ring over nose and lower jaw: the outline of a face mask on the 68 landmarks.
MASK_RING = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 29)


@dataclass(frozen=True)
class OcclusionSettings:
    """Shares of pictures that are covered.

    Attributes
    ----------
    fill_border : float
        Share whose black border, beyond the photo, is filled with another picture's.
    black_border : float
        Share that shows black instead where a view leaves the stored crop.
    patch : float
        Share with a rectangle of another picture or of one color over it.
    patch_side : (float, float)
        Its sides in pixels.
    face_mask : float
        Share with a mask of one color, drawn over nose, mouth and chin.
    cut : float
        Share that is black beyond a line near one side, as a face at the edge of its photo is.
    cut_depth : (float, float)
        How far that line lies inside, as a share of the picture's side.
    """

    fill_border: float = 0.6
    black_border: float = 0.4
    patch: float = 0.2
    patch_side: tuple[float, float] = (15.0, 55.0)
    face_mask: float = 0.06
    cut: float = 0.08
    cut_depth: tuple[float, float] = (0.03, 0.4)


def fill_borders(crops: Crops, settings: OcclusionSettings, generator: Generator) -> Crops:
    """Put other crops of the batch where the original photo had ended."""
    n, device = len(crops), crops.images.device
    left, top, right, bottom = crops.valid.T
    incomplete = (left > 0) | (top > 0) | (right < CANVAS) | (bottom < CANVAS)
    incomplete &= torch.rand(n, generator=generator, device=device) < settings.fill_border
    others = torch.randperm(n, generator=generator, device=device)
    index = torch.nonzero(incomplete)[:, 0]
    if not len(index):
        return crops
    edge = torch.arange(CANVAS, device=device) + 0.5
    left, top, right, bottom = crops.valid[index].float().T[:, :, None]
    rows = (edge > top) & (edge < bottom)
    # A row's pixels and channels as one axis: short axes are slow.
    columns = ((edge > left) & (edge < right)).repeat_interleave(3, 1)
    keep = rows[:, :, None] & columns[:, None, :]
    whole = crops.images.flatten(2)
    own, other = (whole.index_select(0, i) for i in (index, others[index]))
    images = whole.index_copy(0, index, torch.where(keep, own, other))
    return Crops(**{**vars(crops), "images": images.view(crops.images.shape)})


def cover(
    images: Tensor,
    points: Tensor,
    inside: Tensor,
    settings: OcclusionSettings,
    generator: Generator,
) -> Tensor:
    """Put borders, patches and masks onto the pictures, in place, and return them.

    Parameters
    ----------
    images : Tensor, shape (n, 3, h, w)
    points : Tensor, shape (n, 68, 2)
        Landmarks in pixels, y down.
    inside : Tensor, shape (n, 1, h, w), bool
        False where a view leaves its stored crop.
    """
    n, _, height, width = images.shape
    device = images.device

    def drawn(share: float) -> Tensor:
        chosen = torch.rand(n, generator=generator, device=device) < share
        return torch.nonzero(chosen)[:, 0]

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, device=device)

    index = drawn(settings.black_border)
    images.index_copy_(0, index, images.index_select(0, index) * inside[index])
    y, x = torch.meshgrid(
        torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
    )
    wearers = drawn(settings.face_mask)
    if len(wearers):
        cloth = inside_polygon(x, y, points[wearers][:, list(MASK_RING)])[:, None]
        # A plain cloth is shaded by the face below: keep a little of the picture's light.
        color = uniform(len(wearers), 3, 1, 1) * 255
        bare = images[wearers]
        images[wearers] = torch.where(cloth, 0.8 * color + 0.2 * bare, bare)
    index = drawn(settings.cut)
    if len(index):
        low, high = settings.cut_depth
        depth = low + uniform(len(index), 1, 1) * (high - low)
        sides = torch.stack([x / width, 1 - (x + 1) / width, y / height, 1 - (y + 1) / height])
        side = torch.randint(4, (len(index),), generator=generator, device=device)
        kept = sides[side] >= depth
        images.index_copy_(0, index, images.index_select(0, index) * kept[:, None])
    index = drawn(settings.patch)
    count = len(index)
    if not count:
        return images
    low, high = settings.patch_side
    size = low + uniform(2, count, 1, 1) * (high - low)
    limit = torch.tensor([width, height], device=device)[:, None, None, None] - size
    corner = uniform(2, count, 1, 1) * limit
    within = (x >= corner[0]) & (x < corner[0] + size[0])
    within &= (y >= corner[1]) & (y < corner[1] + size[1])
    source = torch.randint(n, (count,), generator=generator, device=device)
    other = images.index_select(0, source).roll((31, 47), (2, 3))
    plain = (uniform(count, 3, 1, 1) * 255).expand_as(other)
    filling = torch.where(uniform(count, 1, 1, 1) < 0.6, other, plain)
    covered = torch.where(within[:, None], filling, images.index_select(0, index))
    images.index_copy_(0, index, covered)
    return images


def inside_polygon(x: Tensor, y: Tensor, ring: Tensor) -> Tensor:
    """Return which points (h, w) lie inside each polygon (n, k, 2), by counting crossings."""
    inside = torch.zeros((len(ring), *x.shape), dtype=torch.bool, device=x.device)
    ahead = ring.roll(-1, dims=1)
    for i in range(ring.shape[1]):
        x0, y0 = ring[:, i].T[:, :, None, None]
        x1, y1 = ahead[:, i].T[:, :, None, None]
        crosses = (y0 > y) != (y1 > y)
        slope = (x1 - x0) / torch.where(y1 == y0, torch.ones_like(y0), y1 - y0)
        inside ^= crosses & (x < x0 + slope * (y - y0))
    return inside
