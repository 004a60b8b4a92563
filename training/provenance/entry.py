"""One line of a manifest, and the manifest that stands beside whatever was made."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from tddfa.errors import InputError
from tddfa.io.atomic import replacing

NAME = "manifest.csv"
PICTURE, BACKGROUND, ASSET, LABEL, WEIGHTS = "picture", "background", "asset", "label", "weights"
KINDS = (PICTURE, BACKGROUND, ASSET, LABEL, WEIGHTS)


@dataclass(frozen=True, order=True)
class Entry:
    """Something that went into a data set or a network.

    Attributes
    ----------
    kind : {'picture', 'background', 'asset', 'label', 'weights'}
        What it was used as: a face, what lies behind one, a texture or light of a rendered head, a
        network that labelled, weights that training started from.
    name : str
        Path below the folder that it was taken from; of networks, the file's name.
    licence : str
        As its source states it; empty if nobody knows.
    author, source, path : str
        Who made it; public repository or package, and the path there. Empty where unknown.
    tier : str
        1 where a licence is stated, 2 where it is only likely; empty if its source does not say.
    sha256 : str
        Of networks.
    """

    kind: str
    name: str
    licence: str = ""
    author: str = ""
    source: str = ""
    path: str = ""
    tier: str = ""
    sha256: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"kind: expected one of {', '.join(KINDS)}, got '{self.kind}'")


def write_manifest(path: Path, entries: Iterable[Entry]) -> None:
    """Write entries, each once, in the order of their kinds and names.

    Parameters
    ----------
    path : Path
        A ``.csv``, or a folder whose ``manifest.csv`` it becomes.
    entries : iterable of Entry
    """
    path = _file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Entry)])
        writer.writeheader()
        writer.writerows(asdict(entry) for entry in sorted(set(entries)))


def read_manifest(path: Path) -> tuple[Entry, ...]:
    """Read what `write_manifest` wrote.

    Raises
    ------
    InputError
        If there is none, or it is another table.
    """
    path = _file(path)
    known = [field.name for field in fields(Entry)]
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if list(reader.fieldnames or ()) != known:
                raise InputError(f"'{path}': expected a table of {', '.join(known)}")
            rows = [{key: row.get(key) or "" for key in known} for row in reader]
    except FileNotFoundError as error:
        message = f"'{path}' is missing: nothing says where '{path.parent}' comes from"
        raise InputError(message) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"'{path}': expected a manifest") from error
    return tuple(Entry(**row) for row in rows)


def manifest_of(folders: Sequence[Path]) -> tuple[Entry, ...]:
    """Return the entries of several folders, each once; those that have no manifest give none."""
    found = {e for f in folders if _file(f).is_file() for e in read_manifest(f)}
    return tuple(sorted(found))


def _file(path: Path) -> Path:
    return path if path.suffix == ".csv" else path / NAME
