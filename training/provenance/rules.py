"""What may go into weights that anyone may use: the rule behind ``--free``."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tddfa.errors import InputError
from training.provenance.entry import LABEL, WEIGHTS, Entry, read_manifest
from training.provenance.networks import network_entries

# Licences that allow commercial use and changed copies, by how they begin. CC BY asks for names
# (`notice`); those with SA, NC or ND bind what is made of them and are not here.
ALLOWED = (
    r"CC0",
    r"CC[ -]BY[ -][1-4]\.[0-9]",
    r"MIT\b",
    r"BSD\b",
    r"Apache-2\.0",
    r"public domain",
    r"US government work",
)
_BINDING = re.compile(r"\b(NC|ND|SA|non-?commercial|research)\b", re.IGNORECASE)
_ALLOWED = re.compile("|".join(ALLOWED), re.IGNORECASE)


# Options whose weights go into what is trained; others name networks that label.
STARTS = ("--init", "regressor")


@dataclass(frozen=True)
class Refusal:
    """Something that may not be used, and why.

    Attributes
    ----------
    what : str
        Kind and name.
    why : str
    """

    what: str
    why: str


def is_free(licence: str) -> bool:
    """Return whether a licence leaves everybody free to use what is trained on its pictures.

    Examples
    --------
    >>> is_free("CC BY 4.0 (LICENSE)"), is_free("CC BY-NC 4.0"), is_free("")
    (True, False, False)
    """
    return bool(_ALLOWED.match(licence.strip())) and not _BINDING.search(licence)


def refusals(entries: Iterable[Entry]) -> list[Refusal]:
    """Return what may not be used, with reasons."""
    found = []
    for entry in entries:
        if not entry.licence:
            if entry.kind in (LABEL, WEIGHTS):
                why = "no manifest says what this network was trained on"
            else:
                why = "its folder's table has no licence of it"
        elif not is_free(entry.licence):
            why = f"its licence is '{entry.licence}'"
        else:
            continue
        found.append(Refusal(f"{entry.kind} '{entry.name}'", why))
    return found


def require_free(
    data: Sequence[Path], networks: Sequence[tuple[str, Path]] = ()
) -> tuple[Entry, ...]:
    """Refuse a training run that has anything in it which is not free.

    Parameters
    ----------
    data : sequence of Path
        Data sets, and archives of boxes: each must have a manifest.
    networks : sequence of (str, Path)
        Option and file of weights that training starts from or learns from.

    Returns
    -------
    tuple of Entry
        All that goes into the run.

    Raises
    ------
    InputError
        In one line that names the first thing that is not free, and how many more there are.
    """
    everything: set[Entry] = set()
    for folder in data:
        entries = read_manifest(beside(folder))
        _check(f"'{folder}'", entries)
        everything.update(entries)
    for option, path in networks:
        entries = tuple(network_entries(path, WEIGHTS if option in STARTS else LABEL))
        _check(f"{option} '{path}'", entries)
        everything.update(entries)
    return tuple(sorted(everything))


def beside(data: Path) -> Path:
    """Return where the manifest of a data set, or of an archive, is."""
    return data.with_suffix(".manifest.csv") if data.suffix else data


def _check(what: str, entries: Sequence[Entry]) -> None:
    if not entries:
        raise InputError(f"--free: {what} has an empty manifest")
    found = refusals(entries)
    if found:
        first, more = found[0], len(found) - 1
        rest = f" ({more} more)" if more else ""
        raise InputError(f"--free: {what} has {first.what}: {first.why}{rest}")
