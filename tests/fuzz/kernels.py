"""Random and hostile arguments for the compiled kernels, through the functions that call them.

Worth most with kernels built for AddressSanitizer, see .ci/sanitize: what they read or write beyond
an array ends the process. ``python -m tests.fuzz.kernels --rounds 2000 --seed 1``.
"""

import argparse
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from FaceBoxes.nms import nms
from Sim3DR.lighting import RenderPipeline
from Sim3DR.normals import get_normal
from Sim3DR.rasterize import rasterize, rasterize_triangles
from tddfa.drawing.sampling import bilinear_colors, nearest_colors
from tddfa.export.text_format import format_indices, format_rows
from tddfa.morphable_model import MorphableModel
from tddfa.params import LAYOUTS
from tddfa.reconstruct import Reconstructor
from tddfa.topology import Topology

Generator = np.random.Generator
_EXTREME = np.float32([np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45, -0.0, 2**31, -(2**31), 0.5])


def numbers(rng: Generator, shape: tuple[int, ...], largest: float = 100.0) -> np.ndarray:
    """Return float32 numbers about a picture's size, some of them whole, some extreme."""
    values = rng.normal(0, largest, shape).astype(np.float32)
    if rng.integers(3) == 0:
        values = np.rint(values)
    extreme = rng.random(shape) < rng.choice([0, 0, 0.02, 0.5])
    values[extreme] = rng.choice(_EXTREME, int(extreme.sum()))
    return values


def size(rng: Generator, largest: int) -> int:
    """Return a size, often a small one."""
    return int(rng.integers(largest + 1)) if rng.integers(3) else int(rng.integers(4))


def _mesh(rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    n, m = size(rng, 300), size(rng, 600)
    faces = rng.integers(0, max(n, 1), (m if n else 0, 3)).astype(np.int32)
    return numbers(rng, (n, 3), float(rng.choice([2, 30, 300]))), faces


def draw(rng: Generator) -> None:
    vertices, faces = _mesh(rng)
    channels, threads = int(rng.choice([1, 2, 3, 4])), int(rng.integers(1, 5))
    picture = np.zeros((size(rng, 90), size(rng, 90), channels), np.uint8)
    colors = numbers(rng, (len(vertices), int(rng.choice([1, channels]))), 1.0)
    turned = bool(rng.integers(2))
    rasterize(vertices, faces, colors, picture, reverse=turned, n_threads=threads)
    view = np.zeros((90, 90, 6), np.uint8)[: picture.shape[0], ::2, ::2]
    rasterize(vertices, faces, colors[:, :1], view, n_threads=threads)


def find(rng: Generator) -> None:
    vertices, faces = _mesh(rng)
    height, width = size(rng, 90), size(rng, 90)
    found = rasterize_triangles(vertices, faces, height, width, n_threads=int(rng.integers(1, 4)))
    assert found.triangle.max(initial=-1) < len(faces)


def light(rng: Generator) -> None:
    vertices, faces = _mesh(rng)
    get_normal(vertices, faces)
    color = tuple(rng.random(3))
    where = tuple(rng.normal(0, 5, 3))
    pipeline = RenderPipeline(
        specular_exp=int(rng.choice([1, 5, 2**31 - 1])), color_ambient=color, light_pos=where
    )
    shades = pipeline.shade(vertices, faces)
    assert ((shades >= 0) & (shades <= 1)).all()


def suppress(rng: Generator) -> None:
    boxes = numbers(rng, (size(rng, 400), 5))
    kept = nms(boxes, float(rng.uniform(0.01, 1)), [None, 0, 1, 750][int(rng.integers(4))])
    assert len(set(kept.tolist())) == len(kept) <= len(boxes)


def sample(rng: Generator) -> None:
    picture = rng.integers(0, 256, (1 + size(rng, 40), 1 + size(rng, 40), 3), np.uint8)
    n = size(rng, 500)
    x, y = numbers(rng, (n,)), numbers(rng, (n,))
    bilinear_colors(picture, x, y, 1 / 255)
    bilinear_colors(picture, x, y, out=np.empty((3, n), np.float32).T)
    nearest_colors(picture, x, y)


def write_text(rng: Generator) -> None:
    shape = size(rng, 200), 1 + size(rng, 5)
    values = numbers(rng, shape, float(rng.choice([1, 1e4, 1e12, 1e30])))
    decimals = int(rng.integers(1, 9))
    text = bytes(format_rows(np.nan_to_num(values), b"v ", decimals))
    assert text.count(b"\n") == shape[0]
    rows = rng.integers(0, int(rng.choice([1, 9, 10**5, 2**31 - 1])), shape).astype(np.int32)
    offset = int(rng.choice([0, 1, 10**13]))
    text = bytes(format_indices(rows, b"f ", offset, paired=bool(rng.integers(2))))
    assert text.count(b"\n") == shape[0]


def reconstruct(rng: Generator) -> None:
    n = int(rng.choice([1, 2, 68, 1023, 1024, 1025]))
    shapes, expressions = LAYOUTS[int(rng.choice(list(LAYOUTS)))]
    model = MorphableModel(
        u=numbers(rng, (3 * n, 1)),
        w_shp=numbers(rng, (3 * n, shapes)).astype(rng.choice([np.float16, np.float32])),
        w_exp=numbers(rng, (3 * n, expressions)),
        tri=Topology(rng.integers(0, n, (9, 3)).astype(np.int32)),
        keypoints=(rng.integers(0, n, 68)[:, None] * 3 + np.arange(3)).ravel().astype(np.int32),
    )
    faces = size(rng, 4)
    params = list(numbers(rng, (faces, 12 + shapes + expressions), 1.0))
    boxes = [box.tolist() for box in numbers(rng, (faces, 4))]
    for dense in (False, True):
        made = Reconstructor(model, 120, int(rng.integers(1, 4)))(params, boxes, dense=dense)
        assert [vertices.shape for vertices in made] == [(3, n if dense else 68)] * faces


TRIALS: tuple[Callable[[Generator], None], ...] = (
    *(draw, find, light, suppress, sample, write_text, reconstruct),
)


def fuzz_kernels(rounds: int, seed: int = 0) -> int:
    """Call every kernel so often; return the number of rounds done."""
    with np.errstate(all="ignore"):
        for number in range(rounds):
            for kind, trial in enumerate(TRIALS):
                trial(np.random.default_rng([seed, kind, number]))
    return rounds


def main(argv: Any = None) -> int:
    parser = argparse.ArgumentParser("python -m tests.fuzz.kernels", description=__doc__)
    parser.add_argument("--rounds", type=int, default=500, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    args = parser.parse_args(argv)
    done = fuzz_kernels(args.rounds, args.seed)
    sys.stdout.write(f"{done} rounds of {len(TRIALS)} kernels' functions\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
