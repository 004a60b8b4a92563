"""Draw the pictures of docs/conventions.md from the project's own face model.

``python docs/make_figures.py`` rewrites ``docs/images/conventions/*.png``. Every face goes the way
that a network's output goes: parameters, camera, vertices, `Sim3DR`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from scipy.spatial.transform import Rotation

from Sim3DR.rasterize import rasterize
from tddfa import MorphableModel, load_face_model
from tddfa.cli import run_main
from tddfa.drawing.depth import depth
from tddfa.drawing.pncc import pncc
from tddfa.drawing.render import render
from tddfa.ibug68 import OUTLINES
from tddfa.params import FloatArray, split_params
from tddfa.pose import head_pose
from tddfa.reconstruct import image_cameras, reconstruct_vertices

ROOT = Path(__file__).resolve().parent.parent
CROP = 120
# Share of the crop that the face model's height takes.
EXTENT = 0.95
AXES = (("x", "#d62728"), ("y", "#2ca02c"), ("z", "#1f77b4"))
DPI = 100
TITLE: dict[str, Any] = {"fontsize": 11, "pad": 5}


class Studio:
    """Poses the mean face before a white ground.

    Parameters
    ----------
    model : MorphableModel
        Face model.
    side : int
        Pictures are squares of so many pixels.
    """

    def __init__(self, model: MorphableModel, side: int) -> None:
        self.model = model
        self.side = side
        self.tri = model.tri
        points = model.u.reshape(-1, 3)
        self.center = (points.max(axis=0) + points.min(axis=0)) / 2
        self.scale = EXTENT * CROP / float(np.ptp(points[:, 1]))

    def params(
        self, yaw: float = 0, pitch: float = 0, roll: float = 0, **expression: float
    ) -> FloatArray:
        """Return the 62 parameters of the mean face at these angles in degrees.

        ``expression`` holds coefficients by the component's name.
        """
        rotation = Rotation.from_euler("ZYX", [roll, -yaw, pitch], degrees=True).as_matrix()
        linear = self.scale * rotation
        offset = np.array([1, 0, 1]) + np.array([CROP, CROP, 0]) / 2 - linear @ self.center
        vector = np.zeros(62, np.float32)
        vector[:12] = np.column_stack([linear, offset]).ravel()
        for name, value in expression.items():
            vector[52 + self.model.exp_names.index(name)] = value
        pose = head_pose(vector)
        assert np.allclose([pose.yaw, pose.pitch, pose.roll], [yaw, pitch, roll], atol=1e-3)
        return vector

    def place(self, params: FloatArray, *, sparse: bool = False) -> FloatArray:
        """Return the vertices (3, N), or the 68 landmarks, in pixels of the picture."""
        parts = split_params(params[None])
        cameras = image_cameras(parts, [[0, 0, self.side, self.side]], CROP)
        basis = self.model.sparse if sparse else self.model.dense
        return reconstruct_vertices(basis, parts, cameras)[0]

    def ground(self) -> npt.NDArray[np.uint8]:
        """Return an empty picture."""
        return np.full((self.side, self.side, 3), 255, np.uint8)

    def photograph(self, params: FloatArray) -> npt.NDArray[np.uint8]:
        """Return the shaded face, RGB."""
        return render(self.ground(), [self.place(params)], self.tri, alpha=1)[..., ::-1]

    def axes(self, params: FloatArray) -> npt.NDArray[np.float64]:
        """Return where the model's origin and a point on each of its axes appear, (4, 2) pixels."""
        parts = split_params(params[None])
        camera = image_cameras(parts, [[0, 0, self.side, self.side]], CROP)[0].astype(np.float64)
        reach = 0.45 * float(np.ptp(self.model.u[1::3]))
        points = self.center + np.vstack([np.zeros(3), reach * np.eye(3)])
        return np.asarray((points @ camera[:, :3].T + camera[:, 3])[:, :2])


def sheet(rows: int, columns: int, side: int) -> tuple[Figure, npt.NDArray[Any]]:
    """Return a figure of square, frameless panels of `side` pixels with room for titles."""
    figure = Figure(figsize=(columns * side / DPI, rows * (side + 26) / DPI), dpi=DPI)
    panels = figure.subplots(rows, columns, squeeze=False)
    top = 1 - 26 / (rows * (side + 26))
    figure.subplots_adjust(0, 0, 1, top, 0.02, 26 / side)
    for panel in panels.ravel():
        panel.axis("off")
    return figure, panels


def draw_axes(panel: Any, ends: npt.NDArray[np.float64]) -> None:
    """Draw the model's axes as arrows; one that points at the viewer is a dot."""
    start = ends[0]
    for end, (name, color) in zip(ends[1:], AXES, strict=True):
        if np.hypot(*(end - start)) < 3:
            panel.plot(*start, "o", color=color, markersize=7)
            end = start
        else:
            arrow = {"arrowstyle": "-|>", "color": color, "linewidth": 2, "mutation_scale": 13}
            panel.annotate("", end, start, arrowprops=arrow | {"shrinkA": 0, "shrinkB": 0})
        panel.annotate(
            name, end, xytext=(6, -11), textcoords="offset points", color=color, fontsize=13
        )


def draw_pose(model: MorphableModel) -> Figure:
    """Draw the face at -30, 0 and +30 degrees of each angle."""
    studio = Studio(model, 240)
    figure, panels = sheet(3, 3, studio.side)
    rows = (("yaw", "right", "left"), ("pitch", "up", "down"), ("roll", "top right", "top left"))
    for row, (name, negative, positive) in zip(panels, rows, strict=True):
        for panel, angle, where in zip(row, (-30, 0, 30), (negative, "", positive), strict=True):
            params = studio.params(**{name: angle})
            panel.imshow(studio.photograph(params))
            draw_axes(panel, studio.axes(params))
            panel.set_title(f"{name} {angle:+d}° ({where})" if angle else f"{name} 0°", **TITLE)
    return figure


def draw_landmarks68(model: MorphableModel) -> Figure:
    """Draw the 68 landmarks with their indices."""
    studio = Studio(model, 1000)
    params = studio.params(jaw_open=4.1)
    x, y, _ = studio.place(params, sparse=True)
    left, right = x.min() - 60, x.max() + 60
    top, bottom = y.min() - 60, y.max() + 50
    figure = Figure(figsize=((right - left) / DPI, (bottom - top) / DPI), dpi=DPI)
    panel = figure.add_axes((0, 0, 1, 1))
    panel.axis("off")
    panel.imshow(studio.photograph(params) // 2 + 127)
    panel.set_xlim(left, right)
    panel.set_ylim(bottom, top)
    for first, end, closed in OUTLINES:
        ring = [*range(first, end), first] if closed else list(range(first, end))
        panel.plot(x[ring], y[ring], color="#1f77b4", linewidth=1)
    panel.plot(x, y, "o", color="#d62728", markersize=4)
    for index, away in enumerate(label_directions(x, y)):
        panel.annotate(
            str(index),
            (x[index], y[index]),
            xytext=11 * away,
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=9.5,
        )
    return figure


def label_directions(x: FloatArray, y: FloatArray) -> npt.NDArray[np.float64]:
    """Return a unit vector (x right, y up) per landmark along which its number has room."""
    away = np.zeros((68, 2))
    for first, end, closed in OUTLINES:
        part = slice(first, end)
        if closed:  # eyes and lips: outward, inner lips inward
            around = np.stack([x[part] - x[part].mean(), y[part].mean() - y[part]], axis=1)
            around[:, 1] *= 4  # they are wide: mostly up and down
            away[part] = -around if first == 60 else around
    away[:17] = np.stack([x[:17] - x[27], y[27] - y[:17]], axis=1)
    away[17:27] = (0, 1)
    away[27:31] = (1, 0)
    away[31:36] = (0, -1)
    # Corners of lips: beside them.
    for corner, direction in ((48, -1), (54, 1), (60, 1), (64, -1)):
        away[corner] = (direction, 0)
    return away / np.linalg.norm(away, axis=1, keepdims=True)


def draw_maps(model: MorphableModel) -> Figure:
    """Draw shading, depth, PNCC and the UV layout of one face."""
    studio = Studio(model, 250)
    vertices = studio.place(studio.params(yaw=20))
    views = [
        ("shaded", render(studio.ground(), [vertices], studio.tri, alpha=1)),
        ("depth", depth(studio.ground(), [vertices], studio.tri)),
        ("PNCC", pncc(studio.ground(), [vertices], studio.tri)),
        ("NCC on the UV map", unrolled_code(studio)),
    ]
    figure, panels = sheet(1, 4, studio.side)
    for panel, (title, picture) in zip(panels[0], views, strict=True):
        panel.imshow(picture[..., ::-1])
        panel.set_title(title, **TITLE)
    return figure


def unrolled_code(studio: Studio) -> npt.NDArray[np.uint8]:
    """Return the NCC code drawn in UV space, BGR."""
    assert studio.tri.uv is not None and studio.tri.ncc_code is not None
    places = np.zeros((studio.model.n_vertices, 3), np.float32)
    places[:, 0] = studio.tri.uv[:, 0] * (studio.side - 1)
    places[:, 1] = (1 - studio.tri.uv[:, 1]) * (studio.side - 1)
    return rasterize(places, studio.tri, studio.tri.ncc_code.T, bg=studio.ground())


FIGURES = {"pose": draw_pose, "landmarks68": draw_landmarks68, "maps": draw_maps}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=ROOT / "configs" / "face_model.npz")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "conventions")
    args = parser.parse_args(argv)
    model = load_face_model(args.model)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        draw(model).savefig(args.out / f"{name}.png", metadata={"Software": None})
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
