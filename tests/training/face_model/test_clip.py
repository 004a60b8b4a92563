import numpy as np
import pytest

from training.face_model.clip import clip


def grid(n: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n))
    points = np.stack([x.ravel(), y.ravel()], 1)
    i = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    return points, np.concatenate(
        [np.stack([i, i + 1, i + n], 1), np.stack([i + 1, i + n + 1, i + n], 1)]
    )


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.0, 2.2])
@pytest.mark.parametrize("offset", [0.013, 0.2, -0.4])
def test_area_is_what_the_line_leaves(angle: float, offset: float) -> None:
    points, triangles = grid(21)
    f = points @ [np.cos(angle), np.sin(angle)] - offset
    out, source, new, moved = clip(triangles, f, np.zeros(len(points), bool))
    x = points.copy()
    for i, (j, t) in moved.items():
        x[i] = (1 - t) * points[i] + t * points[j]
    # New vertices lie on edges whose ends were not moved.
    extra = [(1 - t) * points[i] + t * points[j] for i, j, t in new]
    x = np.vstack([x, *[e[None] for e in extra]])
    a, b, c = (x[out[:, k]] for k in range(3))
    d, e = b - a, c - a
    area = (d[:, 0] * e[:, 1] - d[:, 1] * e[:, 0]) / 2
    assert area.min() > 0 and len(source) == len(out)
    fine = np.stack(np.meshgrid(*[np.linspace(-1, 1, 1001)] * 2), -1)
    kept = (fine @ [np.cos(angle), np.sin(angle)] > offset).mean() * 4
    assert area.sum() == pytest.approx(kept, abs=0.02)
    distance = x[np.unique(out)] @ [np.cos(angle), np.sin(angle)] - offset
    assert distance.min() > -1e-9


def test_nothing_to_cut() -> None:
    points, triangles = grid(4)
    out, source, new, moved = clip(triangles, np.ones(len(points)), np.zeros(len(points), bool))
    assert np.array_equal(out, triangles) and not new and not moved
    assert np.array_equal(source, np.arange(len(triangles)))


def test_everything_cut() -> None:
    points, triangles = grid(4)
    out, *_ = clip(triangles, -np.ones(len(points)), np.zeros(len(points), bool))
    assert out.shape == (0, 3)
