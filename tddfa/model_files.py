"""Read face models: our ``.npz`` format and the reference's pickles and tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.mat_file import load_matrix
from tddfa.morphable_model import MorphableModel
from tddfa.npz import load_npz
from tddfa.params import FloatArray
from tddfa.pickles import load_arrays
from tddfa.topology import Topology

FORMAT_VERSION = 1
# What 68 landmarks need little of.
_MAPPED = ("w_shp", "w_exp", "uv", "mirror")
MOUTH_INSIDE = "mouth_inside"  # a region's name


@dataclass(frozen=True)
class ModelTables:
    """Files that hold what the reference keeps outside its face model's pickle.

    Attributes
    ----------
    tri : Path, optional
        Pickle of triangles, (3, M); replaces the model's own.
    uv : Path, optional
        ``.mat`` with key UV, or ``.npy``, (K, 2).
    uv_indices : Path, optional
        ``.npy``, (N,): row of `uv` for each vertex.
    ncc : Path, optional
        ``.npy``, (3, N); by default computed from the mean shape.
    """

    tri: Path | None = None
    uv: Path | None = None
    uv_indices: Path | None = None
    ncc: Path | None = None


def normalized_coordinate_code(mean: npt.ArrayLike) -> FloatArray:
    """Return the NCC of a mean shape: each axis scaled to [0, 1].

    Parameters
    ----------
    mean : array_like, 3N values, x, y, z interleaved

    Returns
    -------
    ndarray, shape (3, N), float32
        Zhu et al., "Face Alignment Across Large Poses", CVPR 2016, eq. 5.
    """
    points = np.asarray(mean, np.float32).reshape(-1, 3).T
    low = points.min(axis=1, keepdims=True)
    span = points.max(axis=1, keepdims=True) - low
    return np.ascontiguousarray((points - low) / np.where(span > 0, span, 1))


def load_face_model(
    path: str | Path, tables: ModelTables | None = None, *, mapped: bool = False
) -> MorphableModel:
    """Load a face model.

    Parameters
    ----------
    path : str or Path
        ``.npz`` in our format (docs/assets.md) or ``.pkl`` in the reference's.
    tables : ModelTables, optional
        Further files of a model in the reference's format.
    mapped : bool
        Map the large arrays of an ``.npz`` instead of reading them, where that can be: 68 landmarks
        need a hundredth of them.

    Raises
    ------
    InputError
        If a file cannot be read, lacks an array, or the arrays' sizes do not agree.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"'{path}': no such face model")
    arrays = _read_npz(path, mapped) if path.suffix == ".npz" else _read_pickle(path)
    tables = tables or ModelTables()
    if tables.tri is not None:
        arrays["tri"] = load_arrays(tables.tri)
    if tables.uv is not None:
        arrays["uv"] = partial(read_uv, tables, np.size(arrays.get("u", ())) // 3)
    if tables.ncc is not None:
        arrays["ncc_code"] = _read_npy(tables.ncc)
    try:
        return _build(arrays)
    except InputError as error:
        raise InputError(f"'{path}': {error}") from error
    except (KeyError, TypeError, ValueError, IndexError) as error:
        reason = f"no array {error}" if isinstance(error, KeyError) else str(error)
        reason = reason.split("\n")[0][:200]
        raise InputError(f"'{path}': expected a face model, {reason}") from error


def _build(arrays: Mapping[str, Any]) -> MorphableModel:
    mean = np.asarray(arrays["u"], np.float32).reshape(-1, 1)
    tri = np.asarray(arrays["tri"])
    if tri.ndim == 2 and tri.shape[0] == 3 != tri.shape[1]:
        tri = tri.T
    keypoints = np.asarray(arrays["keypoints"]).astype(np.int32).ravel()
    if keypoints.size == 68:  # ours: a vertex each; the reference's: a row of u per axis
        keypoints = (keypoints[:, None] * 3 + np.arange(3)).ravel().astype(np.int32)
    ncc_code, uv = arrays.get("ncc_code"), arrays.get("uv")
    if ncc_code is None and mean.size and mean.size % 3 == 0:  # else MorphableModel objects
        ncc_code = normalized_coordinate_code(mean)
    names = arrays.get("region_names")
    labels = arrays.get("region")
    regions = (
        {str(name): np.flatnonzero(labels == i).astype(np.int32) for i, name in enumerate(names)}
        if names is not None and labels is not None
        else {}
    )
    mirror, exp_range = arrays.get("mirror"), arrays.get("exp_range")
    return MorphableModel(
        u=mean,
        w_shp=_basis(arrays["w_shp"]),
        w_exp=_basis(arrays["w_exp"]),
        tri=Topology(
            tri,
            # a vertex's numbers side by side, as drawing wants them
            ncc_code=None if ncc_code is None else np.asfortranarray(ncc_code, np.float32),
            uv=uv if uv is None or callable(uv) else np.ascontiguousarray(uv, np.float32),
            inside=inside_of(arrays),
        ),
        keypoints=keypoints,
        mirror=None if mirror is None else np.asarray(mirror, np.int32),
        exp_names=tuple(str(name) for name in arrays.get("exp_names", ())),
        exp_range=None if exp_range is None else np.asarray(exp_range, np.float32),
        regions=regions,
        reference_rules=bool(arrays.get("reference_rules", False)),
    )


def inside_of(arrays: Mapping[str, Any]) -> npt.NDArray[np.bool_] | None:
    """Return which vertices are the mouth's inside (N,), None where the regions do not say."""
    names, labels = arrays.get("region_names"), arrays.get("region")
    if names is None or labels is None or MOUTH_INSIDE not in (known := [str(n) for n in names]):
        return None
    return np.asarray(np.asarray(labels) == known.index(MOUTH_INSIDE))


def _basis(array: npt.ArrayLike) -> npt.NDArray[np.floating]:
    """Keep half precision as stored: reconstruction widens it once, in its own layout."""
    basis = np.asanyarray(array)  # may be mapped
    return basis if basis.dtype == np.float16 else basis.astype(np.float32, copy=False)


def _read_pickle(path: Path) -> dict[str, Any]:
    data = load_arrays(path)
    if not isinstance(data, dict):
        raise InputError(f"'{path}': expected a dict of arrays, got {type(data).__name__}")
    return dict(data) | {"reference_rules": True}


def _read_npz(path: Path, mapped: bool) -> dict[str, Any]:
    arrays: dict[str, Any] = load_npz(path, _MAPPED if mapped else ())
    version = arrays.get("format_version", np.array(0)).tolist()
    if version != FORMAT_VERSION:
        got = str(version)[:20]
        raise InputError(f"'{path}': expected format_version {FORMAT_VERSION}, got {got}")
    if "tri" in arrays and arrays["tri"].ndim == 2:  # `_build` objects to others
        arrays["tri"] = turn_over(arrays["tri"])
    return arrays


def turn_over(triangles: npt.ArrayLike) -> npt.NDArray[Any]:
    """Reverse the order of each triangle's vertices, (M, 3).

    Our files hold triangles as mesh tools expect them: counter-clockwise seen from outside, with y
    up. In a picture y is down; there the same order would turn all normals away from the viewer.
    """
    return np.asarray(triangles)[:, ::-1]


def _read_npy(path: Path) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = np.load(path, allow_pickle=False)
    except Exception as error:  # a damaged header raises memory and other errors
        raise InputError(f"'{path}': expected an .npy array") from error
    return array


def read_uv(tables: ModelTables, n_vertices: int) -> FloatArray:
    """Return the texture coordinates (N, 2) that the tables name.

    Raises
    ------
    InputError
        If a file cannot be read or its size is wrong.
    """
    path = tables.uv
    assert path is not None
    if path.suffix == ".mat":
        uv = load_matrix(path, "UV").astype(np.float32)
    else:
        uv = np.asarray(_read_npy(path), np.float32)
    if tables.uv_indices is not None:
        indices = _read_npy(tables.uv_indices)
        if indices.min(initial=0) < 0 or indices.max(initial=-1) >= len(uv):
            raise InputError(f"'{tables.uv_indices}': expected rows of '{path}', 0..{len(uv) - 1}")
        uv = uv[indices]
    if uv.shape != (n_vertices, 2):
        raise InputError(f"'{path}': expected UV of {n_vertices} vertices, got shape {uv.shape}")
    return np.ascontiguousarray(uv)
