"""The reference's own files: which they are, whether a copy is genuine, where to get one."""

import hashlib
import logging
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tddfa.errors import InputError
from tddfa.io.atomic import replacing

logger = logging.getLogger(__name__)

COMMIT = "1b6c67601abffc1e9f248b291708aef0e43b55ae"
REPOSITORY = f"https://raw.githubusercontent.com/cleardusk/3DDFA_V2/{COMMIT}"
_TIMEOUT = 60.0
_CHUNK = 1 << 20
_MAX_BYTES = 1 << 30


@dataclass(frozen=True)
class ReferenceFile:
    """One file of the reference's repository.

    Attributes
    ----------
    path : str
        Where it lies in the repository.
    blob : str
        Git's object id of its contents at `COMMIT`.
    required : bool
        Whether an import can do without it.
    """

    path: str
    blob: str
    required: bool = True

    def locate(self, folder: Path) -> Path | None:
        """Return the file in a copy of the repository, or in a flatter folder of its files."""
        tail = Path(self.path)
        for candidate in (folder / tail, folder / Path(*tail.parts[-2:]), folder / tail.name):
            if candidate.is_file():
                return candidate
        return None


DETECTOR = ReferenceFile(
    "FaceBoxes/weights/FaceBoxesProd.pth", "89c411c20eb55668e224b04cba549687ea242b57"
)
REGRESSORS = (
    ReferenceFile("weights/mb1_120x120.pth", "bb78e0cd616fa578febb725b4be3a3ddd546f6b4", False),
    ReferenceFile("weights/mb05_120x120.pth", "6b7be882d53da54cc84732b295695d5c89c93bc3", False),
)
FACE_MODEL = ReferenceFile("configs/bfm_noneck_v3.pkl", "7a44e1e29d658fc5d7303eb07cd820b23daab34a")
TRIANGLES = ReferenceFile("configs/tri.pkl", "31b52dcfb1a823649a6157f784ce39304c96ca6d")
UV = ReferenceFile("configs/BFM_UV.mat", "fa205443b62307647358facf6fd92b13166d0d86")
UV_INDICES = ReferenceFile("configs/indices.npy", "8dc0fbd5fcd3f46528ce0c8cb40fd5fa8432bed4")
NCC = ReferenceFile("configs/ncc_code.npy", "b1411ff3a716a1d87d43c865525007e6d65fd2f0")
SCALE = ReferenceFile(
    "configs/param_mean_std_62d_120x120.pkl", "110c0f3eda9f7c610dd20a4ac96de848b76de443"
)
ALL_FILES = (DETECTOR, *REGRESSORS, FACE_MODEL, TRIANGLES, UV, UV_INDICES, NCC, SCALE)


def git_blob_id(path: Path) -> str:
    """Return git's object id of a file: SHA-1 of ``blob``, size, NUL and its contents."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def find_files(folder: Path, *, check: bool = True) -> dict[ReferenceFile, Path]:
    """Find the reference's files in a folder and check that they are genuine.

    Parameters
    ----------
    folder : Path
        A copy of the repository, or a folder with its ``configs`` and ``weights``, or all files
        side by side.
    check : bool
        Compare each file's git object id.

    Raises
    ------
    InputError
        If a required file or both regressors are missing, or a file is not the reference's.
    """
    if not folder.is_dir():
        raise InputError(f"'{folder}': expected a folder with the reference's files")
    found = {file: path for file in ALL_FILES if (path := file.locate(folder)) is not None}
    missing = [file.path for file in ALL_FILES if file.required and file not in found]
    if not any(file in found for file in REGRESSORS):
        missing.append(" or ".join(file.path for file in REGRESSORS))
    if missing:
        raise InputError(
            f"'{folder}': expected the reference's files, missing {', '.join(missing)}"
        )
    if check:
        for file, path in found.items():
            actual = git_blob_id(path)
            if actual != file.blob:
                raise InputError(
                    f"'{path}': not the reference's {file.path} (git blob {actual}, "
                    f"expected {file.blob})"
                )
    return found


def download(folder: Path, base_url: str = REPOSITORY) -> None:
    """Fetch the reference's files into a folder; genuine ones that are there are kept.

    A file of that name that is not the reference's is the user's, and is not overwritten.

    Parameters
    ----------
    folder : Path
        Target; made if missing. Files lie in it as in the repository.
    base_url : str
        Where the repository's files are served.

    Raises
    ------
    InputError
        If a file cannot be fetched or is not the reference's; it is not kept then. If another file
        is in the way.
    """
    present = [file for file in ALL_FILES if (folder / file.path).is_file()]
    for file in present:
        if git_blob_id(folder / file.path) != file.blob:
            raise InputError(
                f"'{folder / file.path}' is not the reference's: move it away, or choose a new "
                "folder to download to"
            )
    for file in ALL_FILES:
        if file in present:
            continue
        target = folder / file.path
        url = f"{base_url.rstrip('/')}/{file.path}"
        logger.info("fetching %s", url)
        with replacing(target) as temporary:
            try:
                _fetch(url, temporary)
            except OSError as error:  # urllib's errors are OSErrors, too
                raise InputError(f"{url}: cannot be fetched: {error}") from error
            actual = git_blob_id(temporary)
            if actual != file.blob:
                raise InputError(f"{url}: git blob {actual}, expected {file.blob}")


def _fetch(url: str, target: Path) -> None:
    if not url.startswith(("https://", "http://")):
        raise InputError(f"{url}: expected an http or https address")
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as response, target.open("wb") as file:
        size = 0
        while chunk := response.read(_CHUNK):
            size += len(chunk)
            if size > _MAX_BYTES:
                raise InputError(f"{url}: larger than {_MAX_BYTES} bytes")
            file.write(chunk)
