import numpy as np
import pytest
import torch

from training.regressor import losses
from training.regressor.basis import compressed_basis, landmark_basis, mirror_matrix, vertex_basis


@pytest.fixture
def pair(labels):
    """Parameters and truth of six faces in double precision."""
    camera = torch.from_numpy(labels.camera[:6]).double().flatten(1)
    truth = torch.cat([camera, torch.from_numpy(labels.alpha[:6]).double()], dim=1)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(truth.shape, generator=generator, dtype=torch.float64)
    step = torch.full((62,), 0.3, dtype=torch.float64)
    step[:12] = torch.tensor([0.02, 0.02, 0.02, 1.5] * 3)
    return truth + noise * step, truth


def double(basis):
    return type(basis)(*(part.double() for part in vars(basis).values()))


@pytest.fixture
def whole(model):
    return double(vertex_basis(model, np.arange(model.n_vertices)))


@pytest.fixture
def mesh(model):
    return double(compressed_basis(model))


def test_compressed_mesh_gives_the_whole_mesh_distance(pair, whole, mesh, model):
    params, truth = pair
    assert mesh.mean.shape[0] <= 154 < model.n_vertices
    expected = losses.vdc(params, truth, whole) / model.n_vertices
    torch.testing.assert_close(losses.vdc(params, truth, mesh), expected, rtol=1e-5, atol=0)


def test_compressed_mesh_takes_weights(pair, whole, model):
    params, truth = pair
    weights = np.random.default_rng(0).uniform(0, 2, model.n_vertices)
    mesh = double(compressed_basis(model, weights))
    squares = (whole.vertices(losses.set_depth(params, truth)) - whole.vertices(truth)).square()
    expected = (squares.sum(dim=2) * torch.from_numpy(weights)).sum(dim=1).mean()
    torch.testing.assert_close(losses.vdc(params, truth, mesh), expected, rtol=1e-5, atol=0)


def test_depth_translation_costs_nothing(pair, mesh):
    _, truth = pair
    moved = truth.clone()
    moved[:, losses.T_Z] += 50
    assert losses.vdc(moved, truth, mesh) == 0
    assert losses.distance(moved, truth, mesh) == pytest.approx(losses.SOFTENING**0.5)
    assert not losses.fwpdc_weights(moved, truth, mesh)[:, losses.T_Z].any()


def test_fast_weights_are_those_of_the_definition(pair, whole):
    """Brute force: exchange one parameter at a time and measure how far the mesh moves."""
    params, truth = pair
    params = losses.set_depth(params, truth)
    slow = torch.empty_like(params)
    for i in range(params.shape[1]):
        single = truth.clone()
        single[:, i] = params[:, i]
        slow[:, i] = (whole.vertices(single) - whole.vertices(truth)).square().sum((1, 2)).sqrt()
    slow /= slow.amax(dim=1, keepdim=True)
    fast = losses.fwpdc_weights(params, truth, whole)
    torch.testing.assert_close(fast, slow, rtol=1e-5, atol=1e-7)


def test_fast_weights_agree_on_the_compressed_mesh(pair, whole, mesh):
    params, truth = pair
    torch.testing.assert_close(
        losses.fwpdc_weights(params, truth, mesh),
        losses.fwpdc_weights(params, truth, whole),
        rtol=1e-4,
        atol=1e-6,
    )


@pytest.mark.parametrize("name", ["vdc", "distance", "openings", "landmark_regression"])
def test_gradients_match_finite_differences(name, pair, mesh, model):
    params, truth = (part[:2] for part in pair)
    marks = double(landmark_basis(model))
    functions = {
        "vdc": lambda p: losses.vdc(p, truth, mesh),
        "distance": lambda p: losses.distance(p, truth, marks),
        "openings": lambda p: losses.openings(p, truth, marks),
        "landmark_regression": lambda p: losses.landmark_regression(p, truth, marks),
    }
    if name == "landmark_regression":
        params = torch.rand(2, 136, dtype=torch.float64)
    assert torch.autograd.gradcheck(functions[name], params.clone().requires_grad_())


def test_gradient_of_fwpdc_matches_finite_differences_with_weights_held(pair, mesh):
    params, truth = pair
    std = truth.std(dim=0) + 0.1
    output, target = params / std, truth / std
    weights = losses.fwpdc_weights(params, truth, mesh)
    variable = output.clone().requires_grad_()
    losses.fwpdc(variable, target, params, truth, mesh).backward()

    def held(z):
        return (weights * (z - target)).square().sum(dim=1).mean()

    step = 1e-6
    numeric = torch.empty_like(output)
    for index in np.ndindex(*output.shape):
        ahead, behind = output.clone(), output.clone()
        ahead[index] += step
        behind[index] -= step
        numeric[index] = (held(ahead) - held(behind)) / (2 * step)
    torch.testing.assert_close(variable.grad, numeric, rtol=1e-5, atol=1e-8)


def test_balanced_terms_count_alike_and_ratio_has_no_gradient():
    main = torch.tensor(4.0, requires_grad=True)
    other = torch.tensor(0.5, requires_grad=True)
    total = losses.balanced(main, other)
    total.backward()
    assert total.item() == pytest.approx(8.0)
    assert (main.grad.item(), other.grad.item()) == pytest.approx((1.0, 8.0))


def test_mirrored_coefficients_give_the_mirrored_face(model, labels):
    whole = vertex_basis(model, np.arange(model.n_vertices))
    alpha = torch.from_numpy(labels.alpha[:4])
    flip = mirror_matrix(model)
    found = whole.shapes(alpha @ flip.T)
    expected = whole.shapes(alpha)[:, model.mirror] * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-2)


def test_blendshapes_count_in_their_deviations_and_only_where_known():
    true = torch.tensor([[0.2, 0.5], [float("nan"), 0.5]])
    found = torch.tensor([[0.4, 0.5], [0.9, 0.1]], requires_grad=True)
    spread = torch.tensor([0.05, 0.15])
    loss = losses.blendshape_distance(found, true, spread)
    assert loss.item() == pytest.approx((0.2**2 / 0.1 + 0.4**2 / 0.2) / 4)
    loss.backward()
    assert torch.isfinite(found.grad).all() and found.grad[1, 0] == 0
