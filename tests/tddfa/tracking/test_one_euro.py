import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tddfa.errors import InputError
from tddfa.tracking.one_euro import OneEuro, RotationOneEuro, nearest_rotation, smoothing_factor


def rotation(yaw, pitch):
    c, s, d, t = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ [[1, 0, 0], [0, d, -t], [0, t, d]]


def test_one_euro_keeps_the_rotation_a_rotation():
    rng = np.random.default_rng(3)
    smooth = RotationOneEuro(min_cutoff=1.0, beta=0.5)
    for yaw in np.cumsum(rng.normal(size=50) * 0.3):
        turned = smooth(rotation(yaw, 0.2 * yaw), 0.04)
        np.testing.assert_allclose(turned.T @ turned, np.eye(3), atol=1e-12)
        assert np.linalg.det(turned) > 0.99


@given(st.floats(1e-3, 100), st.floats(1e-4, 10))
def test_smoothing_factor_is_a_weight(cutoff, dt):
    assert 0 < smoothing_factor(cutoff, dt) < 1


def test_one_euro_reaches_a_new_level():
    smooth = OneEuro(min_cutoff=1.0)
    values = [smooth(np.array([x]), 0.04)[0] for x in [0.0] + [1.0] * 100]
    assert (np.diff(values) >= 0).all() and values[-1] > 0.999


@pytest.mark.parametrize("keys", [{"min_cutoff": 0}, {"beta": -1}, {"derivative_cutoff": 0}])
def test_bad_filter(keys):
    with pytest.raises(InputError, match="one_euro"):
        OneEuro(**keys)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_nearest_rotation(seed):
    matrix = np.random.default_rng(seed).normal(size=(3, 3))
    turned = nearest_rotation(matrix)
    np.testing.assert_allclose(turned.T @ turned, np.eye(3), atol=1e-9)
    assert np.linalg.det(turned) > 0


@pytest.mark.parametrize("dt", [0.02, 0.04, 0.5])
def test_one_euro_is_its_formula(dt):
    """Casiez et al., CHI 2012: the cutoff grows with the smoothed speed per second."""
    values = np.random.default_rng(0).normal(size=20).cumsum()
    smooth, made = OneEuro(min_cutoff=1.2, beta=0.3, derivative_cutoff=0.8), []
    for value in values:
        made.append(smooth(np.array([value]), dt, unit=2.0)[0])

    def weight(cutoff):
        return 1 / (1 + 1 / (2 * np.pi * cutoff * dt))

    filtered, speed, expected = values[0], 0.0, [values[0]]
    for value in values[1:]:
        derivative = (value - filtered) / dt
        speed = weight(0.8) * derivative + (1 - weight(0.8)) * speed
        share = weight(1.2 + 0.3 * abs(speed) / 2.0)
        filtered = share * value + (1 - share) * filtered
        expected.append(filtered)
    np.testing.assert_allclose(made, expected, rtol=1e-9)
