import importlib.util

import numpy as np
import pytest
import scipy.sparse as sp

from training.face_model.identity import align, principal_components


def test_alignment_undoes_a_similarity() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    q *= np.sign(np.linalg.det(q))
    moved = 1.7 * x @ q + [3, -2, 5]
    np.testing.assert_allclose(align(moved[None], x, np.ones(40))[0], x, atol=1e-9)


def test_alignment_does_not_reflect() -> None:
    x = np.random.default_rng(0).normal(size=(40, 3))
    out = align((x * [-1, 1, 1])[None], x, np.ones(40))[0]
    assert np.abs(out - x).max() > 0.1


def test_components_are_symmetric_or_not_at_all() -> None:
    rng = np.random.default_rng(0)
    mirror = np.array([1, 0, 3, 2, 4])
    samples = rng.normal(size=(50, 5, 3)) * [1, 2, 3]
    model = principal_components(samples, mirror, sp.identity(15).tocsr(), 6)
    c = model.components.T.reshape(6, 5, 3)
    flipped = c[:, mirror] * [-1, 1, 1]
    sign = np.where(model.symmetric, 1, -1)[:, None, None]
    np.testing.assert_allclose(flipped, sign * c, atol=1e-9)
    assert (np.diff(model.variance) <= 1e-12).all()
    both = np.concatenate([samples, samples[:, mirror] * [-1, 1, 1]]).reshape(100, -1)
    expected = np.linalg.eigvalsh(np.cov(both.T, bias=True))[::-1][:6]
    np.testing.assert_allclose(model.variance, expected, rtol=1e-9)
    assert model.total == pytest.approx(both.var(0).sum())


@pytest.mark.skipif(importlib.util.find_spec("anny") is None, reason="package anny is absent")
def test_identities_are_held() -> None:
    from training.face_model.measure import MODEL, identities, load_model

    figures = identities(load_model(MODEL), None, every=10)
    assert figures["training variance"] >= 0.94
    assert figures["held out error"] <= 0.7
