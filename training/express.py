"""Give the faces of a packed data set other expressions, with exact labels.

``python -m training.express data/photos --out data/expressed --count 8000``

Of portraits one in fifty has its eyes shut, and few a wide open mouth: a network does well never to
show either. The fitted mesh is moved in its expression and the picture with it (`training.
augmentation.expressing`), so that lids shut and jaws drop in photos of real people. Faces that look
aside, or have their eyes shut or mouth open already, are left out. What comes out may be turned by
`training.synthesize`. A run that is cut short goes on.
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.arguments import positive_int
from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.model_files import load_face_model
from tddfa.morphable_model import MorphableModel
from training.augmentation.expressing import express_picture
from training.dataset.draws import evenly, pack_made_of
from training.dataset.packed import PackedFaces, dense_model, open_packed, place
from training.evaluation.metrics import lid_gap, lip_gap
from training.labels.joint_fit import reach
from training.labels.pseudo_labels import Labels, angles, landmarks

logger = logging.getLogger(__name__)

FloatArray = npt.NDArray[np.float32]

# Beyond this yaw the picture does not show all that moves.
MOST_YAW = 35.0
# Eyes from this gap on are open, mouths up to this one shut; both over the feature's own width.
OPEN_EYES, SHUT_MOUTH = 0.15, 0.12
# A jaw that drops by less, in the model's units, leaves the mouth as it is: lips, or smiling teeth.
LEAST_DROP = 0.3


@dataclass(frozen=True)
class ExpressSettings:
    """How expressions are drawn.

    Attributes
    ----------
    shut : float
        Share of faces whose lids move, both or, in `one_eye` of them, one.
    one_eye : float
    closing : (float, float)
        How far lids go, of the way to the end of the model's range.
    jaw : float
        Share of faces whose jaw drops.
    opening : (float, float)
        How far, of the model's range, which people's mouths exceed (`joint_fit.reach`).
    teeth : float
        Share of open mouths that show their upper teeth.
    others : float
        Standard deviation of what is added to each of the other coefficients.
    """

    shut: float = 0.6
    one_eye: float = 0.15
    closing: tuple[float, float] = (0.55, 1.0)
    jaw: float = 0.65
    opening: tuple[float, float] = (0.1, 1.3)
    teeth: float = 0.5
    others: float = 0.6


def moved(
    alpha: FloatArray,
    model: MorphableModel,
    settings: ExpressSettings,
    generator: np.random.Generator,
) -> FloatArray:
    """Return coefficients (C,) with another expression, within the bounds of the labels' fits.

    Raises
    ------
    InputError
        If the model does not name its expressions.
    """
    names = model.exp_names
    needed = ("blink_left", "blink_right", "jaw_open")
    if model.exp_range is None or not set(needed) <= set(names):
        raise InputError(f"face model: expected expressions named {', '.join(needed)}")
    start = len(alpha) - len(names)
    value = alpha[start:] + generator.normal(0, settings.others, len(names))
    left, right, jaw = (names.index(name) for name in needed)
    value[[left, right, jaw]] = alpha[start:][[left, right, jaw]]
    high = model.exp_range[:, 1]
    if generator.random() < settings.shut:
        lids = [[left, right], [left], [right]]
        one = generator.random() < settings.one_eye
        which = lids[1 + int(generator.integers(2))] if one else lids[0]
        share = generator.uniform(*settings.closing)
        value[which] += share * (high[which] - value[which])
    if generator.random() < settings.jaw:
        value[jaw] = max(value[jaw], generator.uniform(*settings.opening) * high[jaw])
    least, most = reach(model.exp_range, names).T
    # What lies beyond the bounds already, by its fit, stays.
    bounded = np.clip(value, np.minimum(least, alpha[start:]), np.maximum(most, alpha[start:]))
    return np.concatenate([alpha[:start], bounded]).astype(np.float32)


class Expresser:
    """Draw crops of a packed data set with other expressions.

    Parameters
    ----------
    faces : PackedFaces
    model : MorphableModel
    settings : ExpressSettings
    count : int
        How many.
    seed : int

    Raises
    ------
    InputError
        If no face of the set has open eyes and a shut mouth.
    """

    def __init__(
        self,
        faces: PackedFaces,
        model: MorphableModel,
        settings: ExpressSettings,
        count: int,
        seed: int = 0,
    ) -> None:
        self.faces, self.model, self.settings, self.seed = faces, model, settings, seed
        usable = np.flatnonzero(can_be_moved(faces, model))
        if not len(usable):
            raise InputError("data: expected faces from the front, eyes open and mouth shut")
        generator = np.random.default_rng(seed)
        self.rows = evenly(usable, count, generator)
        self.alpha = np.stack(
            [moved(faces.labels.alpha[row], model, settings, generator) for row in self.rows]
        )
        self._mean, self._basis = dense_model(model)
        self._triangles = np.ascontiguousarray(model.tri, np.int32)

    def labels(self) -> Labels:
        """Return the labels of the new faces.

        Their names are new as well: what else is known of the photo, such as blendshapes, is not
        true of them.
        """
        source = self.faces.labels[self.rows]
        names = [f"expressed/{i}/{name}" for i, name in enumerate(source.names.tolist())]
        return replace(source, names=np.array(names), alpha=self.alpha)

    def picture(self, i: int) -> npt.NDArray[np.uint8]:
        """Return the i-th face."""
        row, labels = self.rows[i], self.faces.labels
        before, after = (
            place(self._mean, self._basis, alpha, labels.camera[row])
            for alpha in (labels.alpha[row], self.alpha[i])
        )
        generator = np.random.default_rng((self.seed, i))
        shown = generator.random() < self.settings.teeth
        teeth = float(generator.uniform(0.12, 0.4)) if shown else 0.0
        return express_picture(
            self.faces.images[row],
            before,
            after,
            self._triangles,
            self.model.tri.inside,
            teeth=teeth if self._jaw_drop(i) > LEAST_DROP else None,
        )

    def _jaw_drop(self, i: int) -> float:
        jaw = self.model.exp_names.index("jaw_open") - len(self.model.exp_names)
        return float(self.alpha[i][jaw] - self.faces.labels.alpha[self.rows[i]][jaw])


def can_be_moved(faces: PackedFaces, model: MorphableModel) -> npt.NDArray[np.bool_]:
    """Tell which faces (n,) look ahead with open eyes and a shut mouth."""
    yaw, _ = angles(faces.labels.camera)
    points = landmarks(faces.labels, model).transpose(0, 2, 1)
    calm = (lid_gap(points).min(axis=1) > OPEN_EYES) & (lip_gap(points) < SHUT_MOUTH)
    return np.asarray(faces.usable & calm & (np.abs(yaw) < MOST_YAW))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.express",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("data", type=Path, help="packed data set of photos (training.prepare)")
    add("--out", type=Path, required=True, help="folder of the new faces")
    add("--count", type=positive_int, help="how many (default: as many as there are crops)")
    add("--face-model", default="configs/face_model.npz")
    add("--workers", type=positive_int, default=1, help="threads (%(default)s)")
    add("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    faces, model = open_packed(args.data), load_face_model(args.face_model)
    drawn = Expresser(faces, model, ExpressSettings(), args.count or len(faces), args.seed)
    pack_made_of(
        args.out,
        args.data,
        faces,
        drawn.rows,
        drawn.picture,
        drawn.labels(),
        model,
        detected=faces.detected,
        workers=args.workers,
    )
    logger.info("%d faces in %s", len(drawn.rows), args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
