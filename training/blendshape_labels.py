"""Label face crops with ARKit's 52 blendshape coefficients, cached and resumable.

``python -m training.blendshape_labels points/faces --task face_landmarker.task --out shapes/faces``

From the 478 points that ``training.mediapipe_points --task`` found: by MediaPipe's blendshape
network (Apache-2.0, on ``ai-edge-litert``), and by a bounded fit of the 52 displacements to the
points (`training.labels.blendshape_fit`), which counts where the network hardly moves
(`training.labels.blendshape_join`). Left and right are the subject's own. ``tongueOut`` is 0.
Several processes may share the work: ``--part 0/2`` and ``--part 1/2``.
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tddfa import arkit52
from tddfa.cli import run_main
from tddfa.errors import InputError
from training.dataset.shards import Shards, parse_part
from training.labels.blendshape_fit import BlendshapeFitter
from training.labels.blendshape_join import KIND
from training.labels.blendshape_net import BlendshapeNet
from training.mediapipe_points import load_points
from training.provenance.entry import manifest_of, write_manifest
from training.provenance.networks import network_entries

logger = logging.getLogger(__name__)


def label_points(points: Path, out: Path, task: Path, part: int = 0, parts: int = 1) -> int:
    """Label all faces of `points` that no shard in `out` holds yet.

    Parameters
    ----------
    points : Path
        Folder of ``training.mediapipe_points``; faces that it did not find are left out.
    out : Path
        Folder of shards ``blendshapes_*.npz``: names, and coefficients (n, 52) by the network
        (``network``) and by the fit (``fitted``).
    task : Path
        ``face_landmarker.task``.
    part, parts : int
        This process's share of the work.

    Returns
    -------
    int
        Number of faces labelled.
    """
    from tqdm import tqdm

    network, fitter = BlendshapeNet(task), BlendshapeFitter()
    given = load_points(points)
    row = {name: i for i, name in enumerate(given.names.tolist())}
    seen = [name for name, i in row.items() if np.isfinite(given.points[i]).all()]
    out.mkdir(parents=True, exist_ok=True)
    shards, done = Shards(out, KIND), 0
    missing = shards.missing(seen, part, parts)
    bar = tqdm(total=sum(map(len, missing)), desc="blendshapes", unit="face", mininterval=5)
    for names in missing:
        faces = given.points[[row[name] for name in names]]
        found = np.stack([network(face) for face in faces])
        shards.write(
            part,
            names=np.array(names),
            network=found,
            fitted=fitter.fit(faces),
            blendshape_names=np.array(arkit52.NAMES),
        )
        done += len(names)
        bar.update(len(names))
    write_manifest(out, {*manifest_of([points]), *network_entries(task)})
    return done


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.blendshape_labels",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("points", type=Path, help="folder of training.mediapipe_points --task")
    add("--out", type=Path, required=True, help="folder of the labels")
    add("--task", type=Path, required=True, help="face_landmarker.task")
    add("--part", default="0/1", help="share of the work, i/n (%(default)s)")
    args = parser.parse_args(argv)
    part, parts = parse_part(args.part)
    if args.out.resolve() == args.points.resolve():
        raise InputError("--out: expected another folder than that of the points")
    count = label_points(args.points, args.out, args.task, part, parts)
    logger.info("%d faces labelled", count)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
