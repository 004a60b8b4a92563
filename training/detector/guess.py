"""Labels of face crops by a regressor: good enough to know where faces look, and to turn them.

``python -m training.detector.guess ../shared/faces --out data/faces``

A detector needs no exact labels: it learns boxes, and `training.synthesize` may turn a face by a
label that is a few percent off. Nobody is asked but the regressor, and no crop is dropped but those
whose face it sees elsewhere than in the middle. ``--only-labels`` with another regressor gives an
opinion on poses that is independent of ours.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.aligner import Aligner
from tddfa.cli import run_main
from tddfa.config import load_config
from tddfa.errors import InputError
from tddfa.model_files import load_face_model
from tddfa.params import split_params
from tddfa.pixel_frames import from_network
from training.dataset.batch import INPUT, MARGIN
from training.dataset.packed import pack, read_crop
from training.dataset.split import is_held_out_crop
from training.evaluation.predict import open_aligner
from training.labels.pseudo_labels import Labels, angles, save_labels, trusted
from training.mediapipe_points import list_pictures
from training.provenance.entry import write_manifest
from training.provenance.networks import network_entries
from training.provenance.pictures import picture_entries

logger = logging.getLogger(__name__)
BATCH = 64
# Faces with at least so much yaw, in degrees, are rare and always kept.
TURNED = 35.0


def guess_labels(aligner: Aligner, folder: Path, names: Sequence[str]) -> Labels:
    """Predict the parameters of crops whose middle 120 of 168 px are a detector's ROI.

    Returns
    -------
    Labels
        In the canvas frame; residuals are 0, for nothing was fitted.
    """
    from tqdm import tqdm

    inner = slice(int(MARGIN), int(MARGIN) + INPUT)
    params = []
    for first in tqdm(range(0, len(names), BATCH), desc="guess", mininterval=5):
        crops = [read_crop(folder / name)[inner, inner] for name in names[first : first + BATCH]]
        batch = np.stack(crops).astype(np.float32).transpose(0, 3, 1, 2)
        params.append(aligner.regress((batch - np.float32(127.5)) / np.float32(128)))
    parts = split_params(np.concatenate(params))
    camera = np.concatenate([parts.linear, parts.offset], axis=2)
    camera[:, :2, 3] = from_network(camera[:, :2, 3]) + MARGIN
    alpha = np.concatenate([parts.shape, parts.expression], axis=1)[:, :, 0]
    return Labels(np.array(names), camera, alpha, np.zeros(len(names), np.float32))


def thinned(labels: Labels, good: npt.NDArray[np.bool_], most: int) -> npt.NDArray[np.int64]:
    """Return the rows of at most `most` good labels: turned faces, and others evenly."""
    turned = good & (np.abs(angles(labels.camera)[0]) >= TURNED)
    ahead = np.flatnonzero(good & ~turned)
    room = max(0, most - int(turned.sum()))
    chosen = ahead[np.linspace(0, len(ahead), min(room, len(ahead)), endpoint=False).astype(int)]
    return np.sort(np.concatenate([np.flatnonzero(turned), chosen]))


def guess(args: argparse.Namespace) -> int:
    """Run the command line; return the number of crops."""
    names = [
        name
        for name in list_pictures(args.folder)
        if not args.sources or name.split("/")[0] in args.sources
    ][:: args.every]
    if not names:
        raise InputError(f"'{args.folder}': expected square face crops")
    aligner = open_aligner(args.config, assets=args.assets)
    labels = guess_labels(aligner, args.folder, names)
    save_labels(args.out / "all_labels.npz", labels)
    if args.only_labels:
        return len(names)
    model = load_face_model(args.face_model)
    labels = labels[thinned(labels, trusted(labels, model), args.most)]
    held_out = [is_held_out_crop(name, args.held_out) for name in labels.names.tolist()]
    pack(
        args.out,
        labels.names.tolist(),
        lambda name: read_crop(args.folder / name),
        labels,
        model,
        detected=True,
        held_out=np.array(held_out, bool),
    )
    network = load_config(args.config, args.assets).find("checkpoint_fp")
    pictures = picture_entries(args.folder, labels.names.tolist())
    write_manifest(args.out, [*pictures, *network_entries(network)])
    return len(labels.names)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m training.detector.guess",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("folder", type=Path, help="folder of square face crops, a folder a source")
    add("--out", type=Path, required=True, help="folder of the packed data set")
    add("--sources", nargs="*", help="folders of it to take (default: all)")
    add("--every", type=int, default=1, metavar="N", help="look at one crop in N (%(default)s)")
    add("--most", type=int, default=20_000, help="crops to pack; profiles first (%(default)s)")
    add("--held-out", type=int, default=40, metavar="N", help="one in N, by name (%(default)s)")
    add("--only-labels", action="store_true", help="write all_labels.npz alone, pack nothing")
    add("-c", "--config", default="configs/mb1_120x120.yml", help="regressor (%(default)s)")
    add("--face-model", default="configs/face_model.npz")
    add("--assets", help="asset folder (default: TDDFA_ASSETS)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    args = build_parser().parse_args(argv)
    logger.info("%d crops in %s", guess(args), args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
