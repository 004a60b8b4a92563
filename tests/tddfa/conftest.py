"""A small face model and network, for tests without foreign files; the reference's faces."""

import types
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from tddfa.io.pictures import imread
from tddfa.model_files import load_face_model
from tddfa.params import ParameterScale
from tddfa.pickles import load_arrays
from tddfa.weight_labels import regressor_labels
from tests.fuzz.seeds_models import face_model_arrays


@pytest.fixture(scope="session")
def small_arrays() -> dict[str, np.ndarray]:
    """Arrays of a face model in our format, with 90 vertices."""
    return face_model_arrays()


@pytest.fixture(scope="session")
def small_model_file(small_arrays, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "face_model.npz"
    np.savez(path, **small_arrays)
    return path


@pytest.fixture(scope="session")
def small_config(small_model_file) -> dict[str, object]:
    """Keys of a configuration with untrained weights of width 0.25."""
    torch = pytest.importorskip("torch")
    from tddfa.backbones.mobilenet import MobileNet
    from tddfa.checkpoints import save_checkpoint
    from tddfa.export_onnx import export_onnx

    folder = small_model_file.parent
    torch.manual_seed(0)
    scale = ParameterScale(np.zeros(62, np.float32), np.full(62, 0.1, np.float32))
    np.savez(folder / "scale.npz", mean=scale.mean, std=scale.std)
    labels = regressor_labels(load_face_model(small_model_file), scale, 0.25)
    save_checkpoint(folder / "net.pth", MobileNet(0.25).state_dict(), labels)
    export_onnx(folder / "net.pth", folder / "net.onnx")
    return {
        "widen_factor": 0.25,
        "checkpoint_fp": str(folder / "net.pth"),
        "bfm_fp": str(small_model_file),
        "param_mean_std_fp": str(folder / "scale.npz"),
    }


class Triangles(np.ndarray):
    """Triangles that carry the face model's tables, as ``tddfa.tri`` does."""


@pytest.fixture(scope="session")
def picture(upstream):
    img = imread(upstream / "images" / "trump_hillary.jpg")
    img.flags.writeable = False
    return img


@pytest.fixture(scope="session")
def faces(golden):
    return list(np.load(golden / "trump_hillary_dense.npz")["vertices"])


@pytest.fixture(scope="session")
def model(upstream):
    configs = upstream / "configs"
    tri = np.ascontiguousarray(load_arrays(configs / "tri.pkl").T, np.int32)
    uv = scipy.io.loadmat(configs / "BFM_UV.mat")["UV"][np.load(configs / "indices.npy")]
    ncc_code = np.load(configs / "ncc_code.npy")
    carrier = tri.view(Triangles)
    carrier.uv, carrier.ncc_code = uv, ncc_code
    return types.SimpleNamespace(tri=tri, uv=uv, ncc_code=ncc_code, carrier=carrier)


def bump(size=21, center=(50.0, 40.0), radius=15.0):
    """Return vertices (3, N) of a bump towards the viewer, triangles (M, 3) and uv (N, 2).

    Seen in the picture (y down) the triangles turn clockwise, as those of the face model.
    """
    s, t = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size))
    z = 10 * (2 - s**2 - t**2)
    xyz = [center[0] + radius * s, center[1] + radius * t, z]
    vertices = np.stack([a.ravel() for a in xyz]).astype(np.float32)
    i = np.arange(size * size).reshape(size, size)
    a, b, c, d = (x.ravel() for x in (i[:-1, :-1], i[:-1, 1:], i[1:, :-1], i[1:, 1:]))
    tri = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)]).astype(np.int32)
    uv = np.stack([(s.ravel() + 1) / 2, (1 - t.ravel()) / 2], 1)
    return vertices, tri, uv


@pytest.fixture(name="bump")
def bump_fixture():
    return bump
