"""List which crops to label first: the rare ones, then others by chance.

``python -m training.rare_crops opinions/faces --most 20000 --always masks --out rare.txt``

Labelling by several teachers takes time, and most faces of a collection look alike. The opinion of
``training.detector.guess --only-labels`` tells which look aside, up or down, shut their eyes or
open their mouths; the list goes to ``--list`` of ``training.mediapipe_points`` and
``training.teacher_landmarks``.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.arguments import positive_int
from tddfa.cli import run_main
from tddfa.io.atomic import atomic_write
from tddfa.model_files import load_face_model
from tddfa.morphable_model import MorphableModel
from training.evaluation.metrics import lid_gap, lip_gap
from training.labels.pseudo_labels import Labels, angles, landmarks, load_labels

logger = logging.getLogger(__name__)
YAW, PITCH = 20.0, 14.0
# The narrowest lids and the widest lips, in percent of all.
SHUT_EYES, OPEN_MOUTHS = 7.0, 8.0


def rare(labels: Labels, model: MorphableModel) -> npt.NDArray[np.bool_]:
    """Tell which faces are rare, (n,): turned, steep, with shut eyes or an open mouth."""
    if not len(labels.names):
        return np.zeros(0, bool)
    yaw, pitch = angles(labels.camera)
    points = landmarks(labels, model).transpose(0, 2, 1)
    lids, lips = lid_gap(points).mean(axis=1), lip_gap(points)
    steep = (np.abs(yaw) > YAW) | (np.abs(pitch) > PITCH)
    shut = lids < np.percentile(lids, SHUT_EYES)
    return np.asarray(steep | shut | (lips > np.percentile(lips, 100 - OPEN_MOUTHS)))


def choose(
    labels: Labels, model: MorphableModel, most: int, always: Sequence[str] = (), seed: int = 0
) -> npt.NDArray[np.str_]:
    """Return the names of at most `most` crops, rare ones first.

    Parameters
    ----------
    labels : Labels
        One opinion.
    model : MorphableModel
        What it is in terms of.
    most : int
    always : sequence of str
        Folders whose crops are all rare.
    seed : int
        Of the order, and of what is drawn from the others.

    Returns
    -------
    ndarray of str
    """
    generator = np.random.default_rng(seed)
    first = rare(labels, model)
    for folder in always:
        first |= np.char.startswith(labels.names, f"{folder}/")
    rest = generator.permutation(np.flatnonzero(~first))
    order = np.concatenate([generator.permutation(np.flatnonzero(first)), rest])
    return np.asarray(labels.names[order[:most]])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.rare_crops",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("opinion", type=Path, help="folder of training.detector.guess --only-labels")
    add("--out", type=Path, required=True, help="list to write, one name a line")
    add("--most", type=positive_int, default=20_000, help="crops (%(default)s)")
    add("--always", nargs="*", default=(), metavar="FOLDER", help="folders to take whole")
    add("--seed", type=int, default=0)
    add("--face-model", type=Path, default=Path("configs/face_model.npz"))
    args = parser.parse_args(argv)
    labels, model = load_labels(args.opinion / "all_labels.npz"), load_face_model(args.face_model)
    names = choose(labels, model, args.most, args.always, args.seed)
    with atomic_write(args.out, "w") as file:
        file.write("".join(f"{name}\n" for name in names))
    logger.info("%d crops, of which %d are rare", len(names), rare(labels, model).sum())
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
