"""What the frozen regressor sees in a face: its pooled features, of several views of each crop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from tddfa.errors import InputError
from tddfa.io.atomic import save_arrays
from tddfa.morphable_model import MorphableModel
from tddfa.npz import load_npz
from tddfa.onnx_cache import find_onnx
from tddfa.onnx_join import FEATURES, join
from tddfa.weight_labels import file_sha256
from training.augmentation.augment import PLAIN, AugmentSettings, Augmenter
from training.augmentation.photometric import PhotometricSettings
from training.blendshapes.sources import MIRRORED, LabelledFaces
from training.regressor.basis import landmark_basis, mirror_matrix

BATCH = 64
# As the regressor's own last rounds: pictures are less damaged than by default.
AUGMENTED = AugmentSettings(
    photometric=PhotometricSettings(low_resolution=0.15, blur=0.08, jpeg=0.08, gray=0.08, noise=0.08)
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

    def get(self, name: str, make: Callable[[], Features]) -> Features:
        """Return features by name, made and kept if they are not there."""
        keys = [f"{name}_{field.name}" for field in fields(Features)]
        if not all(key in self._arrays for key in keys):
            made = make()
            if self.path is None:
                return made
            self._arrays |= {key: getattr(made, key.removeprefix(f"{name}_")) for key in keys}
            save_arrays(self.path, **self._arrays)
        return Features(*(self._arrays[key] for key in keys))


def extract(
    network: FeatureNet,
    sources: list[LabelledFaces],
    model: MorphableModel,
    *,
    views: int,
    held_out: bool = False,
) -> Features:
    """Return the features of `views` views of every crop; every other view is mirrored.

    Held-out crops are seen as they are. Labels of mirrored views are mirrored.
    """
    basis, flip = landmark_basis(model), mirror_matrix(model)
    values, coefficients, exact = [], [], []
    total = views * sum(len(source.rows(held_out)) for source in sources)
    with tqdm(total=total, desc="features", unit="view", mininterval=5) as bar:
        for view in range(views):
            mirror = bool(view % 2)
            settings = PLAIN if held_out else AUGMENTED
            settings = replace(settings, views=replace(settings.views, flip=float(mirror)))
            augment = Augmenter(basis, flip, settings)
            for number, source in enumerate(sources):
                rows = source.rows(held_out)
                for first in range(0, len(rows), BATCH):
                    some = rows[first : first + BATCH]
                    seed = (view * len(sources) + number) * _SEEDS + first
                    inputs, _ = augment(source.faces.crops(some), seed)
                    values.append(network(inputs.numpy()))
                    truth = source.coefficients[some]
                    coefficients.append(truth[:, MIRRORED] if mirror else truth)
                    exact.append(np.full(len(some), source.exact))
                    bar.update(len(some))
    if not values:
        raise InputError("data: expected faces with labels")
    return Features(np.concatenate(values), np.concatenate(coefficients), np.concatenate(exact))
