"""Where MediaPipe's 478 points and iBUG's 68 points lie on the mesh: a table kept beside this file.

``landmarks.json`` is data, made by `training.face_model.correspondence` (renders of the model and
MediaPipe) and `training.face_model.keypoints` (fitted faces and a second aligner), so that the build
itself needs neither MediaPipe nor pictures.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TABLE = Path(__file__).with_name("landmarks.json")


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
        Vertices of iBUG's points.
    n_vertices : int
        Size of the mesh that the table belongs to.
    """

    vertices: np.ndarray
    weights: np.ndarray
    keypoints: np.ndarray
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
        d["n_vertices"],
    )


def save_table(table: LandmarkTable, path: Path = TABLE) -> None:
    """Write the table, one line an array."""
    d = {
        "n_vertices": table.n_vertices,
        "keypoints": table.keypoints.tolist(),
        "mediapipe_vertices": table.vertices.tolist(),
        "mediapipe_weights": np.round(table.weights, 4).tolist(),
    }
    lines = ",\n".join(f'"{k}": {json.dumps(v)}' for k, v in d.items())
    path.write_text("{\n" + lines + "\n}\n")
