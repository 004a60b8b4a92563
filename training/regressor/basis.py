"""The face model as tensors, made for training: few rows that stand for the whole mesh.

All functions take de-normalized parameters p = [T (3x4) | a_shp | a_exp] and give vertices
V(p) = T·[S; 1], S = u + W·a, of shape (n, K, 3) in the frame of the 120x120 crop (y up).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tddfa.mirrored_look import mirrored_parts, solved_mirror
from tddfa.morphable_model import MorphableModel
from tddfa.params import N_CAMERA


@dataclass(frozen=True)
class TrainingBasis:
    """K rows of a face model.

    Attributes
    ----------
    mean : Tensor, shape (K, 3)
    components : Tensor, shape (K, 3, C)
    ones : Tensor, shape (K,)
        What the translation is multiplied with: 1 for a vertex.
    """

    mean: Tensor
    components: Tensor
    ones: Tensor

    def to(self, device: torch.device | str) -> TrainingBasis:
        """Return the basis on another device."""
        return TrainingBasis(*(getattr(self, field.name).to(device) for field in fields(self)))

    def shapes(self, alpha: Tensor) -> Tensor:
        """Return S (n, K, 3) in model units for coefficients (n, C)."""
        flat = self.components.reshape(-1, self.components.shape[2])
        return self.mean + (alpha @ flat.T).reshape(len(alpha), -1, 3)

    def vertices(self, params: Tensor) -> Tensor:
        """Return V (n, K, 3) in pixels of the crop for parameters (n, 12 + C)."""
        camera = params[:, :N_CAMERA].reshape(-1, 3, 4)
        turned = self.shapes(params[:, N_CAMERA:]) @ camera[:, :, :3].transpose(1, 2)
        return turned + self.ones[:, None] * camera[:, None, :, 3]


def vertex_basis(model: MorphableModel, rows: npt.ArrayLike) -> TrainingBasis:
    """Return the basis of some vertices, unchanged."""
    index = np.asarray(rows)
    mean, components = _as_arrays(model)
    return TrainingBasis(
        torch.from_numpy(mean[index]), torch.from_numpy(components[index]), torch.ones(len(index))
    )


def landmark_basis(model: MorphableModel) -> TrainingBasis:
    """Return the basis of the 68 landmarks."""
    return vertex_basis(model, model.landmark_vertices)


def compressed_basis(
    model: MorphableModel, weights: npt.NDArray[np.floating] | None = None
) -> TrainingBasis:
    """Return at most 3 (C + 1) + 1 rows with the sums of squares of the whole mesh.

    Every row of V(p) lies in the span of the columns of M = [M_x M_y M_z 1], where M_i holds the
    mean and the components of axis i: at most 154 columns for 50 components, whatever the number
    of vertices. With M = Q·R and Q orthonormal, ||M·c|| = ||R·c|| for any c, so that the rows of R
    give exactly the vertex distances that all N vertices give.

    Parameters
    ----------
    model : MorphableModel
    weights : ndarray, shape (N,), optional
        Weight of each vertex in the sum; by default 1 / N, which makes sums means.
    """
    mean, components = _as_arrays(model)
    count = len(mean)
    weight = np.full(count, 1.0 / count) if weights is None else np.asarray(weights, np.float64)
    columns = np.concatenate([mean[:, :, None], components], axis=2).astype(np.float64)
    stacked = np.c_[columns.reshape(count, -1), np.ones(count)] * np.sqrt(weight)[:, None]
    # Columns of like length: model units are arbitrary, and QR of unlike ones loses digits.
    length = np.linalg.norm(stacked, axis=0)
    length[length == 0] = 1
    rows = np.linalg.qr(stacked / length, mode="r") * length
    blocks = rows[:, :-1].reshape(len(rows), 3, -1)
    return TrainingBasis(
        *(
            torch.from_numpy(np.ascontiguousarray(part, np.float32))
            for part in (blocks[:, :, 0], blocks[:, :, 1:], rows[:, -1])
        )
    )


def mirror_matrix(model: MorphableModel, n_rows: int = 4000) -> Tensor:
    """Return Q (C, C) such that coefficients Q·a give the mirror image of the face of a.

    Shape and expression are closed under mirroring each; Q is solved on evenly spaced vertices.

    Raises
    ------
    ValueError
        If the model does not name mirror partners.
    """
    if model.mirror is None:
        raise ValueError("face model: expected mirror partners, which training needs to flip faces")
    rows = np.unique(np.linspace(0, model.n_vertices - 1, n_rows).astype(int))
    counts = model.w_shp.shape[1], model.w_exp.shape[1]
    parts = mirrored_parts(model.part(rows), model.part(model.mirror[rows]), *counts)
    return torch.from_numpy(solved_mirror(parts).astype(np.float32))


def _as_arrays(
    model: MorphableModel,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    mean = np.asarray(model.u, np.float32).reshape(-1, 3)
    parts = [
        np.asarray(w, np.float32).reshape(len(mean), 3, -1) for w in (model.w_shp, model.w_exp)
    ]
    return mean, np.concatenate(parts, axis=2)
