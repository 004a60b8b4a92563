"""The outputs of the video demos: one picture per frame."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tddfa.drawing.checks import FloatArray
from tddfa.drawing.labels import draw_labels
from tddfa.picture import ImageArray
from tddfa.tracking.frames import Frame

VIDEO_OPTIONS = ("2d_sparse", "2d_dense", "3d", "depth", "pncc", "pose")
# Outputs that need all vertices of the face model.
DENSE_OPTIONS = frozenset({"2d_dense", "3d", "depth", "pncc"})


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
    """

    def __init__(self, option: str, tri: Any, n_threads: int = 1, *, labels: bool = False) -> None:
        self.option = option
        self.labels = labels
        self._draw = _drawer(option, tri, n_threads)

    @property
    def dense(self) -> bool:
        """Whether the faces must bring all their vertices."""
        return self.option in DENSE_OPTIONS

    def __call__(self, frame: Frame) -> ImageArray:
        """Return the frame's picture with its faces drawn; the frame's own if it has none."""
        if not frame.faces:
            return frame.image
        picture = self._draw(frame)
        if self.labels:
            draw_labels(picture, frame.faces)
        return picture


def _drawer(option: str, tri: Any, n_threads: int) -> Callable[[Frame], ImageArray]:
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
        frame.image, _points(frame, True), tri, show_flag=False, n_threads=n_threads
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
