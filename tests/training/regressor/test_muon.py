"""Muon's steps."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from tddfa.errors import InputError
from tddfa.memory_layout import channels_last
from training.regressor.muon import Muon, Together, is_matrix, orthogonalized
from training.regressor.steps import OptimizerSettings, make_optimizer


@pytest.mark.parametrize("shape", [(5, 5), (40, 8), (8, 40), (1, 7)])
def test_singular_values_end_around_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    values = torch.linalg.svdvals(orthogonalized(matrix))
    assert shape[0] == shape[1] or values.min() > 0.5  # a square one may hold a tiny value
    assert values.max() < 1.3


def test_nothing_stays_nothing() -> None:
    assert not orthogonalized(torch.zeros(4, 3)).any()


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((8, 4), True),
        ((8, 4, 1, 1), True),
        ((8, 1, 3, 3), False),
        ((8,), False),
        ((8, 3, 3, 3), False),
    ],
)
def test_matrices_are_told_from_other_parameters(shape: tuple[int, ...], wanted: bool) -> None:
    assert is_matrix(torch.zeros(shape)) is wanted


@pytest.mark.parametrize("layout", [nn.Identity(), channels_last])
def test_a_pointwise_kernel_moves_as_torchs_own_muon_moves_its_matrix(
    layout: Callable[[nn.Module], nn.Module],
) -> None:
    generator = torch.Generator().manual_seed(0)
    layer = nn.Conv2d(32, 64, 1, bias=False)
    layout(layer)
    kernel = nn.Parameter(layer.weight.detach())
    matrix = nn.Parameter(kernel.detach().flatten(1).clone())
    theirs = torch.optim.Muon([matrix], 1e-2, 0.1, adjust_lr_fn="match_rms_adamw")
    ours = Muon([kernel], 1e-2, weight_decay=0.1)
    start = matrix.detach().clone()
    for _ in range(20):
        matrix.grad = torch.randn(64, 32, generator=generator)
        kernel.grad = matrix.grad.view(64, 32, 1, 1).clone()
        theirs.step()
        ours.step()
    moved = (matrix - start).norm()
    assert (matrix - kernel.flatten(1)).norm() < 0.02 * moved  # theirs is in bfloat16


def test_bfloat16_and_threads_take_the_same_steps() -> None:
    generator = torch.Generator().manual_seed(3)
    shapes = [(12, 40, 1, 1), (40, 12, 1, 1), (30, 30, 1, 1)]
    starts = [torch.randn(shape, generator=generator) for shape in shapes]
    plain = [nn.Parameter(start.clone()) for start in starts]
    pooled = [nn.Parameter(start.clone()) for start in starts]
    quick = [nn.Parameter(start.clone()) for start in starts]
    with ThreadPoolExecutor(2) as pool:
        optimizers = [
            Muon(plain, 1e-2),
            Muon(pooled, 1e-2, mapping=pool.map),
            Muon(quick, 1e-2, dtype=torch.bfloat16),
        ]
        for _ in range(5):
            for parameters in zip(plain, pooled, quick, strict=True):
                gradient = torch.randn(parameters[0].shape, generator=generator)
                for parameter in parameters:
                    parameter.grad = gradient
            for optimizer in optimizers:
                optimizer.step()
    for start, one, two, three in zip(starts, plain, pooled, quick, strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=0)
        assert 0 < (one - three).norm() < 0.05 * (one - start).norm()


def network() -> nn.Sequential:
    """Return a kernel, its normalization, and a linear head."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 1),
        nn.BatchNorm2d(8),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    )


@pytest.mark.parametrize("name", ["adamw", "muon", "sgd"])
def test_every_parameter_is_moved_by_just_one_optimizer(name: str) -> None:
    net = network()
    optimizer = make_optimizer(net, OptimizerSettings(name=name))
    moved = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(moved) == sorted(id(p) for p in net.parameters())


def test_muon_moves_kernels_and_adamw_the_head() -> None:
    net = network()
    optimizer = make_optimizer(net, OptimizerSettings(name="muon"))
    assert isinstance(optimizer, Together)
    adam, muon = optimizer.optimizers
    assert [p is net[0].weight for group in muon.param_groups for p in group["params"]] == [True]
    assert any(p is net[4].weight for group in adam.param_groups for p in group["params"])


def test_a_state_goes_on_where_it_was_saved() -> None:
    images = torch.randn(6, 3, 5, 5, generator=torch.Generator().manual_seed(2))

    def steps(net: nn.Module, optimizer: torch.optim.Optimizer | Together, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            net(images).square().sum().backward()
            optimizer.step()

    torch.manual_seed(0)
    whole, settings = network(), OptimizerSettings(name="muon")
    first = network()
    first.load_state_dict(whole.state_dict())
    through, before = make_optimizer(whole, settings), make_optimizer(first, settings)
    steps(whole, through, 4)
    steps(first, before, 2)
    second = network()
    second.load_state_dict(first.state_dict())
    after = make_optimizer(second, settings)
    after.load_state_dict(before.state_dict())
    steps(second, after, 2)
    for a, b in zip(whole.state_dict().values(), second.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b)


def test_an_unknown_optimizer_is_named() -> None:
    with pytest.raises(InputError, match="adamw, muon or sgd, got 'lion'"):
        make_optimizer(network(), OptimizerSettings(name="lion"))
