"""Pictures in tar files, as WebDataset has them."""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tddfa.errors import InputError
from tddfa.io.decode import ImageArray, decode
from tddfa.label.places import is_uri, open_store
from tddfa.label.schema import Row
from tddfa.label.sources import picture_suffixes

# No picture is larger as a file; a damaged header may say so.
_LARGEST = 1 << 30


def archive_pictures(path: str) -> Iterator[tuple[Row, ImageArray | InputError]]:
    """Yield every picture of an archive with what is known of it, or why it cannot be read.

    The archive is read once, from its beginning, nothing is unpacked. A damaged archive ends with
    an error in place of the pictures that are left.
    """
    known = picture_suffixes()
    try:
        with _open(path) as stream, tarfile.open(fileobj=stream, mode="r|*") as archive:
            for entry in archive:
                name = Path(entry.name)
                hidden = name.name.startswith(".")
                if not entry.isfile() or hidden or name.suffix.lower() not in known:
                    continue
                yield {"path": path, "member": entry.name}, _read(archive, entry)
    except (OSError, EOFError, tarfile.TarError) as error:
        reason = getattr(error, "strerror", None) or error
        yield {"path": path}, InputError(f"{path}: expected a tar file: {reason}")


def _open(path: str) -> IO[bytes]:
    if not is_uri(path):
        return Path(path).open("rb")
    store, inside = open_store(path)
    return store.open_input_stream(inside, buffer_size=1 << 20)


def _read(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> ImageArray | InputError:
    if entry.size > _LARGEST:
        return InputError(f"{entry.name}: expected a picture of at most a gigabyte")
    file = archive.extractfile(entry)
    data = file.read() if file is not None else b""
    if len(data) < entry.size:
        raise tarfile.ReadError(f"{entry.name} is cut short")
    try:
        return decode(data, entry.name)
    except InputError as error:
        return InputError(f"{entry.name}: {error}")
