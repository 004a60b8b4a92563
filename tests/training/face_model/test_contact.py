import numpy as np
import pytest

from training.face_model.contact import closing_operator, make_slit


@pytest.fixture
def plate() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A plate with a lens-shaped hole around the x axis."""
    n, rings = 32, 6
    angle = 2 * np.pi * np.arange(n) / n
    x = np.concatenate(
        [np.stack([np.cos(angle) * (1 + r), np.sin(angle) * (0.2 + r), 0 * angle], 1)
         for r in np.linspace(0, 2, rings)]
    )  # fmt: skip
    tri = []
    for r in range(rings - 1):
        for k in range(n):
            a, b = r * n + k, r * n + (k + 1) % n
            tri += [(a, a + n, b), (b, a + n, b + n)]
    return x, np.array(tri), np.arange(n)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_slit_closes(plate: tuple[np.ndarray, np.ndarray, np.ndarray], share: float) -> None:
    x, tri, loop = plate
    slit = make_slit(loop, x)
    assert np.abs(slit.gap(x)[1:-1, 1]).min() > 0.05
    closed = closing_operator(slit, tri, x, reach=1.5, upper_share=share) @ x
    assert np.abs(slit.gap(closed)).max() < 0.01
    moved = np.linalg.norm(closed - x, axis=1)
    if share == 0:
        assert moved[slit.upper[1:-1]].max() < 1e-9
    assert moved[-32:].max() < 1e-9, "the far border moved"
    assert moved[32:64].max() > 0.01, "the change does not spread"


def test_corners_stay_where_they_are(plate: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    x, tri, loop = plate
    slit = make_slit(loop, x)
    closed = closing_operator(slit, tri, x, reach=1.5, upper_share=0.5) @ x
    assert slit.upper[0] == slit.lower[0] and slit.upper[-1] == slit.lower[-1]
    np.testing.assert_allclose(closed[slit.upper[[0, -1]]], x[slit.upper[[0, -1]]], atol=1e-4)
