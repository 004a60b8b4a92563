"""What the frozen regressor sees in a face: its pooled features, of several views of each crop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from tddfa.arkit52 import MIRRORED
from tddfa.errors import InputError
from tddfa.io.atomic import save_arrays
from tddfa.morphable_model import MorphableModel
from tddfa.npz import load_npz
from tddfa.onnx_cache import find_onnx
from tddfa.onnx_join import FEATURES, join
from tddfa.weight_labels import file_sha256
from training.augmentation.augment import PLAIN, Augmenter, AugmentSettings
from training.augmentation.photometric import PhotometricSettings
from training.blendshapes.sources import LabelledFaces
from training.regressor.basis import landmark_basis, mirror_matrix

BATCH = 64
# As the regressor's own last rounds: pictures are less damaged than by default.
AUGMENTED = AugmentSettings(
    photometric=PhotometricSettings(
        low_resolution=0.15, blur=0.08, jpeg=0.08, gray=0.08, noise=0.08
    )
)
_SEEDS = 1 << 32  # of one view of all crops


@dataclass(frozen=True)
class Features:
    """Views of faces as the head sees them.

    Attributes
    ----------
    values : ndarray, shape (n, F), float32
    coefficients : ndarray, shape (n, 52), float32
    exact : ndarray, shape (n,), bool
        Whether the coefficients are true, not a teacher's.
    """

    values: npt.NDArray[np.float32]
    coefficients: npt.NDArray[np.float32]
    exact: npt.NDArray[np.bool_]


class FeatureNet:
    """A regressor's features by ONNX Runtime.

    Parameters
    ----------
    checkpoint : Path
        ``.pth`` of the regressor.
    threads : int
    """

    def __init__(self, checkpoint: Path, threads: int = 1) -> None:
        import onnx
        import onnxruntime

        network = find_onnx(checkpoint)
        value = onnx.helper.make_tensor_value_info(FEATURES, onnx.TensorProto.FLOAT, None)
        wanted = onnx.helper.make_model(onnx.helper.make_graph([], "features", [], [value]))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self._session: Any = onnxruntime.InferenceSession(
                join(network.read_bytes(), wanted.SerializeToString()), options
            )
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise InputError(f"'{network}': expected a regressor with '{FEATURES}'") from error

    def __call__(self, crops: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return features (n, F) of network inputs (n, 3, 120, 120)."""
        found: npt.NDArray[np.float32] = self._session.run([FEATURES], {"input": crops})[0]
        return found


@dataclass(frozen=True)
class Views:
    """What is to be seen: `count` views of each labelled crop, every other one mirrored.

    Attributes
    ----------
    sources : list of LabelledFaces
    count : int
    held_out : bool
        Of held-out crops, which are seen as they are; of all others else.
    """

    sources: list[LabelledFaces]
    count: int
    held_out: bool = False

    def __iter__(self) -> Iterator[tuple[bool, int, LabelledFaces, npt.NDArray[np.intp], int]]:
        """Yield whether it is a mirrored view, the source's number, itself, rows, and a seed."""
        for view in range(self.count):
            for number, source in enumerate(self.sources):
                rows = source.rows(self.held_out)
                for first in range(0, len(rows), BATCH):
                    seed = (view * len(self.sources) + number) * _SEEDS + first
                    yield bool(view % 2), number, source, rows[first : first + BATCH], seed

    @property
    def coefficients(self) -> npt.NDArray[np.float32]:
        """Labels (n, 52); those of mirrored views are mirrored."""
        parts = [
            source.coefficients[rows][:, MIRRORED] if mirror else source.coefficients[rows]
            for mirror, _, source, rows, _ in self
        ]
        if not parts:
            raise InputError("data: expected faces with labels")
        return np.concatenate(parts)

    @property
    def exact(self) -> npt.NDArray[np.bool_]:
        """Whether each label is true, not a teacher's, (n,)."""
        return np.concatenate(
            [np.full(len(rows), source.exact) for _, _, source, rows, _ in self] or [np.empty(0)]
        ).astype(bool)


class FeatureStore:
    """Features in a file, so that another head need not wait for them.

    Parameters
    ----------
    path : Path, optional
        ``.npz``; without it nothing is kept.
    regressor : Path
        Whose features they are: those of another one are made anew.
    """

    def __init__(self, path: Path | None, regressor: Path) -> None:
        self.path, self._arrays = path, {}
        of = file_sha256(regressor)
        if path is not None and path.is_file():
            self._arrays = load_npz(path)
            if str(self._arrays.get("regressor")) != of:
                self._arrays = {}
        self._arrays["regressor"] = np.array(of)

    def get(
        self, name: str, views: Views, make: Callable[[Views], npt.NDArray[np.float32]]
    ) -> Features:
        """Return the features of views, made and kept under `name` if they are not there.

        Labels are always read anew.
        """
        key = f"{name}_values"
        if key not in self._arrays or len(self._arrays[key]) != len(views.exact):
            self._arrays[key] = make(views)
            if self.path is not None:
                save_arrays(self.path, **self._arrays)
        return Features(self._arrays[key], views.coefficients, views.exact)


def extract(network: FeatureNet, views: Views, model: MorphableModel) -> npt.NDArray[np.float32]:
    """Return the features (n, F) of views."""
    basis, flip = landmark_basis(model), mirror_matrix(model)
    augmenters = []
    for mirror in (0.0, 1.0):
        settings = PLAIN if views.held_out else AUGMENTED
        settings = replace(settings, views=replace(settings.views, flip=mirror))
        augmenters.append(Augmenter(basis, flip, settings))
    values = []
    with tqdm(total=len(views.exact), desc="features", unit="view", mininterval=5) as bar:
        for mirror, _, source, rows, seed in views:
            inputs, _ = augmenters[mirror](source.faces.crops(rows), seed)
            values.append(network(inputs.numpy()))
            bar.update(len(rows))
    return np.concatenate(values)
