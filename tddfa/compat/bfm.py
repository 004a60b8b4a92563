"""The face model under the reference's name: everything as float32, made when first asked for."""

from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.assets import find_asset
from tddfa.errors import InputError
from tddfa.model_files import ModelTables, load_face_model
from tddfa.morphable_model import Basis, MorphableModel
from tddfa.params import FloatArray


class BFMModel(MorphableModel):
    """A face model with the reference's attributes, to be read and not to be changed.

    The arrays are float32, where the files hold half precision: ``torch.from_numpy(bfm.w_shp) @ …``
    works. They are copies of what reconstruction uses; writing into them changes nothing there.

    Parameters
    ----------
    bfm_fp : path-like
        ``.npz`` (ours) or ``.pkl`` (the reference's), looked up as in a configuration. Tables
        beside a ``.pkl`` (``tri.pkl``, ``BFM_UV.mat``, …) are used.
    shape_dim, exp_dim : int, optional
        Components of `w_shp` and `w_exp`: the first so many, at most all.

    Attributes
    ----------
    u : ndarray, shape (3N, 1), float32
        Mean shape.
    w_shp, w_exp : ndarray, shape (3N, S) and (3N, E), float32
        Bases.
    tri : Topology, shape (M, 3), int32
        Triangles.
    keypoints : ndarray, shape (204,), int32
        Rows of `u` that are x, y, z of the 68 landmarks.
    u_base, w_shp_base, w_exp_base : ndarray, shape (204, …), float32
        `u`, `w_shp`, `w_exp` at the landmarks.
    w, w_base : ndarray, shape (3N, S + E) and (204, S + E), float32
        Both bases side by side.
    w_norm : ndarray, shape (S + E,), float32
        Length of each column of `w`.

    Raises
    ------
    InputError
        If the file is missing or malformed, or a dimension is below 1.
    """

    def __init__(
        self, bfm_fp: str | Path, shape_dim: int | None = 40, exp_dim: int | None = 10
    ) -> None:
        path = find_asset(bfm_fp)
        model = load_face_model(path, _tables_beside(path))
        self.__dict__.update(vars(BFMModel.of(model, shape_dim, exp_dim)))

    @classmethod
    def of(
        cls,
        model: MorphableModel,
        shape_dim: int | None = None,
        exp_dim: int | None = None,
        factor: float = 1.0,
    ) -> "BFMModel":
        """View a loaded face model so, its numbers times `factor`."""
        for name, value in (("shape_dim", shape_dim), ("exp_dim", exp_dim)):
            if value is not None and not (isinstance(value, int | np.integer) and value >= 1):
                raise InputError(f"{name}: expected an integer from 1 up, got {value!r}")
        self = object.__new__(cls)
        kept = ("tri", "keypoints", "mirror", "exp_names", "exp_range", "regions")
        self.__dict__.update({name: getattr(model, name) for name in kept})
        self.__dict__.update(_model=model, _factor=factor, _dims=(shape_dim, exp_dim))
        return self

    _model: MorphableModel
    _factor: float
    _dims: tuple[int | None, int | None]

    def _widened(self, array: npt.NDArray[Any]) -> FloatArray:
        wide = np.array(array, np.float32, order="C")
        return wide if self._factor == 1 else wide * np.float32(self._factor)

    @cached_property
    def u(self) -> FloatArray:
        """Mean shape (3N, 1)."""
        return self._widened(self._model.u)

    @cached_property
    def w_shp(self) -> FloatArray:
        """Shape basis (3N, S)."""
        return self._widened(self._model.w_shp[:, : self._dims[0]])

    @cached_property
    def w_exp(self) -> FloatArray:
        """Expression basis (3N, E)."""
        return self._widened(self._model.w_exp[:, : self._dims[1]])

    @cached_property
    def u_base(self) -> FloatArray:
        """Mean shape at the landmarks (204, 1)."""
        return self._widened(self._model.u[self.keypoints])

    @cached_property
    def w_shp_base(self) -> FloatArray:
        """Shape basis at the landmarks (204, S)."""
        return self._widened(self._model.w_shp[self.keypoints, : self._dims[0]])

    @cached_property
    def w_exp_base(self) -> FloatArray:
        """Expression basis at the landmarks (204, E)."""
        return self._widened(self._model.w_exp[self.keypoints, : self._dims[1]])

    @cached_property
    def w(self) -> FloatArray:
        """Both bases (3N, S + E)."""
        return np.concatenate((self.w_shp, self.w_exp), axis=1)

    @cached_property
    def w_base(self) -> FloatArray:
        """Both bases at the landmarks (204, S + E)."""
        return np.concatenate((self.w_shp_base, self.w_exp_base), axis=1)

    @cached_property
    def w_norm(self) -> FloatArray:
        """Length of each column of `w`."""
        return np.asarray(np.linalg.norm(self.w, axis=0), np.float32)

    @property
    def n_vertices(self) -> int:
        """Number of vertices N."""
        return self._model.n_vertices

    @property
    def dense(self) -> Basis:
        """What reconstruction of all vertices reads, in the model's own unit."""
        return self._model.dense

    @property
    def sparse(self) -> Basis:
        """What reconstruction of the landmarks reads, in the model's own unit."""
        return self._model.sparse


class BFMSession:
    """The face model behind the interface of an ONNX Runtime session, as the reference has it.

    ``run(None, {"R": …, "offset": …, "alpha_shp": …, "alpha_exp": …})`` gives
    ``[R·(u + w_shp·alpha_shp + w_exp·alpha_exp) + offset]``, vertices (3, N) in the frame of the
    crop.

    Parameters
    ----------
    bfm : BFMModel
        The face model.
    """

    _INPUTS = (
        ("R", (3, 3)),
        ("offset", (3, 1)),
        ("alpha_shp", ("shape", 1)),
        ("alpha_exp", ("expression", 1)),
    )

    def __init__(self, bfm: BFMModel) -> None:
        self.bfm = bfm

    def get_inputs(self) -> list[SimpleNamespace]:
        """Return name and shape of each input."""
        return [SimpleNamespace(name=name, shape=list(shape)) for name, shape in self._INPUTS]

    def get_outputs(self) -> list[SimpleNamespace]:
        """Return name and shape of the output."""
        return [SimpleNamespace(name="output", shape=[3, self.bfm.n_vertices])]

    def run(self, output_names: Any, feeds: dict[str, npt.ArrayLike]) -> list[FloatArray]:
        """Return the vertices, (3, N) float32, in a list of one.

        Raises
        ------
        InputError
            If an input is missing or has another length than the basis.
        """
        missing = [name for name, _ in self._INPUTS if name not in feeds]
        if missing:
            raise InputError(f"bfm_session: expected the inputs {', '.join(missing)}")
        linear, offset, shape, expression = (
            np.asarray(feeds[name], np.float32) for name, _ in self._INPUTS
        )
        lengths = self.bfm.w_shp.shape[1], self.bfm.w_exp.shape[1]
        if (shape.size, expression.size) != lengths:
            raise InputError(
                f"bfm_session: expected {lengths} coefficients, got {shape.size, expression.size}"
            )
        face = (
            self.bfm.u + self.bfm.w @ np.concatenate((shape.ravel(), expression.ravel()))[:, None]
        )
        vertices = linear.reshape(3, 3) @ face.reshape(-1, 3).T + offset.reshape(3, 1)
        return [np.asarray(vertices, np.float32)]


def _tables_beside(path: Path) -> ModelTables | None:
    """Return the tables of the reference's that lie beside a face model in its format."""
    if path.suffix == ".npz":
        return None

    def beside(name: str) -> Path | None:
        return path.with_name(name) if path.with_name(name).is_file() else None

    uv, indices = beside("BFM_UV.mat"), beside("indices.npy")
    both = uv is not None and indices is not None
    return ModelTables(
        tri=beside("tri.pkl"),
        uv=uv if both else None,
        uv_indices=indices if both else None,
        ncc=beside("ncc_code.npy"),
    )
