"""The nine outputs of ``demo.py -o``, by name."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tddfa.drawing.checks import FloatArray
from tddfa.io.decode import ImageArray
from tddfa.pipeline import Face, Pipeline

PICTURES = ("2d_sparse", "2d_dense", "3d", "depth", "pncc", "uv_tex", "pose")
MESHES = ("ply", "obj")
OPTIONS = PICTURES + MESHES


@dataclass(frozen=True)
class OutputSettings:
    """How outputs are written.

    Attributes
    ----------
    ply_binary : bool
        Binary little-endian PLY instead of ASCII.
    texture : bool
        OBJ with ``vt`` coordinates, material and a PNG of the faces' textures.
    n_threads : int
        Threads of the rasterizer.
    background : bool
        Draw over the picture; if false, on black.
    frontal : bool
        Meshes without pose, in the face model's frame and unit, see `tddfa.frontal`.
    """

    ply_binary: bool = False
    texture: bool = False
    n_threads: int = 1
    background: bool = True
    frontal: bool = False


@dataclass(frozen=True)
class Scene:
    """A picture with its aligned faces; dense vertices are made once, when first needed.

    Attributes
    ----------
    img : ndarray, shape (H, W, 3), uint8
        BGR picture.
    faces : list of Face
        At least one.
    pipeline : Pipeline
        What aligned them.
    """

    img: ImageArray
    faces: list[Face]
    pipeline: Pipeline
    settings: OutputSettings = field(default_factory=OutputSettings)

    @cached_property
    def dense(self) -> list[FloatArray]:
        """Vertices (3, N) of each face."""
        return self.pipeline.dense_vertices(self.faces)

    @cached_property
    def ground(self) -> ImageArray:
        """The picture to draw on."""
        return self.img if self.settings.background else np.zeros_like(self.img)

    @property
    def sparse(self) -> list[FloatArray]:
        """Landmarks (3, 68) of each face."""
        return [face.landmarks for face in self.faces]

    def make(self, option: str, path: Path | None = None) -> Any:
        """Make one output.

        Parameters
        ----------
        option : str
            One of `OPTIONS`.
        path : Path, optional
            Where to write it; needed for meshes.

        Returns
        -------
        ndarray or None
            The picture; None for meshes.
        """
        # Imported here, so that an output costs only what it needs itself.
        tri, threads = self.pipeline.aligner.tri, self.settings.n_threads
        back = self.settings.background
        if option in ("2d_sparse", "2d_dense"):
            from tddfa.drawing.landmark_picture import draw_landmarks

            dense = option == "2d_dense"
            points = self.dense if dense else self.sparse
            return draw_landmarks(self.ground, points, wfp=path, dense_flag=dense)
        if option == "3d":
            from tddfa.drawing.render import render

            return render(self.img, self.dense, tri, with_bg_flag=back, n_threads=threads, wfp=path)
        if option == "depth":
            from tddfa.drawing.depth import depth

            return depth(self.img, self.dense, tri, with_bg_flag=back, n_threads=threads, wfp=path)
        if option == "pncc":
            from tddfa.drawing.pncc import pncc

            return pncc(self.img, self.dense, tri, with_bg_flag=back, n_threads=threads, wfp=path)
        if option == "uv_tex":
            from tddfa.drawing.uv import uv_tex

            return uv_tex(self.img, self.dense, tri, n_threads=threads, wfp=path)
        if option == "pose":
            from tddfa.drawing.pose_box import viz_pose

            params = [face.param for face in self.faces]
            return viz_pose(self.ground, params, self.sparse, wfp=path)
        if path is None:
            raise ValueError(f"{option}: a mesh needs a path")
        self._write_mesh(option, path)
        return None

    def _write_mesh(self, option: str, path: Path) -> None:
        from tddfa.export.serialization import ser_to_obj, ser_to_ply

        tri, height = self.pipeline.aligner.tri, self.img.shape[0]
        shapes = None
        if self.settings.frontal:
            from tddfa.frontal import frontal_vertices, side_by_side

            params = [face.param for face in self.faces]
            places = [float(face.landmarks[0].mean()) for face in self.faces]
            shapes = side_by_side(frontal_vertices(self.pipeline.aligner.bfm, params), places)
            height = 0
        if option == "ply":
            binary = self.settings.ply_binary
            ser_to_ply(shapes or self.dense, tri, height, path, binary=binary)
        elif self.settings.texture:
            from tddfa.drawing.uv import uv_tex

            texture = uv_tex(self.img, self.dense, tri, uv_h=1024, uv_w=1024)
            ser_to_obj(
                self.img, self.dense, tri, height, path, uv=tri.uv, texture=texture, shapes=shapes
            )
        else:
            ser_to_obj(self.img, self.dense, tri, height, path, shapes=shapes)
