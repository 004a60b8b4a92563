"""Turn the faces of a packed data set to large yaw and pitch, with exact labels.

``python -m training.synthesize data/photos --out data/turned --count 30000``

Photographs hold few profiles, and few faces seen from above or below. Faces are turned in 3D with
their picture (face profiling); a face goes on in the direction that it looks already, since its
other side cannot be seen. Half profiles show what a face from the front hides, ear and cheek: they
are worth a set of their own (``--source-yaw 28 60``). A run that is cut short goes on. Short
videos are made in training instead: ``training.train --set views.frames=8``.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.model_files import load_face_model
from tddfa.morphable_model import MorphableModel
from training.augmentation.profiling import Turn, rotation_matrix, turn_picture, turn_to
from training.dataset.draws import evenly, pack_made_of
from training.dataset.packed import PackedFaces, dense_model, open_packed, place
from training.labels.pseudo_labels import Labels, angles, landmarks

logger = logging.getLogger(__name__)

UNDECIDED = 6.0
# A face that is turned farther than this cannot be turned back.
HALF_PROFILE = 28.0
# Share of pictures whose black border is filled with another picture.
FILLED = 0.7


@dataclass(frozen=True)
class TurnSettings:
    """Where faces are turned to, in degrees.

    Attributes
    ----------
    yaw : (float, float)
        Range of the target's yaw, without sign.
    yaw_pitch : float
        Standard deviation of the pitch added to it.
    pitched : float
        Share of faces that are turned in pitch instead.
    pitch : (float, float)
        Range of the target's pitch, without sign.
    pitch_yaw : float
        Standard deviation of the yaw added to it.
    source_yaw : (float, float)
        Range of the source's yaw, without sign.
    """

    source_yaw: tuple[float, float] = (0.0, 28.0)
    yaw: tuple[float, float] = (25.0, 90.0)
    yaw_pitch: float = 10.0
    pitched: float = 0.3
    pitch: tuple[float, float] = (8.0, 36.0)
    pitch_yaw: float = 18.0


def draw_rotation(
    axis: npt.NDArray[np.floating], settings: TurnSettings, generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Draw the rotation of a face whose z axis is `axis` (3,) to a new yaw and pitch.

    First the face is made to look straight ahead, then it is raised and turned, in this order: a
    profile that looks up is rolled in the picture.
    """
    elevation = float(np.degrees(np.arctan2(axis[1], axis[2])))
    yaw = float(np.degrees(np.arctan2(axis[0], np.hypot(axis[1], axis[2]))))
    ahead = rotation_matrix(-yaw, 0) @ rotation_matrix(0, elevation)
    sign = np.sign(yaw) if abs(yaw) > UNDECIDED else generator.choice((-1.0, 1.0))
    half = abs(yaw) > HALF_PROFILE
    if generator.random() < settings.pitched:
        change = generator.normal(0, settings.pitch_yaw)
        target_yaw = float(np.clip(yaw + change, -45, 45)) if not half else yaw + sign * abs(change)
        target_pitch = generator.choice((-1.0, 1.0)) * generator.uniform(*settings.pitch)
    else:
        least, most = settings.yaw
        target_yaw = sign * generator.uniform(max(least, abs(yaw)) if half else least, most)
        target_pitch = float(np.clip(generator.normal(0, settings.yaw_pitch), -36, 36))
    # A positive rotation about the x axis lowers the z axis: hence the sign.
    return rotation_matrix(target_yaw, 0) @ rotation_matrix(0, -target_pitch) @ ahead


class Profiler:
    """Turn crops of a packed data set.

    Parameters
    ----------
    faces : PackedFaces
    model : MorphableModel
    settings : TurnSettings
    count : int
        How many turned faces.
    seed : int
    """

    def __init__(
        self,
        faces: PackedFaces,
        model: MorphableModel,
        settings: TurnSettings,
        count: int,
        seed: int = 0,
    ) -> None:
        self.faces, self.model, self.seed = faces, model, seed
        yaw, _ = angles(faces.labels.camera)
        low, high = settings.source_yaw
        usable = np.flatnonzero((np.abs(yaw) >= low) & (np.abs(yaw) < high) & faces.usable)
        if not len(usable):
            raise InputError(f"data: expected faces with a yaw of {low:g} to {high:g} degrees")
        generator = np.random.default_rng(seed)
        self.rows = evenly(usable, count, generator)
        points = landmarks(faces.labels[self.rows], model)
        axes = faces.labels.camera[self.rows, :, 2]
        self.turns: list[Turn] = [
            turn_to(face, draw_rotation(axis, settings, generator))
            for face, axis in zip(points, axes, strict=True)
        ]
        self._mean, self._basis = dense_model(model)

    def labels(self) -> Labels:
        """Return the labels of the turned faces."""
        source = self.faces.labels[self.rows]
        cameras = [turn.camera(c) for turn, c in zip(self.turns, source.camera, strict=True)]
        return replace(source, camera=np.stack(cameras))

    def picture(self, i: int) -> npt.NDArray[np.uint8]:
        """Return the i-th turned face; what lies behind is another crop."""
        row = self.rows[i]
        labels = self.faces.labels
        vertices = place(self._mean, self._basis, labels.alpha[row], labels.camera[row])
        generator = np.random.default_rng((self.seed, i))
        other = generator.integers(len(self.faces))
        box = self.faces.valid[row] if generator.random() < FILLED else None
        return turn_picture(
            self.faces.images[row],
            vertices,
            self.model.tri,
            self.turns[i],
            self.faces.images[other],
            None if box is None else tuple(box.tolist()),
        )


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m training.synthesize",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("data", type=Path, help="packed data set of photos (training.prepare)")
    add("--out", type=Path, required=True, help="folder of the turned faces")
    add("--count", type=int, help="how many (default: as many as there are crops)")
    add("--source-yaw", nargs=2, type=float, default=(0.0, 28.0), metavar=("FROM", "TO"))
    add("--yaw", nargs=2, type=float, default=(25.0, 90.0), metavar=("FROM", "TO"))
    add("--pitch", nargs=2, type=float, default=(8.0, 36.0), metavar=("FROM", "TO"))
    add(
        "--yaw-pitch",
        type=float,
        default=10.0,
        help="deviation of a turned face's pitch (%(default)s)",
    )
    add("--pitched", type=float, default=0.3, help="share turned in pitch (%(default)s)")
    add("--face-model", default="configs/face_model.npz")
    add("--workers", type=int, default=1, help="threads (%(default)s)")
    add("--seed", type=int, default=0)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    args = build_parser().parse_args(argv)
    faces, model = open_packed(args.data), load_face_model(args.face_model)
    settings = TurnSettings(
        source_yaw=tuple(args.source_yaw),
        yaw=tuple(args.yaw),
        yaw_pitch=args.yaw_pitch,
        pitch=tuple(args.pitch),
        pitched=args.pitched,
    )
    profiler = Profiler(faces, model, settings, args.count or len(faces), args.seed)
    pack_made_of(
        args.out,
        args.data,
        faces,
        profiler.rows,
        profiler.picture,
        profiler.labels(),
        model,
        detected=False,
        workers=args.workers,
    )
    logger.info("%d faces in %s", len(profiler.rows), args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
