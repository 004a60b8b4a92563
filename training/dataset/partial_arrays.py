"""Large arrays on disk that are filled bit by bit, and can be gone on with."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.io.atomic import replacing
from tddfa.morphable_model import MorphableModel
from training.dataset.batch import CANVAS
from training.labels.pseudo_labels import Labels

DEPTH_SIDE = 42


def fingerprint(labels: Labels, model: MorphableModel) -> str:
    """Return what tells whether a half-written data set is the one that is asked for."""
    digest = hashlib.sha256()
    for array in (labels.names, labels.camera, labels.alpha, model.u, model.keypoints):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


class PartialArrays:
    """Arrays of n crops under construction.

    Parameters
    ----------
    folder : Path
    count : int
    mark : str
        `fingerprint` of what is written.

    Attributes
    ----------
    images, depth, valid : ndarray
        As in `packed.PackedFaces`, mapped from disk.
    done : int
        So many crops are there already.
    """

    def __init__(self, folder: Path, count: int, mark: str) -> None:
        self.folder, self._fingerprint = folder, mark
        self._progress = folder / "progress.json"
        shapes: dict[str, tuple[Any, tuple[int, ...]]] = {
            "images": (np.uint8, (count, CANVAS, CANVAS, 3)),
            "depth": (np.float16, (count, DEPTH_SIDE, DEPTH_SIDE)),
            "valid": (np.int16, (count, 4)),
        }
        self.done = self._read_progress()
        arrays = {}
        for name, (dtype, shape) in shapes.items():
            path = folder / f"{name}.partial.npy"
            mode: Any = "r+" if self.done and path.exists() else "w+"
            self.done = self.done if mode == "r+" else 0
            arrays[name] = np.lib.format.open_memmap(path, mode, dtype, shape)
        self.images: npt.NDArray[np.uint8] = arrays["images"]
        self.depth: npt.NDArray[np.float16] = arrays["depth"]
        self.valid: npt.NDArray[np.int16] = arrays["valid"]

    def _read_progress(self) -> int:
        try:
            data = json.loads(self._progress.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return 0
        return int(data["done"]) if data.get("fingerprint") == self._fingerprint else 0

    def mark(self, done: int) -> None:
        """Record that the first `done` crops are complete."""
        for array in (self.images, self.depth, self.valid):
            if isinstance(array, np.memmap):
                array.flush()
        with replacing(self._progress) as temporary:
            data = {"done": done, "fingerprint": self._fingerprint}
            temporary.write_text(json.dumps(data), encoding="utf-8")

    def finish(self) -> None:
        """Give the pictures their final name and drop what helped on the way."""
        del self.images, self.depth, self.valid
        (self.folder / "images.partial.npy").replace(self.folder / "images.npy")
        for name in ("depth.partial.npy", "valid.partial.npy", "progress.json"):
            (self.folder / name).unlink()
