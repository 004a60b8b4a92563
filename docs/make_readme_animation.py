"""Draw the README's moving picture: landmarks, mesh, pose, depth, and the head turning by itself.

python -m docs.make_readme_animation --onnx
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from Sim3DR import get_normal, rasterize_triangles
from tddfa.arguments import add_model_arguments
from tddfa.cli import run_main
from tddfa.drawing.texture import face_texture
from tddfa.drawing.texture_map import TextureMap
from tddfa.export.head_glb import neutral_vertices
from tddfa.face import Face
from tddfa.face_aligner import FaceAligner
from tddfa.io.pictures import imread
from tddfa.params import FloatArray, split_params
from tddfa.picture import ImageArray
from tddfa.pipelines import build_pipeline

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "images" / "readme" / "astronaut.webp"
SHOWN = ("2d_sparse", "2d_dense", "3d", "pose", "depth")
HEAD = (slice(0, 250), slice(95, 345))
SIDE, STEPS, HOLD = 400, 8, 10
TURN, MILLISECONDS = 48, 50
TEXTURE = 1024


def mixed(before: ImageArray, after: ImageArray) -> Iterator[ImageArray]:
    """Yield `after` being wiped over `before` from the left, then standing still."""
    for step in range(1, STEPS + 1):
        edge = SIDE * step // STEPS
        yield np.hstack([after[:, :edge], before[:, edge:]])
    yield from [after] * HOLD


class Avatar:
    """A face in its own texture, as an engine shows its GLB.

    Parameters
    ----------
    image : ndarray, shape (H, W, 3), uint8
    face : Face
    """

    def __init__(self, image: ImageArray, face: Face) -> None:
        self.triangles = face.model.tri
        unrolled = TextureMap.of_model(face.model, TEXTURE)
        self.texture = face_texture(image, face.vertices, face.model.tri, unrolled)
        self.uv = np.asarray(face.model.tri.uv, np.float32)
        shape = split_params(face.param).shape
        vertices = neutral_vertices(face.model, np.ravel(shape))
        self.vertices = vertices - (vertices.max(axis=0) + vertices.min(axis=0)) / 2
        self.scale = 0.86 * SIDE / float(np.ptp(self.vertices[:, 1]))

    def __call__(self, yaw: float, pitch: float) -> ImageArray:
        """Return it turned by degrees, on gray."""
        turn = Rotation.from_euler("XY", [pitch, yaw], degrees=True).as_matrix()
        seen: FloatArray = np.asarray(self.vertices @ turn.T, np.float32)
        pixels = self.scale * 2 * seen * np.array([1, -1, 1], np.float32) + np.array(
            [SIDE, SIDE, 0], np.float32
        )
        found = rasterize_triangles(
            np.ascontiguousarray(pixels, np.float32), self.triangles, 2 * SIDE, 2 * SIDE
        )
        hit = found.triangle >= 0
        corners, weights = self.triangles[found.triangle[hit]], found.weights[hit][:, :, None]
        place = np.zeros((2 * SIDE, 2 * SIDE, 2), np.float32)
        place[hit] = (self.uv[corners] * weights).sum(axis=1) * TEXTURE
        color = cv2.remap(
            self.texture, place[..., 0] - 0.5, TEXTURE - place[..., 1] - 0.5, cv2.INTER_LINEAR
        )[hit]
        normal = np.asarray(get_normal(seen, self.triangles), np.float32)
        normal = (normal[corners] * weights).sum(axis=1)
        light = 0.72 + 0.33 * np.clip(np.abs(normal[:, 2:]), 0, 1)
        out = np.full((2 * SIDE, 2 * SIDE, 3), 38, np.uint8)
        out[hit] = np.clip(color * light, 0, 255)
        return np.asarray(cv2.resize(out, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def frames(image: ImageArray, face: Face) -> Iterator[ImageArray]:
    """Yield the whole picture show."""

    def cut(picture: ImageArray) -> ImageArray:
        return np.asarray(
            cv2.resize(picture[HEAD], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8
        )

    before = cut(image)
    yield from [before] * HOLD
    for option in SHOWN:
        after = cut(FaceAligner.render(image, [face], option))
        yield from mixed(before, after)
        before = after
    avatar = Avatar(image, face)
    still = avatar(0, 0)
    yield from list(mixed(before, still))[:STEPS]
    for step in range(TURN):
        angle = 2 * np.pi * step / TURN
        yield avatar(50 * np.sin(angle), -8 * np.sin(2 * angle))
    yield from list(mixed(still, cut(image)))[:STEPS]


def main(argv: Sequence[str] | None = None) -> int:
    """Write the moving picture."""
    from PIL import Image

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_model_arguments(parser)
    pipeline = build_pipeline(parser.parse_args(argv))
    image = imread(ROOT / "examples" / "inputs" / "astronaut.png")
    shown = [Image.fromarray(frame[..., ::-1]) for frame in frames(image, pipeline(image)[0])]
    shown[0].save(
        TARGET,
        save_all=True,
        append_images=shown[1:],
        duration=MILLISECONDS,
        loop=0,
        quality=62,
        method=4,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
