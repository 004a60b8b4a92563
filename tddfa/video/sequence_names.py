"""Names of numbered pictures: ``frame_%04d.png``, or a folder of them."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tddfa.errors import InputError
from tddfa.io.picture_paths import PICTURE_SUFFIXES

# What stands for the number: %d, or %04d for at least four digits.
_NUMBER = re.compile(r"%(?:0(\d{1,2}))?d")
# The pictures of a folder that is written to.
FOLDER_NAME = "frame_%06d.png"


@dataclass(frozen=True)
class SequenceName:
    """A name with a place for a number, as ``printf`` and FFmpeg write it.

    Attributes
    ----------
    folder : Path
    before, after : str
        The name around the number; `after` ends with the pictures' extension.
    digits : int
        Least number of digits.
    """

    folder: Path
    before: str
    digits: int
    after: str

    @classmethod
    def parse(cls, text: str) -> "SequenceName":
        """Read ``folder/frame_%04d.png``.

        Raises
        ------
        InputError
            If there is not one number in the name, or it is no picture's.
        """
        path = Path(text)
        found = list(_NUMBER.finditer(path.name))
        if len(found) != 1 or "%" in _NUMBER.sub("", path.name):
            raise InputError(f"{text}: expected one number in the name, as in frame_%04d.png")
        if path.suffix.lower() not in PICTURE_SUFFIXES:
            raise InputError(
                f"{text}: expected numbered pictures, as in frame_%04d.png, "
                f"got {path.suffix or 'no extension'}"
            )
        number = found[0]
        before, after = path.name[: number.start()], path.name[number.end() :]
        return cls(path.parent, before, int(number[1] or 1), after)

    def __str__(self) -> str:
        digits = f"0{self.digits}" if self.digits > 1 else ""
        return str(self.folder / f"{self.before}%{digits}d{self.after}")

    def path(self, number: int) -> Path:
        """Return the picture of a number."""
        return self.folder / f"{self.before}{number:0{self.digits}d}{self.after}"

    def find(self) -> list[tuple[int, Path]]:
        """Return the pictures that are there, by number.

        Raises
        ------
        InputError
            If there are none.
        """
        if not self.folder.is_dir():
            raise InputError(f"{self}: no such folder")
        shape = re.compile(f"{re.escape(self.before)}([0-9]+){re.escape(self.after)}")
        found = []
        for path in self.folder.iterdir():
            match = shape.fullmatch(path.name)
            if match and self.path(int(match[1])).name == path.name:
                found.append((int(match[1]), path))
        if not found:
            raise InputError(f"{self}: no such pictures")
        return sorted(found)


def pictures_in(folder: Path) -> list[tuple[int, Path]]:
    """Return the pictures of a folder in numeric order: 2 comes before 10.

    Each comes with the last number in its name; with its place, from 0, where names have no
    number, or one twice.

    Raises
    ------
    InputError
        If there are none.
    """
    paths = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
    ]
    if not paths:
        raise InputError(f"{folder}: expected a folder with pictures in it, found none")
    paths.sort(key=lambda path: (_natural(path.name), path.name))
    numbers = [re.findall(r"[0-9]+", path.stem)[-1:] for path in paths]
    if all(numbers):
        values = [int(number[0]) for number in numbers]
        if all(a < b for a, b in itertools.pairwise(values)):
            return list(zip(values, paths, strict=True))
    return list(enumerate(paths))


def missing_numbers(numbers: Sequence[int]) -> int:
    """Return how many numbers between the first and the last are not there."""
    return numbers[-1] - numbers[0] + 1 - len(numbers) if numbers else 0


def is_sequence_name(text: str) -> bool:
    """Tell a pattern from a file whose name has a percent sign."""
    return _NUMBER.search(Path(text).name) is not None and not Path(text).exists()


def _natural(name: str) -> list[tuple[int, int | str]]:
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]
