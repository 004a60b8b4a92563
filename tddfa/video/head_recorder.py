"""From the faces of a video to animated heads: one glTF file per track."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from tddfa.blendshapes import ExpressionFit, load_blendshapes
from tddfa.drawing.texture import seen_texture
from tddfa.drawing.texture_completion import complete_texture
from tddfa.drawing.texture_map import SeenTexture, TextureMap
from tddfa.errors import InputError
from tddfa.export.head_glb import Head, HeadMotion, neutral_vertices, write_heads
from tddfa.face import Face
from tddfa.frame import Frame
from tddfa.morphable_model import MorphableModel
from tddfa.params import FloatArray, split_params
from tddfa.pose import head_pose
from tddfa.reconstruct import image_cameras

TEXTURE_SIDE = 1024
SUFFIX = ".glb"
# Views that a texture is blended from, and the seconds between any two.
_VIEWS, _APART = 4, 0.2
# Tracks of fewer frames get no file, where there is a longer one.
_LEAST_FRAMES = 5
# Focal length in parts of the picture's longer side: the camera does not say, and 45 degrees across
# is what phones and webcams have, about. Movement along z is as right as this is.
_FOCAL = 1.2
_INPUT_SIZE = 120
_MM = 1e-3


@dataclass(frozen=True, eq=False)
class View:
    """What one frame shows of a face, and how good it is."""

    score: float
    time: float
    seen: SeenTexture


@dataclass(eq=False)
class RecordedTrack:
    """One person, as far as the video has come."""

    times: list[float] = field(default_factory=list)
    params: list[FloatArray] = field(default_factory=list)
    blendshapes: list[FloatArray | None] = field(default_factory=list)
    places: list[FloatArray] = field(default_factory=list)
    views: list[View] = field(default_factory=list)


class HeadRecorder:
    """Collects the faces of a video and writes each track as an animated head.

    Parameters
    ----------
    path : Path
        File to write, ``.glb``; of several tracks each gets its id: ``head_2.glb``.
    model : MorphableModel
        The faces' model.
    """

    def __init__(self, path: Path, model: MorphableModel) -> None:
        self.path, self.model = path, model
        self.shapes = load_blendshapes()
        if not self.shapes.belong_to(model):
            raise InputError("--animation: expected the open face model (configs/face_model.npz)")
        self._unrolled = TextureMap.of_model(model, TEXTURE_SIDE)
        self._tracks: dict[int, RecordedTrack] = {}

    def add(self, frame: Frame) -> None:
        """Take a frame's faces."""
        for face in frame.faces:
            track = self._tracks.setdefault(face.track_id or 0, RecordedTrack())
            if track.times and frame.time <= track.times[-1]:
                continue  # a clock that stands still: glTF wants times to rise
            track.times.append(frame.time)
            track.params.append(face.param)
            track.blendshapes.append(face.blendshapes)
            track.places.append(head_place(face, frame.image.shape[:2]))
            self._look(track, frame, face)

    def _look(self, track: RecordedTrack, frame: Frame, face: Face) -> None:
        """Keep what the frame shows of the face, if it is among the best."""
        score = view_score(face, frame.image)
        views = track.views
        near = [view for view in views if abs(view.time - frame.time) < _APART]
        rivals = near or (views if len(views) >= _VIEWS else [])
        if rivals:
            worst = min(rivals, key=lambda view: view.score)
            if score <= worst.score * 1.02:
                return
            views.remove(worst)
        seen = seen_texture(frame.image, face.vertices, self.model.tri, self._unrolled)
        views.append(View(score, frame.time, seen))

    def write(self) -> list[Path]:
        """Write the files and return their paths; none where no face was seen.

        Raises
        ------
        InputError
            If a file cannot be written.
        """
        tracks = {k: t for k, t in self._tracks.items() if len(t.times) >= _LEAST_FRAMES}
        if not tracks and self._tracks:
            longest = max(self._tracks, key=lambda k: len(self._tracks[k].times))
            tracks = {longest: self._tracks[longest]}
        fit = ExpressionFit.of(self.shapes, self.model)
        written = []
        for number, track in sorted(tracks.items()):
            several = len(tracks) > 1
            own = self.path.with_name(f"{self.path.stem}_{number}{SUFFIX}")
            path = own if several else self.path
            write_heads(path, [self._head(number, track, fit)], self.model, self.shapes)
            written.append(path)
        return written

    def _head(self, number: int, track: RecordedTrack, fit: ExpressionFit) -> Head:
        params = np.stack(track.params)
        # A person keeps their shape: what moves it from frame to frame is the network's noise.
        shape = split_params(params).shape[..., 0].mean(axis=0)
        weights = fit(params)
        for row, given in enumerate(track.blendshapes):
            if given is not None:
                weights[row] = given
        motion = HeadMotion(
            np.asarray(track.times, np.float32),
            quaternions([face_rotation(param) for param in params]),
            translations(np.stack(track.places)),
            weights,
        )
        texture = complete_texture(blend(track.views), self._unrolled)
        vertices = neutral_vertices(self.model, shape)
        return Head(f"head {number}", vertices, texture, weights[0], motion)


def numbered_heads(path: Path) -> list[Path]:
    """Return the files there are that tracks of several people would be written to.

    Which numbers come is not known before the video has been seen.
    """
    name = re.compile(re.escape(path.stem) + r"_\d+" + re.escape(SUFFIX))
    if not path.parent.is_dir():
        return []
    return sorted(one for one in path.parent.iterdir() if name.fullmatch(one.name))


def view_score(face: Face, image: npt.NDArray[np.uint8]) -> float:
    """Return how good a texture a view gives: frontal, large, well lit, eyes open, mouth shut."""
    yaw, pitch = np.radians([face.pose.yaw, face.pose.pitch])
    frontal = max(0.0, float(np.cos(yaw) * np.cos(pitch))) ** 2
    height, width = image.shape[:2]
    left, top, right, bottom = np.rint(face.box).astype(int)
    part = image[max(top, 0) : min(bottom, height) : 4, max(left, 0) : min(right, width) : 4]
    level = float(part.mean()) / 255 if part.size else 0.0
    light = max(0.05, 1 - abs(level - 0.5) * 1.5)
    acts = split_params(face.param).expression[:, 0]
    moved, names, ranges = 0.0, face.model.exp_names, face.model.exp_range
    for name in ("jaw_open", "blink_left", "blink_right"):
        if name in names and ranges is not None:
            number = names.index(name)
            moved += abs(float(acts[number] / ranges[number, 1]))
    return float(frontal * light * min(1.0, face.size / 250) / (1 + 2 * moved))


def blend(views: Sequence[View]) -> SeenTexture:
    """Average views, each by what it is worth, texel by texel."""
    total = np.zeros(views[0].seen.weights.shape, np.float32)
    colors = np.zeros((*total.shape, 3), np.float32)
    best = np.zeros_like(total)
    for view in views:
        belief = view.seen.weights.astype(np.float32)
        share = (belief + 1e-4) * np.float32(view.score**2 + 1e-6)
        colors += view.seen.colors.astype(np.float32) * share[..., None]
        total += share
        best = np.maximum(best, belief)
    return SeenTexture(colors / total[..., None], best)


def face_rotation(param: npt.ArrayLike) -> FloatArray:
    """Return the rotation (3, 3) of a parameter vector, y up, z to the viewer."""
    return head_pose(param).rotation


def quaternions(rotations: Sequence[npt.ArrayLike]) -> FloatArray:
    """Return unit quaternions x, y, z, w of rotations, without leaps of sign."""
    found = Rotation.from_matrix(np.stack([np.asarray(r, np.float64) for r in rotations])).as_quat()
    leaps = np.sum(found[1:] * found[:-1], axis=1) < 0
    found[1:] *= np.where(np.cumsum(leaps) % 2, -1, 1)[:, None]
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def head_place(face: Face, size: tuple[int, ...]) -> FloatArray:
    """Return where the model's origin is, in mm: x right, y up from the picture's middle; distance.

    The distance is that at which a camera of a usual focal length sees the face as large as it is.
    """
    height, width = size[:2]
    parts = split_params(face.param[None])
    camera = image_cameras(parts, np.asarray(face.roi_box)[None], _INPUT_SIZE)[0]
    scale = float(np.linalg.norm(camera[:2, :3], axis=1).mean())
    x, y = camera[0, 3] - (width - 1) / 2, (height - 1) / 2 - camera[1, 3]
    return np.array([x / scale, y / scale, _FOCAL * max(height, width) / scale], np.float32)


def translations(places: FloatArray) -> FloatArray:
    """Return places (n, 3) of `head_place` in meters; z is nearness, from the median distance."""
    out = places.astype(np.float64)
    out[:, 2] = np.median(out[:, 2]) - out[:, 2]
    return np.asarray(out * _MM, np.float32)
