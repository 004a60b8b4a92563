"""Depthwise convolution and batch normalization of training, fused, for the CPU.

PyTorch reads and writes each activation of a depthwise-separable network some forty times a step:
convolution, normalization and ReLU are passes of their own, forward and backward, and for so few
operations per number a CPU waits for its memory. Here a layer's input is normalized while it is
convolved, its sums are taken while it is written, and activations may be bfloat16, half as large.

A layer's output before normalization is called raw; its value is ``relu(raw * scale + shift)``.
All activations are tensors (n, height, width, C), float32 or bfloat16, contiguous.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

import training.cpu._separable as kernel

FloatArray = npt.NDArray[np.float32]
EPSILON = 1e-5
TAPS = 9
LANES = 16
"""The number of channels must be a multiple of this."""


@dataclass(frozen=True)
class Moments:
    """What batch normalization makes of a raw layer.

    Attributes
    ----------
    norm : ndarray, shape (3, C), float32
        Scale, shift and mean.
    mean, variance, inverse_std : ndarray, shape (C,), float64
    count : int
        Values per channel.
    """

    norm: FloatArray
    mean: npt.NDArray[np.float64]
    variance: npt.NDArray[np.float64]
    inverse_std: npt.NDArray[np.float64]
    count: int


def moments(raw: Tensor) -> npt.NDArray[np.float64]:
    """Return sums and sums of squares (2, C) over all places."""
    total = np.zeros((2, raw.shape[-1]))
    kernel.moments(_rows(raw), total)
    return total


def batch_moments(
    total: npt.NDArray[np.float64], count: int, gamma: Tensor, beta: Tensor
) -> Moments:
    """Return the normalization of a layer by its own batch.

    Parameters
    ----------
    total : ndarray, shape (2, C)
        Sums and sums of squares.
    count : int
        Values per channel.
    gamma, beta : Tensor, shape (C,)
        The learned scale and shift.
    """
    mean = total[0] / count
    variance = np.maximum(total[1] / count - mean**2, 0.0)
    inverse = 1 / np.sqrt(variance + EPSILON)
    scale = gamma.detach().double().numpy() * inverse
    shift = beta.detach().double().numpy() - mean * scale
    norm = np.ascontiguousarray([scale, shift, mean], np.float32)
    return Moments(norm, mean, variance, inverse, count)


def normalize(raw: Tensor, norm: FloatArray, value: Tensor) -> None:
    """Write a layer's values into `value`."""
    kernel.normalize(_rows(raw), norm, _rows(value))


def depthwise(
    raw: Tensor, norm: FloatArray, weight: Tensor, stride: int, out: Tensor
) -> npt.NDArray[np.float64]:
    """Convolve a layer's values, padded by one zero, with a 3x3 kernel per channel.

    Parameters
    ----------
    raw : Tensor, shape (n, h, w, C)
    norm : ndarray, shape (3, C)
    weight : Tensor, shape (C, 1, 3, 3)
    stride : int
        1 or 2.
    out : Tensor, shape (n, ceil(h / stride), ceil(w / stride), C)

    Returns
    -------
    ndarray, shape (2, C)
        Sums and sums of squares of what was written.
    """
    total = np.zeros((2, raw.shape[-1]))
    kernel.depthwise(_array(raw), norm, _taps(weight), stride, _array(out), total)
    return total


def depthwise_back(
    raw: Tensor, norm: FloatArray, weight: Tensor, stride: int, gradient: Tensor, to: Tensor
) -> tuple[Tensor, npt.NDArray[np.float64]]:
    """Go back through `depthwise`.

    Parameters
    ----------
    gradient : Tensor
        Of what `depthwise` wrote.
    to : Tensor, like `raw`
        Receives the gradient of the values, 0 where the ReLU cut them.

    Returns
    -------
    weight_gradient : Tensor, shape (C, 1, 3, 3), float32
    total : ndarray, shape (2, C)
        As `gradient_moments` gives it for `to`.
    """
    channels = raw.shape[-1]
    weights, total = np.zeros((TAPS, channels)), np.zeros((2, channels))
    kernel.depthwise_back(
        _array(raw), norm, _taps(weight), stride, _array(gradient), _array(to), weights, total
    )
    return torch.from_numpy(weights.T.astype(np.float32)).reshape(weight.shape), total


def gradient_moments(raw: Tensor, gradient: Tensor, norm: FloatArray) -> npt.NDArray[np.float64]:
    """Return the sums (2, C) of g and g·(raw - mean), g the gradient where the value is not 0."""
    total = np.zeros((2, raw.shape[-1]))
    kernel.gradient_moments(_rows(raw), _rows(gradient), norm, total)
    return total


def normalize_back(
    raw: Tensor, gradient: Tensor, total: npt.NDArray[np.float64], moments: Moments, gamma: Tensor
) -> tuple[Tensor, Tensor]:
    """Turn the gradient of a layer's values into that of its raw numbers, in place.

    With x̂ = (raw - mean) / std and g the gradient where the value is not 0 (Ioffe and Szegedy,
    "Batch Normalization", ICML 2015)::

        d raw = gamma / std · (g - mean(g) - x̂·mean(g·x̂))

    Returns
    -------
    gamma_gradient, beta_gradient : Tensor, shape (C,), float32
    """
    inverse = moments.inverse_std
    factor = gamma.detach().double().numpy() * inverse
    rows = [factor, total[0] / moments.count, inverse**2 * total[1] / moments.count]
    terms = np.ascontiguousarray(rows, np.float32)
    kernel.denormalize(_rows(raw), _rows(gradient), moments.norm, terms)
    both = (total[1] * inverse, total[0])
    gamma_gradient, beta_gradient = (torch.from_numpy(g.astype(np.float32)) for g in both)
    return gamma_gradient, beta_gradient


def _array(activation: Tensor) -> npt.NDArray[np.float32] | npt.NDArray[np.uint16]:
    if activation.dtype == torch.bfloat16:
        return activation.view(torch.uint16).numpy()
    if activation.dtype == torch.float32:
        return activation.numpy()
    raise TypeError(f"activation: expected float32 or bfloat16, got {activation.dtype}")


def _rows(activation: Tensor) -> npt.NDArray[np.float32] | npt.NDArray[np.uint16]:
    return _array(activation.view(-1, activation.shape[-1]))


def _taps(weight: Tensor) -> FloatArray:
    """Return a kernel (C, 1, 3, 3) as (9, C)."""
    taps = weight.detach().float().numpy().reshape(-1, TAPS).T
    return np.ascontiguousarray(taps, np.float32)
