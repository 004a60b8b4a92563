"""The table of outputs: what ``-o`` takes, for pictures, videos and the webcam.

A new output is one entry in `OUTPUTS`; command lines, help texts and `Face.save` follow from it
(docs/extending.md).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from tddfa.errors import InputError
from tddfa.frame import Frame
from tddfa.params import FloatArray
from tddfa.picture import ImageArray


@dataclass(frozen=True)
class OutputSettings:
    """How outputs are made.

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
    plain_texture : bool
        Textures as the reference makes them: whatever the picture has at a vertex's place, be it
        hidden or beside the face.
    alpha : float
        Share of the shaded mesh in ``3d``, 0 to 1; the rest is the picture.
    """

    ply_binary: bool = False
    texture: bool = False
    n_threads: int = 1
    background: bool = True
    frontal: bool = False
    plain_texture: bool = False
    alpha: float = 0.6


@dataclass(frozen=True)
class Output:
    """One way to show or keep the faces of a picture; either `draw` or `write` is given.

    Attributes
    ----------
    summary : str
        What it is, for help texts: a few words.
    draw : callable, optional
        ``draw(frame, settings)`` returns a BGR picture (H, W, 3); the frame's own is not changed,
        and it has at least one face.
    write : callable, optional
        ``write(frame, settings, path)`` writes a file that is no picture.
    suffix : str
        Extension of the file.
    dense : bool
        Whether it needs all vertices of the face model.
    video : bool
        Whether it can be drawn for each frame of a video: a picture of the frame's size.
    """

    summary: str
    draw: Callable[[Frame, OutputSettings], ImageArray] | None = None
    write: Callable[[Frame, OutputSettings, Path], None] | None = None
    suffix: str = ".jpg"
    dense: bool = True
    video: bool = True

    def __post_init__(self) -> None:
        if (self.draw is None) == (self.write is None):
            raise TypeError("Output: expected either draw or write")
        if self.write is not None and self.video:
            object.__setattr__(self, "video", False)


# The modules are imported in the functions, so that an output costs only what it needs itself.


def _ground(frame: Frame, settings: OutputSettings) -> ImageArray:
    """Return the picture to draw on."""
    return frame.image if settings.background else np.zeros_like(frame.image)


def _frontal(frame: Frame) -> list[FloatArray]:
    """Return the faces' vertices without pose, side by side in the order of the picture."""
    from tddfa.frontal import frontal_vertices, side_by_side

    params = [face.param for face in frame.faces]
    places = [float(face.landmarks[0].mean()) for face in frame.faces]
    return side_by_side(frontal_vertices(frame.model, params), places)


def _sparse(frame: Frame, settings: OutputSettings) -> ImageArray:
    from tddfa.drawing.landmark_picture import draw_landmarks

    return draw_landmarks(_ground(frame, settings), frame.landmarks, show_flag=False)


def _dense(frame: Frame, settings: OutputSettings) -> ImageArray:
    from tddfa.drawing.landmark_picture import draw_landmarks

    ground = _ground(frame, settings)
    return draw_landmarks(ground, frame.vertices, show_flag=False, dense_flag=True)


def _render(frame: Frame, settings: OutputSettings) -> ImageArray:
    from tddfa.drawing.render import render

    return render(
        frame.image,
        frame.vertices,
        frame.tri,
        settings.alpha,
        with_bg_flag=settings.background,
        n_threads=settings.n_threads,
    )


def _depth(frame: Frame, settings: OutputSettings) -> ImageArray:
    from tddfa.drawing.depth import depth

    return depth(
        frame.image,
        frame.vertices,
        frame.tri,
        with_bg_flag=settings.background,
        n_threads=settings.n_threads,
    )


def _pncc(frame: Frame, settings: OutputSettings) -> ImageArray:
    from tddfa.drawing.pncc import pncc

    return pncc(
        frame.image,
        frame.vertices,
        frame.tri,
        with_bg_flag=settings.background,
        n_threads=settings.n_threads,
    )


def _uv_tex(frame: Frame, settings: OutputSettings) -> ImageArray:
    return _textures(frame, settings, 256)


def _textures(frame: Frame, settings: OutputSettings, side: int) -> ImageArray:
    """Return the faces' textures side by side, black off the mesh."""
    if settings.plain_texture:
        from tddfa.drawing.uv import uv_tex

        image, vertices = frame.image, frame.vertices
        return uv_tex(
            image, vertices, frame.tri, uv_h=side, uv_w=side, n_threads=settings.n_threads
        )
    from tddfa.drawing.texture import whole_textures

    return whole_textures(
        frame.image, frame.vertices, frame.model, side, n_threads=settings.n_threads
    )


def _pose(frame: Frame, settings: OutputSettings) -> ImageArray:
    from tddfa.drawing.canvas import canvas
    from tddfa.drawing.pose_box import plot_pose_box  # viz_pose would log the angles, too

    picture = canvas(frame.image, settings.background, settings.n_threads)
    for face in frame.faces:
        camera = np.c_[face.pose.rotation, face.pose.translation]
        side = face.size if np.isfinite(face.size) else 0
        plot_pose_box(picture, camera, face.landmarks, line_width=max(1, round(side / 120)))
    return picture


def _ply(frame: Frame, settings: OutputSettings, path: Path) -> None:
    from tddfa.export.serialization import ser_to_ply

    # Without a pose there is no picture whose height y could be counted from.
    height = 0 if settings.frontal else frame.image.shape[0]
    vertices = _frontal(frame) if settings.frontal else frame.vertices
    ser_to_ply(vertices, frame.tri, height, path, binary=settings.ply_binary)


def _obj(frame: Frame, settings: OutputSettings, path: Path) -> None:
    from tddfa.export.serialization import ser_to_obj

    image, vertices, tri, texture = frame.image, frame.vertices, frame.tri, None
    if settings.texture:
        texture = _textures(frame, settings, 1024)
    shapes = _frontal(frame) if settings.frontal else None
    height = 0 if settings.frontal else image.shape[0]
    ser_to_obj(image, vertices, tri, height, path, texture=texture, shapes=shapes)


def _glb(frame: Frame, settings: OutputSettings, path: Path) -> None:
    from tddfa.export.picture_glb import write_picture_glb

    write_picture_glb(frame, path, n_threads=settings.n_threads)


OUTPUTS: Mapping[str, Output] = MappingProxyType(
    {
        "2d_sparse": Output("68 landmarks, joined", _sparse, dense=False),
        "2d_dense": Output("every sixth vertex as a dot", _dense),
        "3d": Output("the shaded mesh over the picture", _render),
        "depth": Output("depth as gray, white is nearest", _depth),
        "pncc": Output("projected normalized coordinate code", _pncc),
        "uv_tex": Output("the texture, unrolled", _uv_tex, video=False),
        "pose": Output("a box that turns with the head", _pose, dense=False),
        "ply": Output("mesh, PLY", write=_ply, suffix=".ply"),
        "obj": Output("mesh with the picture's colors, OBJ", write=_obj, suffix=".obj"),
        "glb": Output("textured head with 52 blendshapes, glTF", write=_glb, suffix=".glb"),
    }
)


def output_names(*, video: bool = False) -> list[str]:
    """Return the names of all outputs, or of those that a video can have."""
    return [name for name, output in OUTPUTS.items() if output.video or not video]


def describe_outputs(*, video: bool = False) -> str:
    """Return the outputs' names with their summaries, for help texts."""
    return ", ".join(f"{name} ({OUTPUTS[name].summary})" for name in output_names(video=video))


def find_output(name: str) -> Output:
    """Return an output by name, or raise `InputError`."""
    if name not in OUTPUTS:
        raise InputError(f"output: expected one of {', '.join(OUTPUTS)}, got '{name}'")
    return OUTPUTS[name]
