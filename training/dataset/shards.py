"""Results of many pictures in a folder of archives, so that a broken run loses one at most."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.io.atomic import save_arrays

logger = logging.getLogger(__name__)
SHARD = 512


def parse_part(text: str) -> tuple[int, int]:
    """Return i and n of a share of the work, ``i/n``.

    Examples
    --------
    >>> parse_part("0/2")
    (0, 2)
    """
    try:
        part, parts = (int(number) for number in text.split("/"))
    except ValueError:
        part, parts = -1, 0
    if not 0 <= part < parts:
        raise InputError(f"--part: expected i/n with 0 <= i < n, got {text!r}")
    return part, parts


def in_order(found: Sequence[str], wanted: Path | None) -> list[str]:
    """Return what to look at, in which order.

    Parameters
    ----------
    found : sequence of str
        Names that are there.
    wanted : Path, optional
        A file of names, one a line, most important first; by default all in random order, lest a
        run that is cut short leave out the sources at the end.
    """
    if wanted is None:
        return [found[i] for i in np.random.default_rng(0).permutation(len(found))]
    try:
        names = wanted.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"'{wanted}': expected a list of names, one a line") from error
    names = [name.strip() for name in names if name.strip()]
    there = set(found)
    missing = next((name for name in names if name not in there), None)
    if missing is not None:
        raise InputError(f"'{wanted}': expected names of pictures, '{missing}' is not there")
    return list(dict.fromkeys(names))


class Shards:
    """Archives ``<kind>_<part>_<number>.npz`` of a folder; each is written whole or not at all.

    Parameters
    ----------
    folder : Path
    kind : str
    """

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder, self.kind = folder, kind

    @property
    def paths(self) -> list[Path]:
        """The archives that are there."""
        return sorted(self.folder.glob(f"{self.kind}_*.npz"))

    def holds(self, key: str) -> bool:
        """Return whether the archives have an array of this name, by the first one."""
        with np.load(self.paths[0], allow_pickle=False) as archive:
            return key in archive

    def read(self, key: str) -> npt.NDArray[Any]:
        """Return an array of all archives, joined; empty where there is none."""
        parts = []
        for path in self.paths:
            try:
                with np.load(path, allow_pickle=False) as archive:
                    parts.append(archive[key])
            except (OSError, KeyError, ValueError) as error:
                raise InputError(f"'{path}': expected an archive with '{key}'") from error
        return np.concatenate(parts) if parts else np.empty(0, str)

    def missing(self, names: Sequence[str], part: int = 0, parts: int = 1) -> list[list[str]]:
        """Return the names that no archive has, of this share, in lists for one archive each."""
        done = set(self.read("names").tolist())
        # Shares are cut from all names: another process may have added archives meanwhile.
        left = [name for name in names[part::parts] if name not in done]
        return [left[first : first + SHARD] for first in range(0, len(left), SHARD)]

    def write(self, part: int, **arrays: npt.NDArray[Any]) -> None:
        """Add an archive."""
        number = 0
        while (target := self.folder / f"{self.kind}_{part:02d}_{number:04d}.npz").exists():
            number += 1
        save_arrays(target, **arrays)
        logger.info("wrote %s", target.name)
