"""Faces with blendshape labels: crops of photos by teachers, rendered heads by construction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from tddfa.arkit52 import NAMES
from tddfa.errors import InputError
from training.dataset.packed import PackedFaces, open_packed
from training.labels.blendshape_join import load_labels


@dataclass(frozen=True)
class LabelledFaces:
    """Packed crops and their coefficients.

    Attributes
    ----------
    faces : PackedFaces
    coefficients : ndarray, shape (n, 52), float32
        In [0, 1]; NaN where a crop has no label.
    exact : bool
        Rendered heads, whose coefficients are true.
    """

    faces: PackedFaces
    coefficients: npt.NDArray[np.float32]
    exact: bool

    def rows(self, held_out: bool) -> npt.NDArray[np.intp]:
        """Return which crops are labelled, and held out or not."""
        known = np.isfinite(self.coefficients).all(axis=1)
        return np.flatnonzero(known & (self.faces.held_out == held_out))


def open_labelled(folder: Path, labels: Path) -> LabelledFaces:
    """Open a packed data set with labels of ``training.blendshape_labels``.

    Raises
    ------
    InputError
        If either is missing, or no crop has a label.
    """
    faces = open_packed(folder)
    found = LabelledFaces(faces, load_labels(labels).of(faces.labels.names), False)
    if not np.isfinite(found.coefficients).any():
        raise InputError(f"'{labels}': expected labels of the crops in '{folder}'")
    return found


def open_rendered(folder: Path) -> LabelledFaces:
    """Open heads of ``training.render_heads``; the coefficients are those that they were made with.

    Raises
    ------
    InputError
        If it holds none, or is not finished.
    """
    faces = open_packed(folder)
    return LabelledFaces(faces, true_coefficients(folder, len(faces)), True)


def true_coefficients(folder: Path, count: int) -> npt.NDArray[np.float32]:
    """Return the coefficients (n, 52) that `count` rendered heads were made with.

    Raises
    ------
    InputError
        If there are none, or not so many.
    """
    try:
        with np.load(folder / "truth.npz", allow_pickle=False) as archive:
            values, names = archive["blendshapes"], tuple(archive["blendshape_names"].tolist())
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"'{folder}': expected truth.npz of training.render_heads") from error
    if names != NAMES or len(values) != count:
        raise InputError(f"'{folder}': expected 52 coefficients of each head")
    return np.asarray(values, np.float32)


def with_blendshapes(
    folders: Sequence[Path], sources: Sequence[PackedFaces], labels: Sequence[Path]
) -> tuple[list[PackedFaces], torch.Tensor]:
    """Return the data sets with the labels of their crops, and the labels' deviations (52,).

    Turned faces bear the name of the crop that they were made of, and so its label. Rendered heads
    bring their own.

    Raises
    ------
    InputError
        If a folder of labels holds none, or no crop has one.
    """
    known = [load_labels(folder) for folder in labels]
    found = []
    for folder, source in zip(folders, sources, strict=True):
        if (folder / "truth.npz").is_file():
            shapes = true_coefficients(folder, len(source))
        else:
            shapes = np.full((len(source), len(NAMES)), np.nan, np.float32)
            for each in known:
                of = each.of(source.labels.names)
                shapes = np.where(np.isfinite(of), of, shapes)
        found.append(replace(source, blendshapes=shapes))
    every = np.concatenate([source.blendshapes for source in found])
    if not np.isfinite(every).any():
        raise InputError(f"'{labels[0]}': expected labels of the crops in '{folders[0]}'")
    return found, torch.from_numpy(np.nanstd(every, axis=0).astype(np.float32))
