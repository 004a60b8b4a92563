"""Key points of the face model that ships, for functions that are not given a face model."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from tddfa.assets import project_root

FACE_MODEL = "configs/face_model.npz"


@dataclass(frozen=True)
class MeshKeypoints:
    """Which vertices of a mesh are landmarks.

    Attributes
    ----------
    n_vertices : int
        Vertices of the mesh.
    vertices : ndarray, shape (68,), int32
        Vertex of each iBUG landmark.
    """

    n_vertices: int
    vertices: npt.NDArray[np.int32]


@cache
def shipped_keypoints() -> MeshKeypoints | None:
    """Read the key points of the face model that ships, once; None if it is not there."""
    try:
        with np.load(project_root() / FACE_MODEL, allow_pickle=False) as archive:
            n_vertices, vertices = archive["u"].size // 3, archive["keypoints"].astype(np.int32)
    except (OSError, ValueError, KeyError):
        return None
    vertices.flags.writeable = False
    return MeshKeypoints(n_vertices, vertices)
