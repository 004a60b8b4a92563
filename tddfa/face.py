"""One face: what every part of the package hands on, from the aligner to files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.face_box import face_boxes_of, landmark_roi
from tddfa.morphable_model import MorphableModel
from tddfa.params import FloatArray
from tddfa.picture import ImageArray
from tddfa.pose import HeadPose, head_pose
from tddfa.reconstruct import Reconstructor
from tddfa.topology import Topology

BoolArray = npt.NDArray[np.bool_]
# What a mesh is painted with where there is no picture to take colors from.
_GRAY = 180


@dataclass(frozen=True, eq=False, repr=False)
class Face:
    """One aligned face; what is expensive is computed when it is first asked for.

    Pixels are those of the picture: x to the right, y **down**, centers at integers. z is in the
    same unit, larger is nearer.

    Attributes
    ----------
    score : float
        How sure it is that there is a face, in [0, 1]: the detector's, or the tracker's.
    roi_box : list of float
        ``[xmin, ymin, xmax, ymax]`` of the square that the network saw, in pixels.
    param : ndarray, shape (62,), float32
        De-normalized parameters; with `roi_box` what ``recon_vers`` takes.
    landmarks : ndarray, shape (3, 68), float32
        iBUG landmarks in pixels.
    detected_box : ndarray, shape (4,), float32, or None
        The detector's ``[xmin, ymin, xmax, ymax]`` in pixels, where it found this face.
    track_id : int or None
        In video: the same in all frames of a track, never used again, from 1 up.
    confirmed : bool
        In video: False in the first frames, until the face has been seen often enough.
    blendshapes : ndarray, shape (52,), float32, or None
        Coefficients in [0, 1] of ARKit's blendshapes, in the order of `tddfa.arkit52`, where they
        were asked for.
    dense : ndarray, shape (3, N), float32, or None
        The vertices, where they have been made already; `vertices` makes them.
    image_size : (int, int) or None
        Height and width of the picture in pixels.
    reconstructor : Reconstructor or None
        What makes `vertices`. It is left out of a pickled face.
    mirror_error : float or None
        How far the landmarks that the network sees and those that it sees in a mirror are apart,
        in parts of the face's size; `landmarks` are the mean of both. 0.01 to 0.02; the larger, the
        likelier they are off. None where it looked once: in videos, and without a second look.

    Examples
    --------
    >>> from tddfa import FaceAligner
    >>> face = FaceAligner().detect("examples/inputs/astronaut.png")[0]
    >>> face.landmarks.shape, face.vertices.shape[0], bool(face.visible[30])
    ((3, 68), 3, True)
    >>> round(face.pose.yaw), face.track_id
    (1, None)
    """

    score: float
    roi_box: list[float]
    param: FloatArray
    landmarks: FloatArray
    detected_box: FloatArray | None = None
    track_id: int | None = None
    confirmed: bool = True
    blendshapes: FloatArray | None = None
    dense: FloatArray | None = None
    image_size: tuple[int, int] | None = None
    reconstructor: Reconstructor | None = field(default=None)
    mirror_error: float | None = None

    @property
    def box(self) -> FloatArray:
        """``[xmin, ymin, xmax, ymax]`` in pixels, (4,): the detector's, or as it would draw it."""
        if self.detected_box is not None:
            return self.detected_box
        return face_boxes_of(landmark_roi(self.landmarks))[0]

    @cached_property
    def pose(self) -> HeadPose:
        """Yaw, pitch, roll in degrees, and scale; signs see `tddfa.pose`."""
        return head_pose(self.param)

    @property
    def size(self) -> float:
        """Side of the square around the landmarks, in pixels."""
        return float(np.ptp(self.landmarks[:2], axis=1).max())

    @property
    def vertices(self) -> FloatArray:
        """All vertices of the face model, (3, N) in pixels; made once, when first asked for.

        For several faces `tddfa.frame.Frame.vertices` makes them in one pass.

        Raises
        ------
        InputError
            If the face came out of a pickle without them.
        """
        return dense_vertices([self])[0]

    @property
    def model(self) -> MorphableModel:
        """The face model that the parameters belong to."""
        return _reconstructor(self).model

    @property
    def triangles(self) -> Topology:
        """Triangles of the face model, (M, 3): rows of `vertices`."""
        return self.model.tri

    @cached_property
    def visible_vertices(self) -> BoolArray:
        """Whether each vertex (N,) can be seen: not behind the face itself, and in the picture."""
        from tddfa.visibility import visible_vertices

        return visible_vertices(self.vertices, self.triangles, self.image_size)

    @cached_property
    def visible(self) -> BoolArray:
        """Whether each landmark (68,) can be seen, or lies within 5 % of the face of what can."""
        from tddfa.visibility import visible_landmarks

        keypoints = self.model.keypoints.reshape(-1, 3)[:, 0] // 3
        return visible_landmarks(self.vertices, keypoints, self.visible_vertices)

    def draw(self, image: ImageArray, output: str = "2d_sparse", **settings: Any) -> ImageArray:
        """Return a picture (H, W, 3) with this face drawn on it; the given one is not changed.

        Parameters
        ----------
        image : ndarray, shape (H, W, 3), uint8
            BGR picture.
        output : str
            A picture's name in `tddfa.outputs.OUTPUTS`, such as ``2d_sparse``, ``3d``, ``pose``.
        **settings
            Fields of `tddfa.outputs.OutputSettings`.

        Raises
        ------
        InputError
            If there is no such output.
        """
        from tddfa.make_output import draw_faces

        return draw_faces(image, [self], output, **settings)

    def save(self, path: str | Path, image: ImageArray | None = None, **settings: Any) -> None:
        """Write the face's mesh; the format follows from the extension.

        Parameters
        ----------
        path : str or Path
            ``.obj``, ``.ply``, or ``.glb`` for a textured head with 52 morph targets.
        image : ndarray, shape (H, W, 3), uint8, optional
            The BGR picture, whose colors an OBJ and a GLB take; gray if left out.
        **settings
            Fields of `tddfa.outputs.OutputSettings`: ``texture=True`` writes an OBJ with material
            and texture, ``ply_binary=True`` a binary PLY.

        Raises
        ------
        InputError
            If the extension is another one or the file cannot be written.
        """
        from tddfa.make_output import save_faces

        if image is None:
            size = self.image_size or (int(self.vertices[1].max()) + 1, 1)
            image = np.full((*size, 3), _GRAY, np.uint8)
        save_faces(path, image, [self], **settings)

    def __repr__(self) -> str:
        box = ", ".join(f"{value:.0f}" for value in self.box)
        yaw, pitch, roll = (round(v) for v in (self.pose.yaw, self.pose.pitch, self.pose.roll))
        pose = f"yaw={yaw}°, pitch={pitch}°, roll={roll}°"  # of integers: none is -0
        track = "" if self.track_id is None else f"track_id={self.track_id}, "
        return f"Face({track}score={self.score:.2f}, box=[{box}], {pose})"

    def __getstate__(self) -> dict[str, Any]:
        # The face model is a hundred thousand times as large as what it says of this face.
        return {**self.__dict__, "reconstructor": None}


def dense_vertices(faces: Sequence[Face]) -> list[FloatArray]:
    """Return all vertices of each face, (3, N) in pixels; what is missing is made in one pass."""
    missing = [face for face in faces if face.dense is None]
    if missing:
        made = _reconstructor(missing[0])(
            [face.param for face in missing], [face.roi_box for face in missing], dense=True
        )
        for face, vertices in zip(missing, made, strict=True):
            object.__setattr__(face, "dense", vertices)  # frozen for everybody else
    return [face.dense for face in faces if face.dense is not None]


def _reconstructor(face: Face) -> Reconstructor:
    if face.reconstructor is None:
        raise InputError(
            "face: it was pickled, which leaves the face model out; ask for vertices and visible "
            "before, or for recon_vers of an aligner"
        )
    return face.reconstructor
