import numpy as np
import pytest

from training.face_model.unwrap import rim_loop, signed_areas, tutte, unwrap


def cap(n: int = 15) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A deep cap, symmetric about x = 0, counter-clockwise from outside (+z)."""
    g = np.linspace(-1, 1, n)
    s, t = (a.ravel() for a in np.meshgrid(g, g))
    x = np.stack(
        [np.sin(1.9 * s) * np.cos(t), np.sin(1.4 * t), np.cos(1.9 * s) * np.cos(1.4 * t)], 1
    )
    i = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    tri = np.concatenate([np.stack([i, i + 1, i + n], 1), np.stack([i + 1, i + n + 1, i + n], 1)])
    mirror = (np.arange(n * n).reshape(n, n)[:, ::-1]).ravel()
    return x, tri, mirror


def test_rim_is_the_border() -> None:
    _, tri, _ = cap(5)
    assert len(rim_loop(tri)) == 16


def test_two_rims_are_refused() -> None:
    tri = np.array([[0, 1, 2], [3, 4, 5]])
    with pytest.raises(ValueError, match="more than one"):
        rim_loop(tri)


def test_tutte_has_no_flip() -> None:
    x, tri, _ = cap()
    assert signed_areas(tutte(x, tri), tri).min() > 0


def test_unwrapping_is_flip_free_symmetric_and_upright() -> None:
    x, tri, mirror = cap()
    uv = unwrap(x, tri, mirror, np.ones(len(tri)))
    assert signed_areas(uv, tri).min() > 0
    assert uv.min() >= 0 and uv.max() <= 1
    np.testing.assert_allclose(uv[mirror], uv * [-1, 1] + [1, 0], atol=1e-9)
    assert np.corrcoef(uv[:, 1], x[:, 1])[0, 1] > 0.9


def test_scale_makes_a_part_smaller() -> None:
    x, tri, mirror = cap()
    upper = x[tri].mean(1)[:, 1] > 0.3
    share = [
        signed_areas(uv, tri)[upper].sum() / signed_areas(uv, tri).sum()
        for uv in (unwrap(x, tri, mirror, np.where(upper, s, 1.0)) for s in (1.0, 0.5))
    ]
    assert share[1] < 0.6 * share[0]
