from pathlib import Path

import numpy as np

from tddfa.ibug68 import MIRROR
from training.face_model.correspondence import chain, to_68
from training.face_model.landmarks import LIDS, lash_offsets, load_table, save_table


def test_table_belongs_to_the_model_that_ships(project_root: Path) -> None:
    table = load_table()
    with np.load(project_root / "configs/face_model.npz") as f:
        assert table.n_vertices == len(f["mirror"])
        assert np.array_equal(table.keypoints, f["keypoints"])
        assert np.array_equal(table.anatomical, f["keypoints_anatomical"])
        assert np.array_equal(table.vertices, f["mediapipe_vertices"])


def test_weights_are_barycentric() -> None:
    w = load_table().weights
    assert w.min() >= 0
    np.testing.assert_allclose(w.sum(1), 1, atol=3e-4)


def test_table_survives_writing(tmp_path: Path) -> None:
    table = load_table()
    save_table(table, tmp_path / "t.json")
    again = load_table(tmp_path / "t.json")
    assert all(
        np.array_equal(a, b)
        for a, b in zip(vars(table).values(), vars(again).values(), strict=True)
    )


def test_lid_points_open_outwards() -> None:
    offset = lash_offsets()
    assert (offset[list(LIDS[0] + LIDS[1]), 1] > 0).all()
    assert (offset[list(LIDS[2] + LIDS[3]), 1] < 0).all()
    assert np.count_nonzero(offset) == 28


def test_mirror_of_ibug_is_an_involution() -> None:
    assert np.array_equal(MIRROR[MIRROR], np.arange(68))


def test_chain_is_equidistant() -> None:
    line = np.array([[0.0, 0], [1, 0], [1, 3]])
    points = chain(line, 5)
    np.testing.assert_allclose(points, [[0, 0], [1, 0], [1, 1], [1, 2], [1, 3]])


def test_68_points_come_from_the_mesh_points() -> None:
    p = np.random.default_rng(0).normal(size=(478, 2))
    out = to_68(p)
    assert np.array_equal(out[36], p[33]) and np.array_equal(out[30], p[4])
    assert np.array_equal(out[8], p[152]) and np.array_equal(out[66], p[14])
