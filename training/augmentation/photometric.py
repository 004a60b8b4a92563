"""Make pictures worse, the way cameras, networks and weather do; tensor arithmetic throughout.

All functions take and give float pictures (n, 3, h, w), BGR, 0..255.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Generator, Tensor
from torch.nn.functional import conv2d, grid_sample, interpolate, pad

BLOCK = 8
# Tables K.1 and K.2 of the JPEG standard (ITU-T T.81).
LUMA_STEPS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMA_STEPS = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
TO_YCC = ((0.114, 0.587, 0.299), (0.5, -0.331264, -0.168736), (-0.081312, -0.418688, 0.5))


@dataclass(frozen=True)
class PhotometricSettings:
    """Shares and strengths of each change; strengths are standard deviations where not ranges."""

    low_resolution: float = 0.25
    resolution: tuple[float, float] = (0.22, 0.75)
    blur: float = 0.15
    blur_sigma: tuple[float, float] = (0.6, 2.0)
    jpeg: float = 0.15
    jpeg_quality: tuple[float, float] = (15.0, 70.0)
    gray: float = 0.12
    noise: float = 0.15
    noise_sigma: tuple[float, float] = (2.0, 12.0)
    gamma: float = 0.25
    contrast: float = 0.2
    brightness: float = 0.1
    channel_gain: float = 0.07


def degrade(images: Tensor, settings: PhotometricSettings, generator: Generator) -> Tensor:
    """Return the pictures after all changes, each drawn for each picture by itself."""
    n, device = len(images), images.device

    def chosen(share: float) -> Tensor:
        return torch.nonzero(torch.rand(n, generator=generator, device=device) < share)[:, 0]

    def between(bounds: tuple[float, float], count: int) -> Tensor:
        draw = torch.rand(count, generator=generator, device=device)
        return bounds[0] + draw * (bounds[1] - bounds[0])

    images = images.clone()
    for index, change, bounds in (
        (chosen(settings.low_resolution), reduce_resolution, settings.resolution),
        (chosen(settings.blur), blur, settings.blur_sigma),
        (chosen(settings.jpeg), compress, settings.jpeg_quality),
    ):
        if len(index):
            worse = change(images.index_select(0, index), between(bounds, len(index)))
            images.index_copy_(0, index, worse)
    images = _tone(images, settings, generator)
    index = chosen(settings.gray)
    images.index_copy_(0, index, to_gray(images.index_select(0, index)))
    index = chosen(settings.noise)
    sigma = between(settings.noise_sigma, len(index))[:, None, None, None]
    shape = (len(index), *images.shape[1:])
    images[index] += sigma * torch.randn(shape, generator=generator, device=device)
    return images.clamp_(0, 255)


def _tone(images: Tensor, settings: PhotometricSettings, generator: Generator) -> Tensor:
    """Apply gamma, contrast, brightness and a gain per channel, in place."""
    n, device = len(images), images.device

    def normal(sigma: float, channels: int = 1) -> Tensor:
        draw = torch.randn(n, channels, 1, 1, generator=generator, device=device)
        return draw * sigma

    # A power by way of the logarithm, which is faster.
    images = images.div_(255).clamp_(1e-4, 1).log_().mul_(normal(settings.gamma).exp()).exp_()
    gain = 255 * normal(settings.contrast).exp() * normal(settings.channel_gain, 3).exp()
    shift = (normal(settings.brightness) + 0.5) * 255
    return images.mul_(gain).add_(shift - gain / 2).clamp_(0, 255)


def to_gray(images: Tensor) -> Tensor:
    """Return the luma in all channels."""
    weights = images.new_tensor(TO_YCC[0])[:, None, None]
    return (images * weights).sum(dim=1, keepdim=True).expand_as(images)


def reduce_resolution(images: Tensor, factor: Tensor) -> Tensor:
    """Scale each picture down by its own factor (n,) in (0, 1) and up again, bilinearly.

    A blur by the coarse pixel's width stands for the mean over its area; then the coarse grid's
    nodes are read and interpolated.
    """
    side = images.shape[-1]
    coarse = (side * factor).round().clamp_min(4)
    images = blur(images, 0.35 * side / coarse)
    most = int(coarse.max())
    node = torch.arange(most, device=images.device) + 0.5
    down = (2 * node / coarse[:, None]).clamp_max(2.0) - 1
    small = grid_sample(images, _lattice(down), padding_mode="border", align_corners=False)
    edge = torch.arange(side, device=images.device) + 0.5
    place = (edge / side * coarse[:, None]).clamp_min(0.5)
    place = torch.minimum(place, coarse[:, None] - 0.5)
    up = 2 * place / most - 1
    return grid_sample(small, _lattice(up), padding_mode="border", align_corners=False)


def _lattice(place: Tensor) -> Tensor:
    """Return sampling grids (n, k, k, 2) from places (n, k) along both axes."""
    n, k = place.shape
    x = place[:, None, :].expand(n, k, k)
    return torch.stack([x, x.transpose(1, 2)], dim=3)


def blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Blur each picture with its own Gaussian, sigma (n,) in pixels."""
    n, channels, height, width = images.shape
    radius = max(1, math.ceil(2.5 * float(sigma.max())))
    offset = torch.arange(-radius, radius + 1, device=images.device)
    kernel = torch.exp(-0.5 * (offset / sigma[:, None]) ** 2)
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(channels, 0)
    planes = images.reshape(1, n * channels, height, width)
    planes = pad(planes, (radius,) * 4, mode="reflect")
    planes = conv2d(planes, kernel[:, None, None, :], groups=n * channels)
    planes = conv2d(planes, kernel[:, None, :, None], groups=n * channels)
    return planes.reshape(images.shape)


def compress(images: Tensor, quality: Tensor) -> Tensor:
    """Compress as JPEG does with the given quality (n,): color at half the size, 8x8 DCT, rounding.

    Sides must be multiples of 8.
    """
    matrix = images.new_tensor(TO_YCC)
    ycc = torch.einsum("kc,nchw->nkhw", matrix, images)
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    tables = images.new_tensor((LUMA_STEPS, CHROMA_STEPS))
    steps = ((tables * scale[:, None, None, None] + 50) / 100).floor().clamp(1, 255)
    luma = _quantize(ycc[:, :1] - 128, steps[:, :1]) + 128
    side = ycc.shape[-1]
    half = side // 2
    chroma = interpolate(ycc[:, 1:], size=(half, half), mode="area")
    chroma = pad(chroma, (0, -half % BLOCK, 0, -half % BLOCK), mode="replicate")
    chroma = _quantize(chroma, steps[:, 1:])[:, :, :half, :half]
    chroma = interpolate(chroma, size=(side, side), mode="bilinear", align_corners=False)
    inverse = torch.linalg.inv(matrix)
    return torch.einsum("ck,nkhw->nchw", inverse, torch.cat([luma, chroma], dim=1)).clamp(0, 255)


def _quantize(planes: Tensor, steps: Tensor) -> Tensor:
    n, c, height, width = planes.shape
    blocks = planes.reshape(n, c, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    dct = _dct_matrix().to(planes)
    spectrum = torch.einsum("ui,ncyixj,vj->ncyuxv", dct, blocks, dct)
    step = steps[:, :, None, :, None, :]
    spectrum = (spectrum / step).round() * step
    return torch.einsum("ui,ncyuxv,vj->ncyixj", dct, spectrum, dct).reshape(planes.shape)


@lru_cache(maxsize=1)
def _dct_matrix() -> Tensor:
    """Return the orthonormal DCT-II of length 8."""
    k = torch.arange(BLOCK, dtype=torch.float64)
    matrix = torch.cos(math.pi * k[:, None] * (2 * k + 1) / (2 * BLOCK)) * (2 / BLOCK) ** 0.5
    matrix[0] /= 2**0.5
    return matrix
