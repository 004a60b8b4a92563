"""Packed data sets that are made of others: which crops are drawn, and what is true of both."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tddfa.morphable_model import MorphableModel
from training.dataset.packed import PackedFaces, pack
from training.labels.pseudo_labels import Labels
from training.provenance.entry import manifest_of, write_manifest


def evenly(
    rows: npt.NDArray[np.integer], count: int, generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return `count` of the rows, none more than once more often than another.

    They are sorted: what lies together on disk is read together, and the order of the new set is
    that of the old one.

    Examples
    --------
    >>> evenly(np.array([4, 7]), 4, np.random.default_rng(0)).tolist()
    [4, 4, 7, 7]
    """
    rounds = max(1, -(-count // len(rows)))
    order = np.concatenate([generator.permutation(rows) for _ in range(rounds)])
    return np.sort(order[:count]).astype(np.int64)


def pack_made_of(
    folder: Path,
    source: Path,
    faces: PackedFaces,
    rows: npt.NDArray[np.integer],
    picture: Callable[[int], npt.NDArray[np.uint8]],
    labels: Labels,
    model: MorphableModel,
    *,
    detected: bool,
    workers: int = 1,
) -> None:
    """Write a data set whose i-th picture was made of crop ``rows[i]`` of another one.

    A face that is held out is held out in any pose and expression, and where the pictures come
    from is where those of the source do: all of it, for other crops may lie behind.

    Parameters
    ----------
    folder, source : Path
        The new set, and the one that `faces` are.
    faces : PackedFaces
    rows : ndarray, shape (n,), int
    picture : callable
        Gives the i-th picture (168, 168, 3).
    labels : Labels
        Of the n pictures.
    model, detected, workers
        See `packed.pack`.
    """
    pack(
        folder,
        range(len(rows)),
        picture,
        labels,
        model,
        detected=detected,
        workers=workers,
        held_out=faces.held_out[rows],
    )
    if known := manifest_of([source]):
        write_manifest(folder, known)
