"""Draw the pictures of docs/face_model.md from the model alone.

python -m training.face_model.pictures [--out docs/images/face_model]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from training.face_model.measure import MODEL, load_model
from training.face_model.rendering import SKIN, View, caption, draw, tiles

OUT = Path(__file__).parents[2] / "docs/images/face_model"
SIDE, CENTER = 220, (0.0, -4.0, 0.0)
PALETTE = np.array(
    [[205, 205, 205], [230, 150, 60], [60, 150, 230], [120, 60, 20], [20, 60, 120], [80, 190, 80],
     [150, 60, 200], [190, 110, 240], [200, 200, 90], [90, 200, 200], [170, 190, 150],
     [120, 120, 190], [160, 120, 60], [60, 120, 160], [40, 40, 40]], float
)  # fmt: skip


class Sheet:
    """Draws shapes of one model."""

    def __init__(self, path: Path) -> None:
        self.model = load_model(path)
        m = self.model
        names = list(m["region_names"])
        self.color = np.tile(SKIN, (len(m["u"]), 1))
        self.color[np.isin(m["region"], [names.index("upper_lip"), names.index("lower_lip")])] = (
            130, 130, 200,
        )  # fmt: skip
        self.color[m["region"] == names.index("mouth_inside")] = (70, 60, 130)
        self.eyes()

    def eyes(self) -> None:
        """Paint the filled lid openings white with a dark iris."""
        m = self.model
        for side, pairs in zip((1, -1), m["lid_probes"], strict=True):
            center = m["u"][pairs].mean((0, 1))
            upper, lower = m["u"][pairs[:, 0]], m["u"][pairs[:, 1]]
            x, y = m["u"][:, 0] * side, m["u"][:, 1]
            order = np.argsort(upper[:, 0] * side)
            top = np.interp(x, upper[order, 0] * side, upper[order, 1])
            bottom = np.interp(x, lower[order, 0] * side, lower[order, 1])
            span = upper[order, 0] * side
            inside = (x > span[0] - 2) & (x < span[-1] + 2) & (y < top + 0.2) & (y > bottom - 0.2)
            inside &= np.abs(m["u"][:, 2] - center[2]) < 12
            away = np.linalg.norm((m["u"] - center)[:, :2], axis=1)
            self.color[inside] = (235, 235, 235)
            self.color[inside & (away < 5.8)] = (90, 70, 60)
            self.color[inside & (away < 2.6)] = (25, 25, 25)

    def shape(
        self, a: dict[int, float] | None = None, e: dict[int, float] | None = None
    ) -> np.ndarray:
        """Return vertices for some coefficients."""
        x = self.model["u"].astype(float)
        for k, v in (a or {}).items():
            x = x + v * self.model["w_shp"][:, :, k]
        for k, v in (e or {}).items():
            x = x + v * self.model["w_exp"][:, :, k]
        return x

    def face(
        self,
        x: np.ndarray,
        yaw: float = 0,
        pitch: float = 0,
        size: int = SIDE,
        span: float = 255,
        center: tuple[float, float, float] = CENTER,
        color: np.ndarray | None = None,
    ) -> np.ndarray:
        """Draw one face."""
        view = View(size, yaw, pitch, center, span)
        return draw(x, self.model["tri"], view, self.color if color is None else color)

    def marked(
        self, x: np.ndarray, yaw: float, size: int, span: float, center: tuple[float, float, float]
    ) -> np.ndarray:
        """Draw a face with its 68 key points."""
        view = View(size, yaw, 0, center, span)
        out = self.face(x, yaw, 0, size, span, center)
        for k, p in enumerate(view.project(x)[self.model["keypoints"]]):
            at = (round(float(p[0])), round(float(p[1])))
            cv2.circle(out, at, 2, (0, 140, 0), -1, cv2.LINE_AA)
            cv2.putText(out, str(k), (at[0] + 3, at[1] - 2), 0, 0.3, (160, 0, 0), 1, cv2.LINE_AA)
        return out


def draw_all(sheet: Sheet) -> dict[str, np.ndarray]:
    """Return file stem -> picture."""
    m, out = sheet.model, {}
    mean = sheet.shape()
    out["mean"] = tiles(
        [sheet.face(mean, y, p) for y, p in ((0, 0), (45, 0), (90, 0), (30, -35))], 4
    )
    out["mean_regions"] = tiles(
        [sheet.face(mean, y, color=PALETTE[m["region"]]) for y in (0, 50, 90)], 3
    )
    shapes = []
    for k in range(m["w_shp"].shape[2]):
        for s in (-2, 2):
            shapes.append(caption(sheet.face(sheet.shape({k: s}), 20, size=170), f"{k}: {s:+} SD"))
    out["shapes"] = tiles(shapes, 8)
    faces = []
    for k, name in enumerate(m["exp_names"]):
        for s in m["exp_range"][k]:
            x = sheet.shape(e={k: float(s)})
            faces.append(
                caption(
                    sheet.face(x, 12, size=200, span=215, center=(0, -22, 0)), f"{name} {s:+.2g}"
                )
            )
    out["expressions"] = tiles(faces, 4)
    top = m["exp_range"][:, 1].tolist()
    acts: dict[str, dict[int, float]] = {  # shares of the range
        "neutral": {}, "both eyes shut": {1: 1, 2: 1}, "left eye shut": {1: 1},
        "jaw open": {0: 0.8}, "smile": {4: 0.75}, "pucker": {5: 0.9}, "brows up": {3: 1},
        "cheek puff": {8: 0.5}, "sneer": {6: 0.8}, "mouth sideways": {9: 0.7},
    }  # fmt: skip
    out["acts"] = tiles(
        [caption(sheet.face(sheet.shape(e={i: s * top[i] for i, s in e.items()}), 0, size=200,
                            span=215, center=(0, -22, 0)), k)
         for k, e in acts.items()], 5
    )  # fmt: skip
    middle = (0.0, -15.0, 0.0)
    moved = sheet.shape(e={0: 0.8 * top[0], 1: top[1], 2: top[2]})
    out["landmarks"] = tiles(
        [
            sheet.marked(mean, 0, 480, 205, middle),
            sheet.marked(mean, 60, 480, 205, middle),
            sheet.marked(moved, 0, 480, 205, middle),
            sheet.marked(moved, 30, 480, 205, middle),
        ],
        2,
    )
    rng = np.random.default_rng(3)
    some = []
    for _ in range(16):
        a = dict(enumerate(rng.normal(0, 1, 40)))
        some.append(sheet.face(sheet.shape(a), float(rng.choice([-25, 0, 25])), size=170))
    out["random"] = tiles(some, 8)
    size = 520
    uv = np.column_stack([m["uv"] * [1, -1] * (size - 1) + [0, size - 1], np.zeros(len(mean))])
    out["uv"] = _flat(uv, m["tri"], sheet.color, mean, size)
    eye = [sheet.face(sheet.shape(e={1: b}), 0, size=200, span=56, center=(32, 18, 0))
           for b in (m["exp_range"][1, 0], 0, 0.5 * top[1], top[1])]  # fmt: skip
    mouth = [sheet.face(sheet.shape(e={0: j}), 0, size=200, span=86, center=(0, -50, 0))
             for j in (0, 0.25 * top[0], 0.6 * top[0], top[0])]  # fmt: skip
    out["lids_and_lips"] = tiles(eye + mouth, 4)
    return out


def _flat(
    uv: np.ndarray, tri: np.ndarray, color: np.ndarray, x: np.ndarray, size: int
) -> np.ndarray:
    """Draw the texture layout, shaded, with checks of 10 mm."""
    from Sim3DR import get_normal, rasterize_triangles

    hit = rasterize_triangles(uv.astype(np.float32), tri, size, size)
    mask = hit.triangle >= 0
    t, w = tri[hit.triangle[mask]], hit.weights[mask][:, :, None]
    light = 0.45 + 0.55 * np.clip(get_normal(x, tri) @ [0.2, 0.35, 0.9], 0, 1)
    out = np.full((size, size, 3), 255, np.float32)
    at = (x[t] * w).sum(1)
    dark = (np.floor(at[:, 0] / 10) + np.floor(at[:, 1] / 10)) % 2 == 0
    out[mask] = ((color * light[:, None])[t] * w).sum(1) * np.where(dark, 0.85, 1)[:, None]
    return out.astype(np.uint8)


def main() -> None:
    """Command line."""
    p = argparse.ArgumentParser(description="Draw the pictures of docs/face_model.md.")
    p.add_argument("--model", type=Path, default=MODEL)
    p.add_argument("--out", type=Path, default=OUT)
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    for name, picture in draw_all(Sheet(a.model)).items():
        cv2.imwrite(str(a.out / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
