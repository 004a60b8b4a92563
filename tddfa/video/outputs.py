"""The outputs of the video demos: one picture per frame."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from tddfa.drawing.checks import FloatArray
from tddfa.drawing.labels import draw_labels
from tddfa.io.decode import ImageArray
from tddfa.tracking.frames import Frame

VIDEO_OPTIONS = ("2d_sparse", "2d_dense", "3d", "depth", "pncc", "pose")
# Outputs that need all vertices of the face model.
DENSE_OPTIONS = frozenset({"2d_dense", "3d", "depth", "pncc"})
# Outputs that cover what is under them, and know by themselves how to do without a picture.
_MESH_OPTIONS = frozenset({"3d", "depth", "pncc"})


class FrameDrawer:
    """Draw the faces of frames.

    Parameters
    ----------
    option : str
        One of `VIDEO_OPTIONS`.
    tri : Topology
        Triangles of the face model.
    n_threads : int
        Threads of the rasterizer.
    labels : bool
        Write each face's id and score beside it.
    background : bool
        Draw over the frame; if false, on black.
    """

    def __init__(
        self,
        option: str,
        tri: Any,
        n_threads: int = 1,
        *,
        labels: bool = False,
        background: bool = True,
    ) -> None:
        self.option = option
        self.labels = labels
        self.background = background
        self._draw = _drawer(option, tri, n_threads, background)

    @property
    def dense(self) -> bool:
        """Whether the faces must bring all their vertices."""
        return self.option in DENSE_OPTIONS

    def __call__(self, frame: Frame) -> ImageArray:
        """Return the frame's picture with its faces drawn; the frame's own if it has none."""
        if not self.background and self.option not in _MESH_OPTIONS:
            frame = replace(frame, image=np.zeros_like(frame.image))
        if not frame.faces:
            return frame.image if self.background else np.zeros_like(frame.image)
        picture = self._draw(frame)
        if self.labels:
            draw_labels(picture, frame.faces)
        return picture


def _drawer(
    option: str, tri: Any, n_threads: int, background: bool
) -> Callable[[Frame], ImageArray]:
    # Imported here, so that an output costs only what it needs itself.
    if option in ("2d_sparse", "2d_dense"):
        from tddfa.drawing.landmark_picture import draw_landmarks

        dense = option == "2d_dense"
        return lambda frame: draw_landmarks(
            frame.image, _points(frame, dense), show_flag=False, dense_flag=dense
        )
    if option == "pose":
        return _draw_pose
    draw: Callable[..., ImageArray]
    if option == "3d":
        from tddfa.drawing.render import render

        draw = render
    elif option == "depth":
        from tddfa.drawing.depth import depth

        draw = depth
    elif option == "pncc":
        from tddfa.drawing.pncc import pncc

        draw = pncc
    else:
        raise ValueError(f"option: expected one of {', '.join(VIDEO_OPTIONS)}, got {option!r}")
    return lambda frame: draw(
        frame.image,
        _points(frame, True),
        tri,
        show_flag=False,
        with_bg_flag=background,
        n_threads=n_threads,
    )


def _points(frame: Frame, dense: bool = False) -> list[FloatArray]:
    if not dense:
        return [face.landmarks for face in frame.faces]
    return [face.vertices for face in frame.faces if face.vertices is not None]


def _draw_pose(frame: Frame) -> ImageArray:
    """Draw pose boxes; `viz_pose` would print the angles of every frame, too."""
    from tddfa.drawing.pose_box import plot_pose_box

    picture = frame.image.copy()
    for face in frame.faces:
        pose = face.pose
        camera = np.c_[pose.rotation, pose.translation]
        plot_pose_box(picture, camera, face.landmarks, line_width=max(1, round(face.size / 120)))
    return picture
