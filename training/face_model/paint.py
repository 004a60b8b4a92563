"""Vertex colors that make the bare mesh look like a face to a landmark detector."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tddfa.errors import InputError
from training.face_model.makehuman import BaseMesh
from training.face_model.surface import Surface

SKIN, LIP, WHITE = (150, 175, 215), (110, 105, 180), (225, 225, 225)
IRIS, PUPIL, BROW, MOUTH = (50, 60, 80), (20, 20, 20), (45, 55, 70), (50, 30, 80)


def lip_mask(data: Path, base: BaseMesh, surface: Surface) -> np.ndarray:
    """Return (n,) values in 0..1, 1 on the lips, from MakeHuman's own lip texture."""
    path = data / "mpfb2/textures/mpfb_lips.jpg"
    texture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if texture is None:
        raise InputError(f"{path}: expected MakeHuman's texture of lips")
    uv = []
    with (data / "mpfb2/3dobjs/base.obj").open() as f:
        uv = [[float(x) for x in line.split()[1:3]] for line in f if line.startswith("vt ")]
    coordinates = np.array(uv)
    height, width = texture.shape
    value = np.zeros(len(base.vertices))
    for corner in range(4):
        p = coordinates[base.body_uv[:, corner]]
        row = np.clip(((1 - p[:, 1]) * height).astype(int), 0, height - 1)
        column = np.clip((p[:, 0] * width).astype(int), 0, width - 1)
        value[base.body[:, corner]] = texture[row, column] / 255.0
    return np.clip(surface.position @ value, 0, 1)


def paint(u: np.ndarray, triangles: np.ndarray, part: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """Return (n, 3) BGR colors for the mean shape ``u`` in mm."""
    n = len(u)

    def blend(color: np.ndarray, mask: np.ndarray, new: tuple[int, int, int]) -> np.ndarray:
        return color + np.asarray(mask, float)[:, None] * (np.array(new, float) - color)

    color = blend(np.tile(np.array(SKIN, float), (n, 1)), lips, LIP)
    mouth, eye = np.zeros(n, bool), np.zeros(n, bool)
    mouth[triangles[part == "mouth"]] = True
    mouth[triangles[part == "skin"]] = False
    eye[triangles[part == "eye"]] = True
    color = blend(blend(color, mouth, MOUTH), eye, WHITE)
    for side in (-1, 1):
        mine = eye & (u[:, 0] * side > 0)
        center = (u[mine].max(0) + u[mine].min(0)) / 2
        away = np.linalg.norm((u - center)[:, :2], axis=1)
        color = blend(color, mine & (away < 5.8), IRIS)
        color = blend(color, mine & (away < 2.8), PUPIL)
        if side > 0:
            level = center[1]
    x = np.abs(u[:, 0])
    line = level + 17.5 + 3 * np.sin((x - 12) / 42 * np.pi) - 5 * np.clip((x - 40) / 15, 0, 1)
    brow = np.exp(-(((u[:, 1] - line) / 3) ** 2)) * (x > 12) * (x < 54) * (u[:, 2] > 0)
    return blend(color, 0.75 * np.clip(1.3 * brow, 0, 1), BROW)
