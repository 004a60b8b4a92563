"""A look at a checkpoint before PyTorch is loaded, which alone takes seconds.

It decides nothing in favor of a file: what passes here is still read by `tddfa.checkpoints`, which
admits tensors alone.
"""

import io
import pickletools
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tddfa.errors import InputError

_ZIP_MAGIC = b"PK\x03\x04"
_PICKLE_MAGIC = b"\x80"
# A checkpoint's pickle names its tensors; that of a large network has some 100 kB.
_LONGEST = 1 << 24
# Before zip files PyTorch wrote four pickles: magic number, version, system, and the checkpoint.
_PICKLES = 4
# What PyTorch writes tensors with, by module.
_TRUSTED = frozenset({"torch", "torch._utils", "torch._tensor", "collections", "torch.storage"})
_HARMLESS = frozenset(
    {("_codecs", "encode"), *(("builtins", name) for name in ("bytearray", "set", "complex"))}
)
# Names that are not for a checkpoint although those modules have them.
_LOADERS = frozenset({"load", "compile", "hub"})


def check_head(path: str | Path) -> None:
    """Raise unless a file may be a checkpoint of tensors; needs no PyTorch.

    Parameters
    ----------
    path : str or Path
        ``.pth`` file. One that is missing is left to who reads it.

    Raises
    ------
    InputError
        If the file is neither of PyTorch's formats, or its pickle asks for other functions than
        those that tensors are rebuilt with.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(4)
            file.seek(0)
            if start == _ZIP_MAGIC:
                pickle = _zipped_pickle(path)
            else:
                pickle = file.read(_LONGEST) if start.startswith(_PICKLE_MAGIC) else b""
    except OSError:
        return
    if not pickle:
        raise InputError(f"'{path}': expected a PyTorch checkpoint")
    for module, name in _names(pickle):
        trusted = module in _TRUSTED and name not in _LOADERS
        if not trusted and (module, name) not in _HARMLESS:
            asked = f"{module}.{name}"[:80]
            raise InputError(
                f"'{path}': expected a PyTorch checkpoint of tensors alone, it asks for {asked}"
            )


def _zipped_pickle(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info for info in archive.infolist() if info.filename.endswith("data.pkl")]
            if not names or names[0].file_size > _LONGEST:
                return b""
            return archive.read(names[0])
    # zipfile raises NotImplementedError for ways of packing, RuntimeError for ciphers it lacks.
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError):
        return b""


def _names(pickle: bytes) -> Iterator[tuple[str, str]]:
    """Yield module and name of each global that a pickle asks for, as far as it can be read."""
    stream = io.BytesIO(pickle)
    try:
        for _ in range(_PICKLES):
            yield from _names_of_one(stream)
    except Exception:  # damaged: pickletools documents no closed set of errors; PyTorch will say so
        return


def _names_of_one(stream: IO[bytes]) -> Iterator[tuple[str, str]]:
    texts: list[str] = []  # strings pushed so far; STACK_GLOBAL takes the last two
    memo: dict[int, str] = {}
    count = 0
    for code, argument, _ in pickletools.genops(stream):
        if code.name in ("GLOBAL", "INST"):
            module, _, name = str(argument).partition(" ")
            yield module, name
        elif code.name == "STACK_GLOBAL" and len(texts) > 1:
            yield texts[-2], texts[-1]
        elif code.name == "MEMOIZE":
            memo[count] = texts[-1] if texts else ""
            count += 1
        elif code.name in ("BINPUT", "LONG_BINPUT", "PUT"):
            memo[int(argument or 0)] = texts[-1] if texts else ""
        elif code.name in ("BINGET", "LONG_BINGET", "GET"):
            texts.append(memo.get(int(argument or 0), ""))
        elif isinstance(argument, str):
            texts.append(argument)
