"""Glasses of wire or horn: two rims, a bridge and two temples, and what their glass darkens."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from training.renders.layers import blend_layer
from training.renders.meshes import TexturedMesh, split_quads

if TYPE_CHECKING:
    from training.renders.picture import Drawing

Array = npt.NDArray[np.float64]

ROUND, AROUND = 28, 6  # points along a rim, and around its wire


def add_glasses(d: "Drawing", cover: npt.NDArray[np.float32]) -> None:
    """Put glasses on a drawing's nose."""
    g = d.generator
    base, eyes = d.placed.base, d.library.anatomy.eyes
    left, right = (base[e] for e in eyes)
    centers = [left.mean(axis=0), right.mean(axis=0)]
    front = max(left[:, 2].max(), right[:, 2].max()) + 0.1
    apart = abs(centers[0][0] - centers[1][0])
    width, height = apart * g.uniform(0.36, 0.43), apart * g.uniform(0.24, 0.38)
    power, wire = g.uniform(2.0, 4.0), g.uniform(0.01, 0.035)
    color = (g.uniform(0.005, 0.08) * np.exp(g.normal(0, 0.4, 3))).astype(np.float32)
    tubes, panes = [], []
    for center in centers:
        t = np.linspace(0, 2 * np.pi, ROUND, endpoint=False)
        x = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** (2 / power) * width
        y = np.sign(np.sin(t)) * np.abs(np.sin(t)) ** (2 / power) * height
        outside = (center[0] + x) * np.sign(center[0])
        rim = np.stack([center[0] + x, center[1] - 0.03 + y, front - 0.1 * outside**2], axis=1)
        tubes.append(_tube(rim, wire, closed=True))
        panes.append(rim)
        end = rim[np.argmax(rim[:, 0] * np.sign(center[0]))]
        ear = np.array([np.sign(center[0]) * (abs(end[0]) + 0.12), end[1] + 0.02, 0.45])
        share = np.linspace(0, 1, 8)[:, None]
        tubes.append(_tube(end * (1 - share) + ear * share, wire, closed=False))
    inner = [r[np.argmin(np.abs(r[:, 0]))] for r in panes]
    share = np.linspace(0, 1, 6)[:, None]
    bridge = inner[0] * (1 - share) + inner[1] * share
    bridge[:, 1:] += 0.06 * np.sin(np.pi * share)
    tubes.append(_tube(bridge, wire, closed=False))
    points, quads, start = [], [], 0
    for p, q in tubes:
        points.append(p)
        quads.append(q + start)
        start += len(p)
    dark = np.full((2, 2, 4), 255, np.uint8)
    slack = 0.02 * d.placed.scale
    for rim in panes:
        fan = np.concatenate([rim.mean(axis=0)[None], rim])
        k = np.arange(ROUND)
        triangles = np.stack([np.zeros_like(k), 1 + k, 1 + (k + 1) % ROUND], axis=1)
        mesh = TexturedMesh(triangles.astype(np.int32), np.full((ROUND, 3, 2), 0.5, np.float32))
        pane = dark.copy()
        pane[..., 3] = round(255 * d.worn.glasses)
        glass = 0.02 if d.worn.glasses > 0.5 else 0.4
        light = np.full((len(fan), 3), glass, np.float32) * d.lit(np.array([[0, 1, 0]], np.float32))
        blend_layer(d.color, cover, d.depth, d.pixels(fan), mesh, light, pane, slack)
    whole = np.concatenate(points)
    all_quads = np.concatenate(quads)
    mesh = split_quads(all_quads, np.full((len(all_quads), 4, 2), 0.5))
    normal = d.normals(whole, mesh)
    light = d.lit(normal) * color + 0.25 * d.shine(normal, 30)
    blend_layer(d.color, cover, d.depth, d.pixels(whole), mesh, light, dark, slack)


def _tube(line: Array, radius: float, *, closed: bool) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return vertices and quads of a wire along a line (n, 3)."""
    along = (
        np.roll(line, -1, axis=0) - np.roll(line, 1, axis=0)
        if closed
        else np.gradient(line, axis=0)
    )
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.cross(along, [0, 0.3, 1])
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-6)
    up = np.cross(side, along)
    t = 2 * np.pi * np.arange(AROUND) / AROUND
    ring = np.cos(t)[:, None, None] * side + np.sin(t)[:, None, None] * up
    points = (line + radius * ring).transpose(1, 0, 2).reshape(-1, 3)
    n = len(line)
    i = np.arange(n if closed else n - 1)[:, None]
    k = np.arange(AROUND)[None]
    j, m = (i + 1) % n, (k + 1) % AROUND
    corners = [i * AROUND + k, j * AROUND + k, j * AROUND + m, i * AROUND + m]
    return points, np.stack([c.ravel() for c in corners], axis=1)
