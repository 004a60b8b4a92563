"""The data set as training reads it: arrays mapped from disk, any crop at once."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from tddfa.arkit52 import NAMES
from tddfa.errors import InputError
from tddfa.io.atomic import replacing, save_arrays
from tddfa.morphable_model import MorphableModel
from training.augmentation.depth_grid import depth_grid
from training.dataset.batch import CANVAS, Crops
from training.dataset.partial_arrays import DEPTH_SIDE, PartialArrays, fingerprint
from training.dataset.split import is_held_out_crop
from training.labels.pseudo_labels import LABEL_ARRAYS, Labels, labels_of

FloatArray = npt.NDArray[np.float32]

FORMAT = 1
CHUNK = 256
DEPTH_STEP = CANVAS // DEPTH_SIDE
# A row or column belongs to the black border if no pixel of it is brighter than this.
BLACK = 12


@dataclass(frozen=True)
class PackedFaces:
    """Crops and labels of one source.

    Attributes
    ----------
    images : ndarray, shape (n, 168, 168, 3), uint8
        Mapped from disk.
    depth : ndarray, shape (n, 42, 42), float16
    valid : ndarray, shape (n, 4), int16
    labels : Labels
    held_out : ndarray, shape (n,), bool
        Never trained on.
    detected : bool
        Whether the middle 120 px are a detector's ROI.
    face_model : str, optional
        Id of the face model that the labels are parameters of; older sets do not say.
    blendshapes : ndarray, shape (n, 52), float32, optional
        See `training.blendshapes.sources.with_blendshapes`.
    """

    images: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float16]
    valid: npt.NDArray[np.int16]
    labels: Labels
    held_out: npt.NDArray[np.bool_]
    detected: bool
    face_model: str | None = None
    blendshapes: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Which crops have a label to be trusted, (n,); all but after `relabel`."""
        return np.asarray(np.isfinite(self.labels.residual))

    def crops(self, index: npt.NDArray[np.integer]) -> Crops:
        """Return some crops as a batch on the CPU."""
        known = self.blendshapes
        shapes = np.full((len(index), len(NAMES)), np.nan, np.float32)
        return Crops(
            images=torch.from_numpy(self.images[index]),
            camera=torch.from_numpy(self.labels.camera[index]),
            alpha=torch.from_numpy(self.labels.alpha[index]),
            depth=torch.from_numpy(self.depth[index].astype(np.float32)),
            valid=torch.from_numpy(self.valid[index].astype(np.float32)),
            detected=torch.full((len(index),), self.detected),
            blendshapes=torch.from_numpy(shapes if known is None else known[index]),
        )


def pack(
    folder: Path,
    names: Sequence[Any],
    read: Callable[[Any], npt.NDArray[np.uint8]],
    labels: Labels,
    model: MorphableModel,
    *,
    detected: bool,
    workers: int = 1,
    held_out: npt.NDArray[np.bool_] | None = None,
) -> None:
    """Write a packed data set; a call that was cut short goes on where it was.

    Parameters
    ----------
    folder : Path
        Target.
    names : sequence
        What `read` is called with, one per label.
    read : callable
        Gives the crop (168, 168, 3) of a name.
    labels : Labels
    model : MorphableModel
        What the labels are parameters of.
    detected : bool
        See `PackedFaces`.
    workers : int
        Threads.
    held_out : ndarray, shape (n,), bool, optional
        Which are never trained on; by default one in forty, by name (`split.is_held_out_crop`).
    """
    from tqdm import tqdm

    folder.mkdir(parents=True, exist_ok=True)
    partial = PartialArrays(folder, len(names), fingerprint(labels, model))
    mean, basis = dense_model(model)

    def fill(i: int) -> None:
        image = read(names[i])
        vertices = place(mean, basis, labels.alpha[i], labels.camera[i])
        vertices[:, 1] = CANVAS - vertices[:, 1]
        partial.images[i], partial.valid[i] = image, valid_box(image)
        partial.depth[i] = depth_grid(
            vertices, model.tri, (DEPTH_STEP / 2,) * 2, DEPTH_STEP, (DEPTH_SIDE,) * 2
        )

    first = partial.done
    bar = tqdm(total=len(names), initial=first, desc="pack", mininterval=5)
    with ThreadPoolExecutor(workers) as pool, bar:
        for start in range(first, len(names), CHUNK):
            chunk = range(start, min(start + CHUNK, len(names)))
            list(pool.map(fill, chunk))
            partial.mark(chunk.stop)
            bar.update(len(chunk))
    if held_out is None:
        held_out = np.array([is_held_out_crop(name) for name in labels.names.tolist()], bool)
        if not held_out.any():  # a small set can miss the fortieth by chance
            held_out[::40] = True
    arrays = {name: getattr(labels, name) for name in LABEL_ARRAYS}
    depth, valid = np.array(partial.depth), np.array(partial.valid)
    partial.finish()
    save_arrays(folder / "labels.npz", depth=depth, valid=valid, held_out=held_out, **arrays)
    meta = {
        "format": FORMAT,
        "detected": detected,
        "crops": len(names),
        "face_model": model.id,
    }
    with replacing(folder / "meta.json") as temporary:
        temporary.write_text(json.dumps(meta), encoding="utf-8")


def dense_model(model: MorphableModel) -> tuple[FloatArray, FloatArray]:
    """Return the mean (3N,) and the basis (3N, C) in single precision."""
    basis = np.concatenate([model.w_shp, model.w_exp], axis=1).astype(np.float32)
    return np.asarray(model.u, np.float32).ravel(), basis


def place(mean: FloatArray, basis: FloatArray, alpha: FloatArray, camera: FloatArray) -> FloatArray:
    """Return the vertices (N, 3) of one face in the frame of its camera."""
    shape = (mean + basis @ alpha).reshape(-1, 3)
    return np.asarray(shape @ camera[:, :3].T + camera[:, 3], np.float32)


def relabel(folder: Path, labels: Labels, trusted: npt.NDArray[np.bool_]) -> int:
    """Give the crops of a packed data set new labels, after a change of fitter or landmarks.

    Pictures and depth stay as they are: a fit that moves a vertex by a pixel changes neither.

    Parameters
    ----------
    folder : Path
    labels : Labels
        Of at least all crops of the set; in the terms of the same basis as before.
    trusted : ndarray, shape (n,), bool
        Which of `labels` are good; crops whose label is not, are not drawn any more.

    Returns
    -------
    int
        Number of crops that can be drawn.

    Raises
    ------
    InputError
        If a crop of the set has no label.
    """
    faces = open_packed(folder)
    row = {name: i for i, name in enumerate(labels.names.tolist())}
    missing = [name for name in faces.labels.names.tolist() if name not in row]
    if missing:
        raise InputError(f"'{folder}': expected a label of '{missing[0]}'")
    index = np.array([row[name] for name in faces.labels.names.tolist()])
    residual = np.where(trusted[index], labels.residual[index], np.inf).astype(np.float32)
    new = replace(labels[index], residual=residual)
    save_arrays(
        folder / "labels.npz",
        depth=faces.depth,
        valid=faces.valid,
        held_out=faces.held_out,
        **{name: getattr(new, name) for name in LABEL_ARRAYS},
    )
    return int(np.isfinite(residual).sum())


def valid_box(image: npt.NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Return ``left, top, right, bottom`` of what is not black border."""
    bright = image.max(axis=2) > BLACK
    rows, columns = (np.flatnonzero(bright.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return 0, 0, image.shape[1], image.shape[0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def open_packed(folder: Path) -> PackedFaces:
    """Open a packed data set.

    Raises
    ------
    InputError
        If the folder holds none, or one that was not finished.
    """
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        images = np.load(folder / "images.npy", mmap_mode="r")
        with np.load(folder / "labels.npz", allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
        labels = labels_of(arrays)
        parts = (arrays["depth"], arrays["valid"], labels, arrays["held_out"], meta["detected"])
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"'{folder}': expected a packed data set, run training.prepare") from error
    if meta.get("format") != FORMAT or len(images) != len(labels.names):
        raise InputError(f"'{folder}': expected a whole data set of format {FORMAT}")
    return PackedFaces(images, *parts, face_model=meta.get("face_model"))


def read_crop(path: Path) -> npt.NDArray[np.uint8]:
    """Read a crop and bring it to the canvas' size."""
    crop = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if crop is None:
        raise InputError(f"'{path}': expected a readable picture")
    if crop.shape[:2] != (CANVAS, CANVAS):
        crop = cv2.resize(crop, (CANVAS, CANVAS), interpolation=cv2.INTER_AREA)
    return np.asarray(crop, np.uint8)
