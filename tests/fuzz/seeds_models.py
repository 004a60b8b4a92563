"""Sound configurations, checkpoints, face models, pickles and networks, small ones, made here."""

import io
import pickle
from importlib.util import find_spec
from pathlib import Path

import numpy as np

_N = 90  # vertices


def configuration_seeds(root: Path) -> dict[str, bytes]:
    """Return the shipped configurations, and one with every kind of value; `root`: the checkout."""
    files = {path.name: path.read_bytes() for path in sorted((root / "configs").glob("mb*.yml"))}
    files["all.yml"] = (
        b"arch: mobilenet\nwiden_factor: 1.0\nsize: 120\nnum_params: 62\ndetector: faceboxes\n"
        b"checkpoint_fp: weights/mb1_120x120.pth\nbfm_fp: 'configs/face_model.npz'\n"
        b'param_mean_std_fp: "configs/param_mean_std_62d.npz"\ndetector_fp: null\n'
    )
    return files


def face_model_arrays() -> dict[str, np.ndarray]:
    """Return a face model in our format, of 90 vertices."""
    rng = np.random.default_rng(0)
    return {
        "format_version": np.array(1),
        "u": rng.normal(size=3 * _N).astype(np.float32) * 50,
        "w_shp": rng.normal(size=(3 * _N, 40)).astype(np.float16),
        "w_exp": rng.normal(size=(3 * _N, 10)).astype(np.float16),
        "tri": rng.integers(0, _N, (150, 3)).astype(np.int32),
        "keypoints": rng.permutation(_N)[:68].astype(np.int32),
        "uv": rng.uniform(size=(_N, 2)).astype(np.float32),
        "mirror": np.arange(_N, dtype=np.int32)[::-1],
        "exp_names": np.array([f"e{k}" for k in range(10)]),
        "exp_range": np.tile(np.float32([-1, 1]), (10, 1)),
        "region": (np.arange(_N) % 3).astype(np.uint8),
        "region_names": np.array(["nose", "lips", "ears"]),
    }


def face_model_seeds() -> dict[str, bytes]:
    """Return a face model as archives, packed and not."""
    files = {}
    for name, save in (("plain.npz", np.savez), ("packed.npz", np.savez_compressed)):
        buffer = io.BytesIO()
        save(buffer, **face_model_arrays())
        files[name] = buffer.getvalue()
    return files


def table_seeds() -> dict[str, bytes]:
    """Return the small files beside a face model: the parameters' scale, texture coordinates."""
    from scipy.io import savemat

    buffers = {name: io.BytesIO() for name in ("scale.npz", "scale.pkl", "uv.npy", "uv.mat")}
    scale = {"mean": np.zeros(62, np.float32), "std": np.ones(62, np.float32)}
    np.savez(buffers["scale.npz"], **scale)
    pickle.dump(scale, buffers["scale.pkl"])
    np.save(buffers["uv.npy"], face_model_arrays()["uv"])
    savemat(buffers["uv.mat"], {"UV": face_model_arrays()["uv"]})
    return {name: buffer.getvalue() for name, buffer in buffers.items()}


def pickle_seeds() -> dict[str, bytes]:
    """Return the same face model as the reference has it: pickles of several protocols."""
    arrays = {name: array for name, array in face_model_arrays().items() if array.dtype.kind != "U"}
    return {f"protocol{k}.pkl": pickle.dumps(arrays, k) for k in (2, 3, 4, 5)}


def checkpoint_seeds() -> dict[str, bytes]:
    """Return a small regressor as a checkpoint, in both of PyTorch's formats; none without it."""
    if find_spec("torch") is None:
        return {}
    import torch

    from tddfa.backbones.mobilenet import MobileNet

    state = {"state_dict": MobileNet(0.125).state_dict()}
    files = {}
    for name, zipped in (("zipped.pth", True), ("legacy.pth", False)):
        buffer = io.BytesIO()
        torch.save(state, buffer, _use_new_zipfile_serialization=zipped)
        files[name] = buffer.getvalue()
    return files


def network_seeds(root: Path) -> dict[str, bytes]:
    """Return the detector that ships, as an ONNX file."""
    return {"detector.onnx": (root / "weights" / "FaceBoxesProd.onnx").read_bytes()}
