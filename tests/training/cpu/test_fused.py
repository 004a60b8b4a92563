"""The fused backbone against PyTorch's layers in double precision, gradients included."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from tddfa.backbones.mobilenet import MobileNet
from training.cpu import separable
from training.cpu.fused import Workspace, fused_features, update_statistics
from training.cpu.workers import ChunkedGradients, Workers, can_fuse
from training.regressor.network import TrainingNet, initialize

PRECISION = {torch.float32: 2e-5, torch.bfloat16: 0.02}


def layer(n, side, channels, dtype, seed=0):
    """Return a raw layer, its normalization and the same in double precision."""
    generator = torch.Generator().manual_seed(seed)
    raw = (torch.randn(n, side, side, channels, generator=generator) + 0.3).to(dtype)
    gamma = torch.rand(channels, generator=generator) + 0.5
    beta = torch.randn(channels, generator=generator) * 0.3
    total = separable.moments(raw)
    return raw, separable.batch_moments(total, raw.numel() // channels, gamma, beta), gamma, beta


def reference(raw, gamma, beta):
    exact = raw.double().permute(0, 3, 1, 2).requires_grad_()
    norm = functional.batch_norm(exact, None, None, gamma.double(), beta.double(), training=True)
    return exact, norm.relu()


def relative(found, expected):
    return float((found.double() - expected).norm() / expected.norm())


@pytest.mark.parametrize("dtype", PRECISION)
@pytest.mark.parametrize(
    "n, side, channels, stride",
    [(5, 1, 16, 1), (4, 1, 16, 2), (2, 2, 16, 2), (1, 3, 48, 1), (2, 5, 32, 2), (3, 8, 16, 1)],
)
def test_depthwise_equals_batch_norm_relu_and_convolution(n, side, channels, stride, dtype):
    raw, moments, gamma, beta = layer(n, side, channels, dtype)
    weight = torch.randn(channels, 1, 3, 3, generator=torch.Generator().manual_seed(1))
    small = -(-side // stride)
    out = torch.empty(n, small, small, channels, dtype=dtype)
    total = separable.depthwise(raw, moments.norm, weight, stride, out)

    exact, _ = reference(raw, gamma, beta)
    # The kernel's own normalization: one value per channel alone has no spread to divide by.
    scale, shift, _ = (torch.from_numpy(row).double()[:, None, None] for row in moments.norm)
    value = (exact * scale + shift).relu()
    value.retain_grad()
    taps = weight.double().requires_grad_()
    expected = functional.conv2d(value, taps, stride=stride, padding=1, groups=channels)
    precision = PRECISION[dtype]
    assert relative(out.permute(0, 3, 1, 2), expected.detach()) < precision
    flat = expected.detach().permute(0, 2, 3, 1).reshape(-1, channels)
    np.testing.assert_allclose(total[0], flat.sum(0), atol=precision * float(flat.abs().sum()))
    np.testing.assert_allclose(total[1], flat.square().sum(0), rtol=0.05, atol=1e-3)

    gradient = torch.randn(out.shape, generator=torch.Generator().manual_seed(2)).to(dtype)
    expected.backward(gradient.double().permute(0, 3, 1, 2))
    back = torch.empty_like(raw)
    found, sums = separable.depthwise_back(raw, moments.norm, weight, stride, gradient, back)
    masked = value.grad * (value.detach() > 0)
    if masked.abs().sum():
        assert relative(back.permute(0, 3, 1, 2), masked) < precision
    assert relative(found, taps.grad) < precision
    expected_sums = separable.gradient_moments(raw, back, moments.norm)
    np.testing.assert_allclose(sums, expected_sums, rtol=0.02, atol=precision * 10)


@pytest.mark.parametrize("dtype", PRECISION)
def test_normalize_and_back_equal_batch_norm(dtype):
    raw, moments, gamma, beta = layer(3, 6, 32, dtype)
    exact, expected = reference(raw, gamma, beta)
    gammas = gamma.double().requires_grad_()
    betas = beta.double().requires_grad_()
    norm = functional.batch_norm(exact, None, None, gammas, betas, training=True).relu()
    value = torch.empty_like(raw)
    separable.normalize(raw, moments.norm, value)
    assert relative(value.permute(0, 3, 1, 2), expected.detach()) < PRECISION[dtype]
    gradient = torch.randn(raw.shape, generator=torch.Generator().manual_seed(2)).to(dtype)
    norm.backward(gradient.double().permute(0, 3, 1, 2))
    total = separable.gradient_moments(raw, gradient, moments.norm)
    found = separable.normalize_back(raw, gradient, total, moments, gamma)
    assert relative(gradient.permute(0, 3, 1, 2), exact.grad) < PRECISION[dtype]
    assert relative(found[0], gammas.grad) < 1e-4
    assert relative(found[1], betas.grad) < 1e-4


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = MobileNet(0.5, 62)
    initialize(network)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
    return network.train()


def test_backbone_equals_pytorch_layer_by_layer(network):
    images = torch.rand(4, 3, 60, 52, generator=torch.Generator().manual_seed(1)) * 2 - 1
    exact, plain, fused = (copy.deepcopy(network) for _ in range(3))
    exact.double()
    gradient = torch.randn(4, 512, generator=torch.Generator().manual_seed(2))
    expected = exact.features(images.double())
    expected.backward(gradient.double())
    plain.features(images).backward(gradient)
    workspace = Workspace()
    features = fused_features(fused, images, torch.float32, workspace)
    features.backward(gradient)
    assert relative(features.detach(), expected.detach()) < 1e-4
    for name, parameter in exact.named_parameters():
        if parameter.grad is None:
            continue
        # ReLUs that flip make single precision differ from double: as far as PyTorch's does.
        allowed = 5 * relative(plain.get_parameter(name).grad, parameter.grad) + 1e-3
        assert relative(fused.get_parameter(name).grad, parameter.grad) < allowed, name
    update_statistics(workspace)
    for name, buffer in exact.named_buffers():
        if "running" in name:
            assert relative(fused.get_buffer(name), buffer) < 1e-4, name


def test_bfloat16_features_stay_near(network):
    images = torch.rand(8, 3, 60, 60, generator=torch.Generator().manual_seed(1)) * 2 - 1
    exact, rough = (
        fused_features(network, images, dtype, Workspace()).detach()
        for dtype in (torch.float32, torch.bfloat16)
    )
    similarity = torch.nn.functional.cosine_similarity(exact.flatten(), rough.flatten(), dim=0)
    assert similarity > 0.95
    assert not torch.equal(exact, rough)


class SquaredSum:
    """An objective whose gradient is easily had another way."""

    def __call__(self, found, truth, main):
        total = (found.params - truth).square().sum(dim=1).mean()
        return type("Loss", (), {"total": total, "parts": {"square": total.detach()}})()


@pytest.mark.parametrize("threads", [1, 3])
def test_chunks_average_to_the_batch_whatever_the_threads(network, threads):
    before = torch.get_num_threads()
    net = TrainingNet(copy.deepcopy(network))
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(7, 3, 40, 40, generator=generator)
    truth = torch.randn(7, 62, generator=generator)
    try:
        compute = ChunkedGradients(net, SquaredSum(), Workers(threads), 3, torch.float32)
        parts = compute(images, truth, None)
    finally:
        torch.set_num_threads(before)
    gradients = [p.grad.clone() for p in net.parameters()]
    total = 0
    for part, goal in zip(images.split(3), truth.split(3), strict=True):
        output = net.regressor.fc_param(
            fused_features(net.regressor, part, torch.float32, Workspace())
        )
        total = total + (output - goal).square().sum() / 7
    total_value = total.item()
    expected = torch.autograd.grad(total, list(net.parameters()))
    assert float(parts["loss"]) == pytest.approx(total_value, rel=1e-5)
    assert float(parts["square"]) == float(parts["loss"])
    for found, other in zip(gradients, expected, strict=True):
        assert relative(found, other.double()) < 1e-3


def test_only_widths_of_whole_lanes_are_fused():
    assert can_fuse(TrainingNet(MobileNet(0.5)))
    assert not can_fuse(TrainingNet(MobileNet(0.25)))


def test_activations_of_other_kinds_are_refused():
    with pytest.raises(TypeError, match="float32 or bfloat16"):
        separable.moments(torch.zeros(1, 2, 2, 16, dtype=torch.float64))
