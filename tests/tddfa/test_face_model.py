"""The face model that ships: geometry, symmetry, texture, expression."""

from pathlib import Path

import numpy as np
import pytest

from tddfa import load_face_model
from tddfa.ibug68 import MIRROR


@pytest.fixture(scope="module")
def path(project_root: Path) -> Path:
    return project_root / "configs/face_model.npz"


@pytest.fixture(scope="module")
def model(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as f:
        out = {k: f[k] for k in f.files}
    out["u"] = out["u"].reshape(-1, 3)
    for k in ("w_shp", "w_exp"):
        out[k] = out[k].astype(np.float64).reshape(len(out["u"]), 3, -1)
    return out


def directed_edges(tri: np.ndarray) -> np.ndarray:
    return tri[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)


def expressed(model: dict[str, np.ndarray], **coefficients: float) -> np.ndarray:
    e = np.zeros(len(model["exp_names"]))
    for name, value in coefficients.items():
        e[list(model["exp_names"]).index(name)] = value
    return model["u"] + model["w_exp"] @ e


def range_of(model: dict[str, np.ndarray], name: str) -> tuple[float, float]:
    low, high = model["exp_range"][list(model["exp_names"]).index(name)]
    return float(low), float(high)


def test_size_limits(path: Path, model: dict[str, np.ndarray]) -> None:
    assert 35_000 <= len(model["u"]) <= 40_000
    assert path.stat().st_size <= 15e6


def test_shapes_agree(model: dict[str, np.ndarray]) -> None:
    n = len(model["u"])
    assert model["w_shp"].shape == (n, 3, 40)
    assert model["w_exp"].shape == (n, 3, 10)
    assert model["uv"].shape == (n, 2)
    assert model["mirror"].shape == model["region"].shape == (n,)
    assert model["keypoints"].shape == model["keypoints_anatomical"].shape == (68,)
    assert model["exp_range"].shape == (10, 2) and len(set(model["exp_names"])) == 10
    assert model["tri"].min() == 0 and model["tri"].max() == n - 1
    assert int(model["format_version"]) == 1 and str(model["license"]) == "CC0-1.0"


def test_arrays_are_finite(model: dict[str, np.ndarray]) -> None:
    for key in ("u", "w_shp", "w_exp", "uv"):
        assert np.isfinite(model[key]).all(), key


def test_loads_as_the_product_reads_it(path: Path, model: dict[str, np.ndarray]) -> None:
    loaded = load_face_model(path)
    assert loaded.n_vertices == len(model["u"])
    assert loaded.tri.shape == model["tri"].shape


def test_mirror_error_is_zero(model: dict[str, np.ndarray]) -> None:
    m, flip = model["mirror"], np.array([-1, 1, 1])
    assert (m[m] == np.arange(len(m))).all()
    assert np.array_equal(model["u"][m] * flip, model["u"])


def test_shape_components_are_symmetric_or_antisymmetric(model: dict[str, np.ndarray]) -> None:
    w = model["w_shp"]
    flipped = w[model["mirror"]] * np.array([-1, 1, 1])[:, None]
    sign = np.where((w * flipped).sum((0, 1)) > 0, 1, -1)
    assert np.array_equal(flipped, w * sign)


def test_blinks_mirror_each_other(model: dict[str, np.ndarray]) -> None:
    names = list(model["exp_names"])
    left, right = (model["w_exp"][:, :, names.index(k)] for k in ("blink_left", "blink_right"))
    assert np.array_equal(left[model["mirror"]] * [-1, 1, 1], right)


def test_mesh_is_a_manifold_with_one_rim(model: dict[str, np.ndarray]) -> None:
    directed = directed_edges(model["tri"])
    assert len(np.unique(directed, axis=0)) == len(directed), "winding is not consistent"
    edges, uses = np.unique(np.sort(directed, axis=1), axis=0, return_counts=True)
    assert set(uses) == {1, 2}
    rim = edges[uses == 1]
    ends, degree = np.unique(rim, return_counts=True)
    assert (degree == 2).all(), "two rims meet in a vertex"
    follow = {}
    for a, b in rim:
        follow.setdefault(a, []).append(b)
        follow.setdefault(b, []).append(a)
    seen, loops = set(), 0
    for v in ends:
        if v in seen:
            continue
        loops += 1
        stack = [v]
        while stack:
            w = stack.pop()
            if w not in seen:
                seen.add(w)
                stack += follow[w]
    assert loops <= 2


def test_triangles_are_neither_degenerate_nor_double(model: dict[str, np.ndarray]) -> None:
    tri, u = model["tri"], model["u"].astype(np.float64)
    assert len(np.unique(np.sort(tri, axis=1), axis=0)) == len(tri)
    a, b, c = (u[tri[:, k]] for k in range(3))
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 1e-5


def test_winding_is_outward(model: dict[str, np.ndarray]) -> None:
    tri, u = model["tri"], model["u"].astype(np.float64)
    a, b, c = (u[tri[:, k]] for k in range(3))
    normal, center = np.cross(b - a, c - a), (a + b + c) / 3
    forehead = list(model["region_names"]).index("forehead")
    some = (model["region"][tri] == forehead).all(1)
    assert some.sum() > 1000
    assert ((normal[some] * center[some]).sum(1) > 0).all()


def test_no_texture_triangle_is_flipped(model: dict[str, np.ndarray]) -> None:
    uv = model["uv"].astype(np.float64)
    a, b, c = (uv[model["tri"][:, k]] for k in range(3))
    d, e = b - a, c - a
    assert (d[:, 0] * e[:, 1] - d[:, 1] * e[:, 0]).min() > 0


def test_texture_is_upright_symmetric_and_fills_the_square(model: dict[str, np.ndarray]) -> None:
    uv, kp = model["uv"].astype(np.float64), model["keypoints_anatomical"]
    assert uv.min() >= 0 and uv.max() <= 1 and np.ptp(uv, axis=0).max() > 0.95
    np.testing.assert_allclose(uv[model["mirror"]], uv * [-1, 1] + [1, 0], atol=1e-6)
    assert uv[kp[27], 1] > uv[kp[30], 1] > uv[kp[51], 1] > uv[kp[57], 1] > uv[kp[8], 1]
    assert uv[kp[45], 0] > 0.5 > uv[kp[36], 0]


@pytest.mark.parametrize("key", ["keypoints", "keypoints_anatomical"])
def test_key_points_are_distinct_and_symmetric(model: dict[str, np.ndarray], key: str) -> None:
    kp = model[key]
    assert len(set(kp.tolist())) == 68
    assert np.array_equal(model["mirror"][kp], kp[MIRROR])


def test_lips_are_closed_at_neutral(model: dict[str, np.ndarray]) -> None:
    upper, lower = model["lip_probes"].T
    gap = np.linalg.norm(model["u"][upper] - model["u"][lower], axis=1)
    # mm; the probes' spacing along the line is part of it, and the average person's lips do not lie
    # where the sampled identities' do: they are moved along each other.
    assert gap.max() < 1.5
    assert np.abs(model["u"][upper, 1] - model["u"][lower, 1]).max() < 0.3


@pytest.mark.parametrize("component", range(40))
def test_lips_stay_closed_for_every_identity(model: dict[str, np.ndarray], component: int) -> None:
    upper, lower = model["lip_probes"].T
    w = 3 * model["w_shp"][:, :, component]
    assert np.abs((w[upper] - w[lower])[:, 1:]).max() < 0.6


def test_jaw_opens(model: dict[str, np.ndarray]) -> None:
    upper, lower = model["lip_probes"][len(model["lip_probes"]) // 2]
    x = expressed(model, jaw_open=range_of(model, "jaw_open")[1] / 1.2)
    assert 15 < x[upper, 1] - x[lower, 1] < 35


@pytest.mark.parametrize("side", [0, 1])
def test_lids_close_without_passing_each_other(model: dict[str, np.ndarray], side: int) -> None:
    upper, lower = model["lid_probes"][side].T
    name = ("blink_left", "blink_right")[side]
    top = range_of(model, name)[1]
    gaps = []
    for b in np.linspace(0, top, 33):
        x = expressed(model, **{name: float(b)})
        gaps.append(x[upper, 1] - x[lower, 1])
    assert gaps[0][2:-2].min() > 3
    # The range is for all people; the average person's eyes are shut a little before its end.
    shut = next(i for i, gap in enumerate(gaps) if gap.mean() < 0.15)
    assert shut > 28 and np.abs(gaps[shut]).max() < 0.4
    assert np.min(gaps[: shut + 1]) > -0.3 and np.min(gaps) > -0.6
    assert (np.diff(gaps, axis=0)[:, 2:-2] < 0).all()


def test_eyes_close_independently(model: dict[str, np.ndarray]) -> None:
    shut = range_of(model, "blink_left")[1]
    moved = np.linalg.norm(expressed(model, blink_left=shut) - model["u"], axis=1)
    assert moved[model["lid_probes"][0, :, 0]].max() > 5
    assert moved[model["lid_probes"][1, :, 0]].max() < 0.01


def test_nothing_is_seen_through_the_mouth(model: dict[str, np.ndarray]) -> None:
    """From the front, every pixel between the lips of an open mouth shows the mouth's inside."""
    from Sim3DR import rasterize_triangles

    x = expressed(model, jaw_open=range_of(model, "jaw_open")[1])
    probes = x[model["lip_probes"][4:-4].reshape(-1)]
    low, high = probes.min(0), probes.max(0)
    pixels = (x - [low[0], high[1], 0]) * [8, -8, 8]
    size = np.ceil((high - low)[:2] * 8).astype(int)
    hit = rasterize_triangles(pixels.astype(np.float32), model["tri"], size[1], size[0])
    assert (hit.triangle >= 0).all()


def test_regions_are_named_and_mirrored(model: dict[str, np.ndarray]) -> None:
    names = list(model["region_names"])
    for need in (
        "left_eye",
        "right_eye",
        "left_brow",
        "right_brow",
        "nose",
        "upper_lip",
        "lower_lip",
        "left_cheek",
        "right_cheek",
        "forehead",
        "left_ear",
        "right_ear",
    ):
        assert (model["region"] == names.index(need)).sum() > 50, need
    swapped = [
        n.replace("left_", "?").replace("right_", "left_").replace("?", "right_") for n in names
    ]
    partner = np.array([names.index(n) for n in swapped])
    off_middle = model["mirror"] != np.arange(len(model["mirror"]))
    expected = partner[model["region"]][off_middle]
    assert np.array_equal(model["region"][model["mirror"]][off_middle], expected)
    eye = model["region"] == names.index("left_eye")
    assert (model["u"][eye, 0] > 0).all()
