"""Codes and texture coordinates of a face model, found by its triangles alone.

``tddfa.tri`` carries its vertices' tables, but ``np.array(tddfa.tri)`` and ``np.load("tri.npy")``
do not. The triangles say which face model they belong to: the one that ships, or the reference's in
the asset folder.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tddfa.assets import asset_folder, find_asset
from tddfa.errors import InputError
from tddfa.params import FloatArray

SHIPPED_MODEL = "configs/face_model.npz"


class Tables(NamedTuple):
    """Tables of one face model.

    Attributes
    ----------
    tri : ndarray, shape (M, 3), int32
        Its triangles.
    found : mapping
        ``ncc_code`` (3, N), ``uv`` (N, 2) and ``inside`` (N,), as far as there are such.
    """

    tri: npt.NDArray[np.int32]
    found: Mapping[str, npt.NDArray[Any]]


def known_table(tri: npt.ArrayLike, name: str) -> npt.NDArray[Any] | None:
    """Return a table of the face model whose triangles these are, None if none is known.

    Parameters
    ----------
    tri : array_like, shape (M, 3) or (3, M), int
        Triangles, in the order in which ``tddfa.tri`` has them.
    name : {'ncc_code', 'uv', 'inside'}
        Which table.
    """
    triangles = np.asarray(tri)
    if triangles.ndim == 2 and triangles.shape[0] == 3 != triangles.shape[1]:
        triangles = triangles.T
    for tables in (shipped_tables(), reference_tables()):
        if tables is not None and np.array_equal(triangles, tables.tri):
            return tables.found.get(name)
    return None


def shipped_table(name: str) -> FloatArray:
    """Return a table of the face model that ships; to be read only.

    Raises
    ------
    InputError
        If the face model is not there.
    """
    return _tables_of_model(find_asset(SHIPPED_MODEL)).found[name]


def shipped_tables() -> Tables | None:
    """Return the tables of the face model that ships, None if it is not there."""
    try:
        return _tables_of_model(find_asset(SHIPPED_MODEL))
    except InputError:
        return None


def reference_tables() -> Tables | None:
    """Return the reference's tables in the asset folder, None if they are not there."""
    folder = asset_folder()
    if folder is None or not (folder / "configs" / "tri.pkl").is_file():
        return None
    return _tables_beside(folder / "configs" / "tri.pkl")


@lru_cache(maxsize=2)
def _tables_of_model(path: Path) -> Tables:
    from tddfa.model_files import inside_of, normalized_coordinate_code, turn_over

    with np.load(path, allow_pickle=False) as archive:
        found: dict[str, npt.NDArray[Any]] = {
            name: np.asarray(archive[name], np.float32)
            for name in ("ncc_code", "uv")
            if name in archive.files
        }
        found.setdefault("ncc_code", normalized_coordinate_code(archive["u"]))
        inside = inside_of(archive)
        if inside is not None:
            found["inside"] = inside
        return Tables(np.ascontiguousarray(turn_over(archive["tri"]), np.int32), found)


@lru_cache(maxsize=2)
def _tables_beside(path: Path) -> Tables | None:
    from tddfa.model_files import ModelTables, read_uv
    from tddfa.pickles import load_arrays

    triangles = np.asarray(load_arrays(path))
    if triangles.shape[:1] == (3,):
        triangles = triangles.T
    found: dict[str, Any] = {}
    code, uv, indices = (path.with_name(n) for n in ("ncc_code.npy", "BFM_UV.mat", "indices.npy"))
    if code.is_file():
        found["ncc_code"] = np.load(code, allow_pickle=False).astype(np.float32)
    if uv.is_file() and indices.is_file():
        found["uv"] = read_uv(ModelTables(uv=uv, uv_indices=indices), int(triangles.max()) + 1)
    return Tables(np.ascontiguousarray(triangles, np.int32), found)
