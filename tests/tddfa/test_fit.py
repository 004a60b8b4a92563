"""Fitting the face model to landmarks."""

import csv
from pathlib import Path

import numpy as np
import pytest

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.fit import FitOptions, LandmarkFitter, load_landmark_basis, main
from tddfa.params import split_params
from tddfa.reconstruct import image_cameras


@pytest.fixture(scope="module")
def fitter() -> LandmarkFitter:
    return LandmarkFitter()


def turn(yaw: float, pitch: float, roll: float) -> np.ndarray:
    y, p, r = np.radians([yaw, pitch, roll])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rx = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    rz = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return rz @ rx @ ry


def synthetic(fitter: LandmarkFitter, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Return points (n, K, 2), rotations, scales, translations, coefficients."""
    rng, b = np.random.default_rng(seed), fitter.basis
    low, high = b.exp_range.T
    a = np.hstack([0.5 * rng.normal(size=(n, b.n_shape)), low + rng.random((n, 10)) * (high - low)])
    r = np.array([turn(*rng.uniform([-60, -20, -30], [60, 20, 30])) for _ in range(n)])
    s, t = rng.uniform(0.3, 4, n), rng.uniform(0, 900, (n, 2))
    x = b.mean + np.einsum("kij,nj->nki", b.components, a)
    p = s[:, None, None] * np.einsum("nij,nkj->nki", r[:, :2], x) * [1, -1] + t[:, None]
    return p, r, s, t, a


def test_no_faces(fitter: LandmarkFitter) -> None:
    fit = fitter.fit(np.zeros((0, 468, 2)))
    assert fit.params().shape == (0, 62) and fit.residual.shape == (0,)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((468, 2)),
        np.zeros((1, 468)),
        np.zeros((1, 467, 2)),
        np.zeros((1, 470, 2)),
        np.zeros((1, 468, 4)),
        np.full((1, 468, 2), np.nan),
        np.full((1, 468, 2), np.inf),
        np.zeros((1, 468, 2)),
        np.stack([np.arange(468.0), np.zeros(468)], 1)[None],
    ],
)
def test_bad_points(fitter: LandmarkFitter, points: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"^points: expected [^\n]*$"):
        fitter.fit(points)


def test_mean_face_is_found_exactly(fitter: LandmarkFitter) -> None:
    p = 3 * fitter.basis.mean[:, :2] * [1, -1] + [321, 123]
    fit = fitter.fit(p[None])
    np.testing.assert_allclose(fit.rotation[0], np.eye(3), atol=1e-3)
    np.testing.assert_allclose(fit.translation[0], [321, 123], atol=0.1)
    assert fit.scale[0] == pytest.approx(3, rel=1e-3)
    assert np.abs(fit.shape).max() < 0.02 and np.abs(fit.expression).max() < 0.02


def test_synthetic_faces_are_found(fitter: LandmarkFitter) -> None:
    p, r, s, _, _ = synthetic(fitter, 60)
    fit = LandmarkFitter(fitter.basis, FitOptions(noise=1e-3, iterations=40)).fit(p)
    angle = np.arccos(np.clip((np.einsum("nij,nij->n", fit.rotation, r) - 1) / 2, -1, 1))
    # A wider face and a small turn look alike; that is why it is not exact.
    assert np.degrees(angle).mean() < 1.5
    assert np.abs(fit.scale / s - 1).mean() < 0.01
    assert fit.residual.max() < 0.002


def test_rotations_are_rotations(fitter: LandmarkFitter) -> None:
    fit = fitter.fit(synthetic(fitter, 20)[0])
    eye = np.einsum("nij,nkj->nik", fit.rotation, fit.rotation)
    np.testing.assert_allclose(eye, np.broadcast_to(np.eye(3), eye.shape), atol=1e-9)
    assert (np.linalg.det(fit.rotation) > 0).all()


def test_expression_keeps_its_range(fitter: LandmarkFitter) -> None:
    p, *_ = synthetic(fitter, 30)
    rng = np.random.default_rng(1)
    fit = fitter.fit(p + rng.normal(0, 0.05, p.shape) * np.ptp(p, axis=1, keepdims=True))
    low, high = fitter.basis.exp_range.T
    assert (fit.expression >= low).all() and (fit.expression <= high).all()
    assert (fit.expression[:, 0] == 0).any(), "no case touches a bound: the test shows nothing"


def test_faces_do_not_influence_each_other(fitter: LandmarkFitter) -> None:
    p = synthetic(fitter, 7)[0]
    whole, halves = fitter.fit(p), fitter.fit(p, batch=3)
    np.testing.assert_allclose(whole.params(), halves.params(), rtol=1e-5, atol=1e-4)


def test_scale_and_shift_of_the_picture_change_the_camera_alone(fitter: LandmarkFitter) -> None:
    p = synthetic(fitter, 5)[0]
    one, two = fitter.fit(p), fitter.fit(2.5 * p + [40, -70])
    np.testing.assert_allclose(two.scale, 2.5 * one.scale, rtol=1e-6)
    np.testing.assert_allclose(two.translation, 2.5 * one.translation + [40, -70], atol=1e-4)
    np.testing.assert_allclose(two.shape, one.shape, atol=1e-5)


@pytest.mark.parametrize("roi", [None, [10.0, 20.0, 310.0, 320.0]])
def test_parameters_reconstruct_the_points(fitter: LandmarkFitter, roi: list[float] | None) -> None:
    fit = fitter.fit(synthetic(fitter, 6)[0])
    boxes = np.tile([0.0, 0, 120, 120] if roi is None else roi, (6, 1))
    params = split_params(fit.params(None if roi is None else boxes))
    camera = image_cameras(params, boxes, 120).astype(np.float64)
    a = np.concatenate([params.shape, params.expression], 1)[:, :, 0]
    x = fitter.basis.mean + np.einsum("kij,nj->nki", fitter.basis.components, a)
    p = x @ camera[:, :2, :3].transpose(0, 2, 1) + camera[:, None, :2, 3]
    np.testing.assert_allclose(p, fit.points, atol=0.02)


def test_third_coordinate_and_iris_points_are_ignored(fitter: LandmarkFitter) -> None:
    p = synthetic(fitter, 3)[0]
    more = np.concatenate([p, np.ones((3, 10, 2))], axis=1)
    more = np.concatenate([more, np.full((3, 478, 1), 7.0)], axis=2)
    assert np.array_equal(fitter.fit(more).params(), fitter.fit(p).params())


def test_ibug_points(shared: Path) -> None:
    with (shared / "scenes/landmarks68.csv").open() as f:
        rows = list(csv.DictReader(f))[:100]
    points = np.array([[[float(r[f"x{k}"]), float(r[f"y{k}"])] for k in range(68)] for r in rows])
    fit = LandmarkFitter(load_landmark_basis(landmarks="ibug")).fit(points)
    assert np.median(fit.residual) < 0.025
    assert (fit.rotation[:, 2, 2] > 0).all()


@pytest.mark.parametrize("name", ["no_such_file.npz", "test_fit.py"])
def test_bad_model(name: str) -> None:
    with pytest.raises(InputError, match=name):
        load_landmark_basis(Path(__file__).with_name(name))


def test_unknown_landmarks() -> None:
    with pytest.raises(InputError, match="mediapipe or ibug"):
        load_landmark_basis(landmarks="dlib")


def test_command_line(fitter: LandmarkFitter, tmp_path: Path) -> None:
    p = synthetic(fitter, 2)[0]
    np.save(tmp_path / "points.npy", p)
    assert main([str(tmp_path / "points.npy"), str(tmp_path / "out.npz")]) == 0
    with np.load(tmp_path / "out.npz") as f:
        np.testing.assert_allclose(f["params"], fitter.fit(p).params())


def test_command_line_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "points.npy").write_bytes(b"nothing")
    command = [str(tmp_path / "points.npy"), str(tmp_path / "out.npz")]
    assert run_main(lambda: main(command)) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert not (tmp_path / "out.npz").exists()
