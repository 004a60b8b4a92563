"""Entries of pictures, out of the table that whoever collected them wrote."""

import csv
from collections.abc import Iterable
from pathlib import Path

from tddfa.errors import InputError
from training.provenance.entry import PICTURE, Entry

# Names of such tables, in a folder of pictures or in one above it.
TABLES = ("manifest.csv", "index.csv")
_ABOVE = 2
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


def find_table(folder: Path) -> Path | None:
    """Return the table of a folder of pictures, None if there is none there or just above."""
    folder = folder.resolve()
    for place in [folder, *folder.parents[:_ABOVE]]:
        for name in TABLES:
            table = place / name
            if table.is_file() and _columns(table) >= {"file", "licence"}:
                return table
    return None


def picture_entries(folder: Path, names: Iterable[str], kind: str = PICTURE) -> list[Entry]:
    """Return an entry for each of the pictures below a folder.

    Parameters
    ----------
    folder : Path
        Of the pictures. Its table (`find_table`) has the columns file, licence and, where known,
        author, repo, path, tier.
    names : iterable of str
        Paths below it.
    kind : str
        What they are used as.

    Returns
    -------
    list of Entry
        Pictures that the table does not name have no licence. One that was converted is known by
        its name with another suffix.

    Raises
    ------
    InputError
        If the table cannot be read.
    """
    table = find_table(folder)
    rows = _rows(table) if table else {}
    above = folder.resolve().relative_to(table.parent).as_posix() if table else "."
    converted = {_stem(name): row for name, row in rows.items() if name.endswith(_PICTURES)}
    entries = []
    for name in names:
        key = name if above == "." else f"{above}/{name}"
        row = rows.get(key) or (converted.get(_stem(key), {}) if key.endswith(_PICTURES) else {})
        entries.append(
            Entry(
                kind,
                name,
                licence=row.get("licence", ""),
                author=row.get("author", ""),
                source=row.get("repo", ""),
                path=row.get("path", ""),
                tier=row.get("tier", ""),
            )
        )
    return entries


def _stem(name: str) -> str:
    return name.rsplit(".", 1)[0]


def _columns(table: Path) -> set[str]:
    with table.open(encoding="utf-8", errors="replace", newline="") as file:
        return set(next(csv.reader(file), []))


def _rows(table: Path) -> dict[str, dict[str, str]]:
    try:
        with table.open(encoding="utf-8", newline="") as file:
            return {
                row["file"]: {k: v or "" for k, v in row.items()} for row in csv.DictReader(file)
            }
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"'{table}': expected a table with the columns file and licence"
        ) from error
