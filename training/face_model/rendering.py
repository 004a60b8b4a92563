"""Small pictures of meshes: orthographic or mildly perspective, lit from above, antialiased."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from Sim3DR import get_normal, rasterize_triangles

SKIN = np.array([165.0, 190.0, 225.0])
INSIDE = np.array([105.0, 90.0, 150.0])


def rotation(yaw: float = 0.0, pitch: float = 0.0) -> np.ndarray:
    """Return the matrix that turns the model by yaw, then pitch (degrees)."""
    y, p = np.radians([yaw, pitch])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rx = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    return rx @ ry


@dataclass(frozen=True)
class View:
    """How a mesh is looked at.

    Attributes
    ----------
    size : int
        Side of the picture in pixels.
    yaw, pitch : float
        Degrees.
    center : tuple of float
        Point of the model in the middle of the picture (model units).
    span : float
        Model units across the picture.
    focus : float
        Distance of the eye from the center in model units; infinite is orthographic.
    """

    size: int = 400
    yaw: float = 0.0
    pitch: float = 0.0
    center: tuple[float, float, float] = (0.0, 0.0, 0.0)
    span: float = 260.0
    focus: float = np.inf

    def project(self, x: np.ndarray) -> np.ndarray:
        """Return pixel x, y (y down) and depth of points (n, 3)."""
        p = (x - np.asarray(self.center)) @ rotation(self.yaw, self.pitch).T
        scale = self.size / self.span
        near = 1.0 if np.isinf(self.focus) else (self.focus / (self.focus - p[:, 2]))[:, None]
        xy = p[:, :2] * near * [scale, -scale] + (self.size - 1) / 2
        return np.column_stack([xy, p[:, 2] * scale]).astype(np.float32)


def draw(
    x: np.ndarray,
    triangles: np.ndarray,
    view: View,
    color: np.ndarray = SKIN,
    background: float = 255.0,
    ambient: float = 0.25,
) -> np.ndarray:
    """Return a BGR uint8 picture of a mesh; faces seen from behind are reddish."""
    big = View(2 * view.size, view.yaw, view.pitch, view.center, view.span, view.focus)
    p = big.project(x)
    hit = rasterize_triangles(p, triangles, big.size, big.size)
    mask = hit.triangle >= 0
    t, w = triangles[hit.triangle[mask]], hit.weights[mask][:, :, None]
    normal = get_normal(x, triangles) @ rotation(view.yaw, view.pitch).T
    n = (normal[t] * w).sum(1)
    n /= np.linalg.norm(n, axis=1, keepdims=True) + 1e-9
    key, fill = np.array([0.3, 0.45, 0.85]), np.array([-0.7, 0.1, 0.5])
    light = ambient + 0.66 * np.clip(n @ key, 0, 1) + 0.18 * np.clip(n @ fill, 0, 1)
    shade = (color if color.ndim == 1 else (color[t] * w).sum(1)) * light[:, None]
    a, b, c = (p[t[:, k], :2] for k in range(3))
    d, e = b - a, c - a
    shade[d[:, 0] * e[:, 1] - d[:, 1] * e[:, 0] > 0] = [120, 120, 200]
    out = np.full((big.size, big.size, 3), background, np.float32)
    out[mask] = np.clip(shade, 0, 255)
    return cv2.resize(out, (view.size, view.size), interpolation=cv2.INTER_AREA).astype(np.uint8)


def tiles(pictures: list[np.ndarray], columns: int) -> np.ndarray:
    """Lay pictures of one size out in rows."""
    blank = np.full_like(pictures[0], 255)
    rows = [pictures[i : i + columns] for i in range(0, len(pictures), columns)]
    return np.vstack([np.hstack(r + [blank] * (columns - len(r))) for r in rows])


def caption(picture: np.ndarray, text: str) -> np.ndarray:
    """Write a line into the upper left corner of a copy."""
    out = picture.copy()
    cv2.putText(out, text, (5, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (60, 30, 0), 1, cv2.LINE_AA)
    return out
