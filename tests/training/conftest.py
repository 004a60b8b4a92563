"""A small face model and small data sets, made on the spot."""

from pathlib import Path

import numpy as np
import pytest

from tddfa.morphable_model import MorphableModel
from tddfa.topology import Topology
from training.dataset.packed import PackedFaces, open_packed, pack
from training.labels.pseudo_labels import Labels

N_SHAPE, N_EXP = 40, 10
ROWS, COLUMNS = 15, 13


def _mirror_basis(generator: np.random.Generator, mirror: np.ndarray, count: int) -> np.ndarray:
    """Return random components of which half are symmetric and half antisymmetric."""
    basis = generator.normal(size=(len(mirror), 3, count))
    flipped = basis[mirror] * np.array([-1, 1, 1])[:, None]
    sign = np.where(np.arange(count) % 2, -1, 1)
    return (basis + sign * flipped).reshape(-1, count) * 0.7


@pytest.fixture(scope="session")
def model() -> MorphableModel:
    """A dome of 195 vertices, 160 wide, with random components closed under mirroring."""
    generator = np.random.default_rng(3)
    y, x = np.meshgrid(np.linspace(90, -90, ROWS), np.linspace(-80, 80, COLUMNS), indexing="ij")
    z = 80 * np.sqrt(np.clip(1 - (x / 100) ** 2 - (y / 120) ** 2, 0, 1))
    points = np.stack([x, y, z], axis=2).reshape(-1, 3)
    index = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    triangles = np.concatenate([np.stack(t, 2).reshape(-1, 3) for t in ((a, c, b), (b, c, d))])
    mirror = index[:, ::-1].ravel().astype(np.int32)
    return MorphableModel(
        u=points.reshape(-1, 1).astype(np.float32),
        w_shp=_mirror_basis(generator, mirror, N_SHAPE).astype(np.float32),
        w_exp=_mirror_basis(generator, mirror, N_EXP).astype(np.float32),
        tri=Topology(triangles),
        keypoints=_keypoints(index),
        mirror=mirror,
    )


def _keypoints(index: np.ndarray) -> np.ndarray:
    """Return 68 vertices whose left and right are mirror partners, as iBUG's are."""
    pairs = [(i, 16 - i) for i in range(8)] + [(17 + i, 26 - i) for i in range(5)]
    pairs += [(31, 35), (32, 34), (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]
    pairs += [(48, 54), (49, 53), (50, 52), (59, 55), (58, 56), (60, 64), (61, 63), (67, 65)]
    middle = [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]
    chosen = np.empty(68, int)
    left = index[:, : COLUMNS // 2].ravel()[::2]
    for (a, b), vertex in zip(pairs, left, strict=False):
        chosen[a], chosen[b] = (
            vertex,
            index.ravel()[vertex // COLUMNS * COLUMNS + COLUMNS - 1 - vertex % COLUMNS],
        )
    for landmark, row in zip(middle, range(2, 12), strict=True):
        chosen[landmark] = index[row, COLUMNS // 2]
    return (chosen[:, None] * 3 + np.arange(3)).ravel().astype(np.int32)


@pytest.fixture(scope="session")
def labels(model: MorphableModel) -> Labels:
    """Sixty faces near the middle of the canvas that look within 20 degrees of straight ahead."""
    generator = np.random.default_rng(4)
    n = 60
    camera = np.zeros((n, 3, 4), np.float32)
    for i in range(n):
        yaw, pitch = np.radians(generator.uniform(-20, 20, 2))
        turn = np.array(
            [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
        ) @ np.array(
            [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
        )
        camera[i, :, :3] = generator.uniform(0.4, 0.5) * turn
        camera[i, :2, 3] = 84 + generator.uniform(-4, 4, 2)
    return Labels(
        names=np.array([f"set/{i * 20:05d}.webp" for i in range(n)]),
        camera=camera,
        alpha=generator.normal(size=(n, N_SHAPE + N_EXP)).astype(np.float32),
        residual=np.ones(n, np.float32),
    )


@pytest.fixture(scope="session")
def packed_folder(
    model: MorphableModel, labels: Labels, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A packed data set of smooth random pictures."""
    folder = tmp_path_factory.mktemp("packed")
    ramp = np.linspace(40, 220, 168, dtype=np.float32)

    def picture(i: int) -> np.ndarray:
        image = np.stack([np.broadcast_to(ramp, (168, 168)), *(ramp[:, None] + 0 * ramp,) * 2], 2)
        return np.clip(image + i % 20, 0, 255).astype(np.uint8)

    pack(folder, range(len(labels.names)), picture, labels, model, detected=True)
    return folder


@pytest.fixture(scope="session")
def packed(packed_folder: Path) -> PackedFaces:
    return open_packed(packed_folder)


@pytest.fixture(scope="session")
def model_file(model: MorphableModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model in the project's format."""
    path = tmp_path_factory.mktemp("model") / "face_model.npz"
    np.savez(
        path,
        format_version=1,
        u=model.u,
        w_shp=model.w_shp,
        w_exp=model.w_exp,
        tri=np.asarray(model.tri),
        keypoints=model.keypoints,
        mirror=model.mirror,
    )
    return path
