"""MobileNet's features for training on a CPU, three times as fast as layer by layer.

The whole backbone is one function of automatic differentiation, made of the loops in `separable`
and of matrix products; see there for why. It computes what `MobileNet.features` computes in
training mode. With bfloat16 activations matrix products use the processor's AMX or AVX-512 units
where it has them; weights and their gradients stay float32.

::

    images -conv1-> raw -dw-> raw -normalize-> value -matrix product-> raw -dw-> ... -> features
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from tddfa.backbones.mobilenet import MobileNet, SeparableBlock
from training.cpu import separable
from training.cpu.separable import Moments


class Workspace:
    """Activations that are kept from step to step: the system clears fresh memory page by page.

    Attributes
    ----------
    statistics : list of (BatchNorm2d, Moments)
        What the last batch was normalized by, for `update_statistics`.
    """

    def __init__(self) -> None:
        self.statistics: list[tuple[nn.BatchNorm2d, Moments]] = []
        self._tensors: dict[str, Tensor] = {}

    def tensor(self, name: str, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Return a tensor with any content."""
        size = 1
        for side in shape:
            size *= side
        kept = self._tensors.get(name)
        if kept is None or kept.numel() < size or kept.dtype != dtype:
            self._tensors[name] = kept = torch.empty(size, dtype=dtype)
        return kept[:size].view(shape)


def backbone_parameters(network: MobileNet) -> list[nn.Parameter]:
    """Return the parameters that the features depend on, in the order of `fused_features`."""
    layers: list[nn.Module] = [network.conv1, network.bn1]
    for block in _blocks(network):
        layers += [block.conv_dw, block.bn_dw, block.conv_sep, block.bn_sep]
    return [parameter for layer in layers for parameter in layer.parameters()]


def fused_features(
    network: MobileNet, images: Tensor, dtype: torch.dtype, workspace: Workspace
) -> Tensor:
    """Return pooled features (n, 1024 * width) of pictures (n, 3, h, w), in training mode.

    Parameters
    ----------
    network : MobileNet
        `update_statistics` moves its running statistics.
    images : Tensor
    dtype : torch.dtype
        Of activations: float32 or bfloat16.
    workspace : Workspace
        Belongs to this call until its gradients are computed; one for each thread.
    """
    features: Tensor = _Backbone.apply(
        images, network, dtype, workspace, *backbone_parameters(network)
    )
    return features


def update_statistics(workspace: Workspace) -> None:
    """Move the running statistics by the last batch, as PyTorch does in training mode."""
    for layer, moments in workspace.statistics:
        assert layer.running_mean is not None and layer.running_var is not None
        share = layer.momentum or 0.0
        unbiased = moments.variance * (moments.count / max(1, moments.count - 1))
        layer.running_mean.lerp_(torch.from_numpy(moments.mean).float(), share)
        layer.running_var.lerp_(torch.from_numpy(unbiased).float(), share)


class _Backbone(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        network: MobileNet,
        dtype: torch.dtype,
        workspace: Workspace,
        *weights: Tensor,
    ) -> Tensor:
        workspace.statistics.clear()
        images = images.contiguous(memory_format=torch.channels_last)
        first = conv2d(images, network.conv1.weight, stride=2, padding=1)
        raw = first.permute(0, 2, 3, 1).contiguous().to(dtype)
        moments = _moments(raw, separable.moments(raw), network.bn1, workspace)
        layers: list[tuple[Tensor, Moments, Tensor, Moments, Tensor]] = []
        for i, block in enumerate(_blocks(network)):
            n, height, width, channels = raw.shape
            stride = block.conv_dw.stride[0]
            shape = (n, -(-height // stride), -(-width // stride), channels)
            deep = workspace.tensor(f"deep{i}", shape, dtype)
            total = separable.depthwise(raw, moments.norm, block.conv_dw.weight, stride, deep)
            deep_moments = _moments(deep, total, block.bn_dw, workspace)
            value = workspace.tensor(f"value{i}", shape, dtype)
            separable.normalize(deep, deep_moments.norm, value)
            layers.append((raw, moments, deep, deep_moments, value))
            matrix = _matrix(block, dtype)
            raw = workspace.tensor(f"raw{i}", (*shape[:3], len(matrix)), dtype)
            torch.mm(_rows(value), matrix.T, out=_rows(raw))
            moments = _moments(raw, separable.moments(raw), block.bn_sep, workspace)
        last = torch.empty_like(raw)
        separable.normalize(raw, moments.norm, last)
        ctx.network, ctx.layers, ctx.images = network, layers, images
        ctx.last, ctx.workspace = (raw, moments), workspace
        return last.float().mean(dim=(1, 2))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        network, workspace = ctx.network, ctx.workspace
        raw, moments = ctx.last
        dtype, places = raw.dtype, raw.shape[1] * raw.shape[2]
        spread = (gradients[0] / places).to(dtype)[:, None, None, :]
        gradient = spread.expand(raw.shape).contiguous()
        total = separable.gradient_moments(raw, gradient, moments.norm)
        found: list[Tensor] = []
        blocks = list(_blocks(network))
        for i in reversed(range(len(blocks))):
            block = blocks[i]
            # Behind the matrix product
            gamma = block.bn_sep.weight
            sep = separable.normalize_back(raw, gradient, total, moments, gamma)
            raw, moments, deep, deep_moments, value = ctx.layers[i]
            weight = torch.mm(_rows(gradient).T, _rows(value)).float()
            back = workspace.tensor(f"back{i % 2}", tuple(deep.shape), dtype)
            torch.mm(_rows(gradient), _matrix(block, dtype), out=_rows(back))
            # Behind the depthwise convolution
            total = separable.gradient_moments(deep, back, deep_moments.norm)
            gamma = block.bn_dw.weight
            dw = separable.normalize_back(deep, back, total, deep_moments, gamma)
            gradient = workspace.tensor(f"gradient{i % 2}", tuple(raw.shape), dtype)
            taps, total = separable.depthwise_back(
                raw, moments.norm, block.conv_dw.weight, block.conv_dw.stride[0], back, gradient
            )
            found = [taps, *dw, weight.view(block.conv_sep.weight.shape), *sep, *found]
        first = separable.normalize_back(raw, gradient, total, moments, network.bn1.weight)
        weight = torch.ops.aten.convolution_backward(
            gradient.float().permute(0, 3, 1, 2), ctx.images, network.conv1.weight,
            None, (2, 2), (1, 1), (1, 1), False, (0, 0), 1, (False, True, False),
        )[1]  # fmt: skip
        return None, None, None, None, weight, *first, *found


def _blocks(network: MobileNet) -> Iterator[SeparableBlock]:
    return (module for module in network.children() if isinstance(module, SeparableBlock))


def _rows(activation: Tensor) -> Tensor:
    return activation.view(-1, activation.shape[-1])


def _matrix(block: SeparableBlock, dtype: torch.dtype) -> Tensor:
    return block.conv_sep.weight.detach().flatten(1).to(dtype)


def _moments(raw: Tensor, total: Any, layer: nn.BatchNorm2d, workspace: Workspace) -> Moments:
    count = raw.numel() // raw.shape[-1]
    moments = separable.batch_moments(total, count, layer.weight, layer.bias)
    workspace.statistics.append((layer, moments))
    return moments
