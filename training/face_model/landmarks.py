"""Where MediaPipe's 478 points and iBUG's 68 points lie on the mesh: a table kept beside this file.

``landmarks.json`` is data, made by `training.face_model.correspondence` (renders of the model and
MediaPipe) and `training.face_model.keypoints` (fitted faces and a second aligner), so that the
build itself needs neither MediaPipe nor pictures.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tddfa import mediapipe478 as points

TABLE = Path(__file__).with_name("landmarks.json")


LASH_MARGIN = 0.9  # mm from the lid's edge to the lash line that MediaPipe marks
# Upper lids, then lower ones.
LIDS = (
    points.RIGHT_UPPER_LID, points.LEFT_UPPER_LID, points.RIGHT_LOWER_LID, points.LEFT_LOWER_LID,
)  # fmt: skip


def lash_offsets() -> np.ndarray:
    """Return (478, 3) offsets in mm from points of the mesh to MediaPipe's points.

    Lid points are bound to the edges of the lids, so that they close with them, but MediaPipe's
    lids stay some 1.5 mm apart when an eye is shut: it marks the lashes.
    """
    out = np.zeros((478, 3))
    taper = LASH_MARGIN * np.array([0.4, 0.75, 1.0, 1.0, 1.0, 0.75, 0.4])
    for lid, sign in zip(LIDS, (1, 1, -1, -1), strict=True):
        out[list(lid), 1] = sign * taper
    return out


@dataclass(frozen=True)
class LandmarkTable:
    """Correspondence of landmarks and mesh.

    Attributes
    ----------
    vertices : (478, 3) int64
        Corners of the triangle that holds each MediaPipe point.
    weights : (478, 3) float64
        Barycentric weights in it.
    keypoints : (68,) int64
        Vertices of iBUG's points, by agreement with the reference aligner.
    anatomical : (68,) int64
        The same by anatomy, from MediaPipe's points.
    n_vertices : int
        Size of the mesh that the table belongs to.
    """

    vertices: np.ndarray
    weights: np.ndarray
    keypoints: np.ndarray
    anatomical: np.ndarray
    n_vertices: int

    def place(self, x: np.ndarray) -> np.ndarray:
        """Return MediaPipe's points on vertices (n, ...)."""
        w = self.weights.reshape(*self.weights.shape, *([1] * (x.ndim - 1)))
        return (x[self.vertices] * w).sum(1)


def load_table(path: Path = TABLE) -> LandmarkTable:
    """Read the table."""
    d = json.loads(path.read_text())
    return LandmarkTable(
        np.array(d["mediapipe_vertices"]),
        np.array(d["mediapipe_weights"]),
        np.array(d["keypoints"]),
        np.array(d.get("anatomical", d["keypoints"])),
        d["n_vertices"],
    )


def save_table(table: LandmarkTable, path: Path = TABLE) -> None:
    """Write the table, one line an array."""
    d = {
        "n_vertices": table.n_vertices,
        "keypoints": table.keypoints.tolist(),
        "anatomical": table.anatomical.tolist(),
        "mediapipe_vertices": table.vertices.tolist(),
        "mediapipe_weights": np.round(table.weights, 4).tolist(),
    }
    lines = ",\n".join(f'"{k}": {json.dumps(v)}' for k, v in d.items())
    path.write_text("{\n" + lines + "\n}\n")
