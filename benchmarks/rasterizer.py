"""Time the rasterizer's variants and thread counts on a mesh of a face's size and density.

The variants take turns, so that a busy machine slows all of them alike: read the ratios rather than
the milliseconds.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from Sim3DR import RenderPipeline, get_normal, rasterize, rasterize_triangles


def ellipsoid(size: float, rows: int = 195) -> tuple[np.ndarray, np.ndarray]:
    """Return the front half of an ellipsoid, ``size`` pixels high, with 2 (rows - 1)² triangles."""
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : rows * 1j]
    x = x * np.sqrt(1 - y**2 / 2)  # square to disk
    y = y * np.sqrt(1 - np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : rows * 1j][1] ** 2 / 2)
    z = np.sqrt(np.clip(1 - x**2 - y**2, 0, None))
    points = np.stack([x * 0.85, y, z], axis=-1).reshape(-1, 3)
    index = np.arange(rows * rows).reshape(rows, rows)
    a, b, c, d = (
        part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:])
    )
    triangles = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])
    order = np.argsort(np.concatenate([np.arange(len(a)), np.arange(len(a))]), kind="stable")
    return ((points + 1.05) * size / 2).astype(np.float32), triangles[order].astype(np.int32)


def median_times(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median milliseconds of each call; they take turns, after one warm-up."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if turn:
                times[name].append(time.perf_counter() - start)
    return {name: 1e3 * float(np.median(values)) for name, values in times.items()}


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=1000, help="height of the face in pixels")
    parser.add_argument("--repeats", type=int, default=30, help="runs of each variant")
    parser.add_argument(
        "--threads", type=int, nargs="+", default=[1, 2], help="thread counts to compare"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    arguments = parser.parse_args()

    vertices, triangles = ellipsoid(arguments.size)
    colors = np.random.default_rng(0).random((len(vertices), 3), dtype=np.float32)
    side = int(arguments.size * 1.1)
    picture = np.zeros((side, side, 3), dtype=np.uint8)
    five = np.zeros((side, side, 5), dtype=np.uint8)
    pipeline = RenderPipeline()

    calls: dict[str, Callable[[], object]] = {
        "get_normal": lambda: get_normal(vertices, triangles),
        "shade": lambda: pipeline.shade(vertices, triangles),
    }
    for n in arguments.threads:
        calls |= {
            f"three channels, {n} threads": partial(
                rasterize, vertices, triangles, colors, picture, n_threads=n
            ),
            f"gray, {n} threads": partial(
                rasterize, vertices, triangles, colors[:, :1], picture, n_threads=n
            ),
            f"five channels, {n} threads": partial(
                rasterize, vertices, triangles, colors[:, [0, 1, 2, 0, 1]], five, n_threads=n
            ),
            f"fragments, {n} threads": partial(
                rasterize_triangles, vertices, triangles, side, side, n_threads=n
            ),
            f"RenderPipeline, {n} threads": partial(
                pipeline, vertices, triangles, picture, n_threads=n
            ),
        }
    times = median_times(calls, arguments.repeats)
    covered = int((rasterize_triangles(vertices, triangles, side, side).triangle >= 0).sum())
    base = times[f"three channels, {arguments.threads[0]} threads"]
    print(f"{len(triangles)} triangles cover {covered} pixels; {os.cpu_count()} cores")
    for name, value in times.items():
        print(f"{name:28} {value:8.2f} ms   {value / base:5.2f}")
    if arguments.json:
        result = {"triangles": len(triangles), "covered_pixels": covered, "median_ms": times}
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
