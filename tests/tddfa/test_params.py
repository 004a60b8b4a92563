import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.params import LAYOUTS, load_parameter_scale, parse_param, split_params


@pytest.mark.parametrize("length", [0, 1, 12, 61, 63])
def test_unknown_length(length):
    with pytest.raises(InputError, match=str(length)):
        split_params(np.zeros(length))


def test_scalar():
    with pytest.raises(InputError):
        split_params(1.0)


@pytest.mark.parametrize("length", LAYOUTS)
@pytest.mark.parametrize("batch", [(), (0,), (1,), (4,)])
def test_parts_cover_the_vector_in_order(length, batch):
    vector = np.broadcast_to(np.arange(length, dtype=np.float32), (*batch, length))
    parts = split_params(vector)
    n_shape, n_exp = LAYOUTS[length]
    assert parts.linear.shape == (*batch, 3, 3)
    assert parts.offset.shape == (*batch, 3, 1)
    assert parts.shape.shape == (*batch, n_shape, 1)
    assert parts.expression.shape == (*batch, n_exp, 1)
    camera = np.concatenate([parts.linear, parts.offset], -1).reshape(*batch, 12)
    whole = np.concatenate([camera, parts.shape[..., 0], parts.expression[..., 0]], -1)
    np.testing.assert_array_equal(whole, vector)


def test_parse_param_returns_the_reference_tuple():
    linear, offset, shape, expression = parse_param(np.arange(62))
    np.testing.assert_array_equal(linear, [[0, 1, 2], [4, 5, 6], [8, 9, 10]])
    np.testing.assert_array_equal(offset, [[3], [7], [11]])
    assert shape.shape == (40, 1)
    assert expression[-1, 0] == 61


def test_scale_round_trip(tmp_path):
    generator = np.random.default_rng(0)
    mean, std = generator.normal(size=62), generator.uniform(0.5, 2, 62)
    np.savez(tmp_path / "s.npz", mean=mean, std=std)
    scale = load_parameter_scale(tmp_path / "s.npz")
    output = generator.normal(size=(3, 62)).astype(np.float32)
    params = scale.denormalize(output)
    np.testing.assert_allclose(params, output * std + mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(scale.normalize(params), output, atol=1e-5)


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"mean": np.zeros(62)}, "mean and std"),
        ({"mean": np.zeros(62), "std": np.ones(61)}, "62 and 61"),
        ({"mean": np.zeros(5), "std": np.ones(5)}, "got 5"),
        ({"mean": np.zeros(62), "std": np.zeros(62)}, "positive"),
        ({"mean": np.full(62, np.nan), "std": np.ones(62)}, "finite"),
    ],
)
def test_bad_scale(tmp_path, arrays, reason):
    np.savez(tmp_path / "s.npz", **arrays)
    with pytest.raises(InputError, match=reason):
        load_parameter_scale(tmp_path / "s.npz")


def test_scale_file_is_text(tmp_path):
    (tmp_path / "s.npz").write_text("mean: 0")
    with pytest.raises(InputError, match=r"s\.npz"):
        load_parameter_scale(tmp_path / "s.npz")
