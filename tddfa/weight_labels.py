"""What weights say of themselves: which face model and parameter scale they were trained for.

A ``.pth`` has it under the key ``labels``, an ``.onnx`` in its metadata. Ids are SHA-256 over
contents, so that a file may be moved and renamed. The reference's files say nothing::

    weights      face model and scale          together
    labels       of these ids                  yes
    labels       of others                     no
    none         in the reference's format     yes: nothing is known
    none         ours                          no
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.io.mapped_arrays import is_mapped_whole, read_pieces
from tddfa.remembered import remembered

REGRESSOR, DETECTOR, FACE_CHECK = "mobilenet", "faceboxes", "face_check"
BLENDSHAPES = "blendshapes"  # a head on a regressor's features
_CHUNK = 1 << 20


class Labelled(Protocol):
    """A face model or a parameter scale."""

    @property
    def id(self) -> str:
        """SHA-256 over its arrays."""

    @property
    def reference_rules(self) -> bool:
        """Whether it is in the reference's format, where weights carry no labels."""


@dataclass(frozen=True)
class WeightLabels:
    """Labels of a file of weights; None where the file does not say.

    Attributes
    ----------
    network : str, optional
        A module of `tddfa.backbones`, such as ``mobilenet``, or ``faceboxes``, ``face_check`` or
        ``blendshapes``.
    width : str, optional
        Width of the network, as a number.
    face_model, param_scale : str, optional
        Ids of what it was trained for, see `array_id`.
    checkpoint : str, optional
        SHA-256 of the ``.pth`` that an ``.onnx`` was made from; of a head, that of the regressor
        whose features it reads.
    """

    network: str | None = None
    width: str | None = None
    face_model: str | None = None
    param_scale: str | None = None
    checkpoint: str | None = None

    @classmethod
    def from_mapping(cls, values: Any, prefix: str = "") -> "WeightLabels":
        """Take the known labels out of a mapping, ignoring what else there is."""
        if not isinstance(values, Mapping):
            return cls()
        known = {field.name: values.get(prefix + field.name) for field in fields(cls)}
        return cls(**{key: value for key, value in known.items() if isinstance(value, str)})

    def as_dict(self, prefix: str = "") -> dict[str, str]:
        """Return the labels that are set."""
        return {prefix + key: value for key, value in asdict(self).items() if value is not None}


def regressor_labels(
    face_model: Labelled,
    param_scale: Labelled,
    width: float | None = None,
    network: str = REGRESSOR,
) -> WeightLabels:
    """Return the labels of a regressor trained for a face model and a parameter scale."""
    return WeightLabels(
        network=network,
        width=None if width is None else str(float(width)),
        face_model=face_model.id,
        param_scale=param_scale.id,
    )


def array_id(**arrays: npt.NDArray[Any]) -> str:
    """Return the SHA-256 of named arrays: names, types, shapes and contents.

    Examples
    --------
    >>> array_id(mean=np.zeros(3, np.float32)) == array_id(mean=np.zeros((3, 1), np.float32))
    False
    """
    digest = hashlib.sha256()
    for name, array in arrays.items():
        kind = array.dtype.newbyteorder("<")
        digest.update(f"{name} {kind.str} {array.shape}\n".encode())
        if is_mapped_whole(array) and array.dtype == kind:
            for piece in read_pieces(array):
                digest.update(piece)
        else:
            digest.update(np.ascontiguousarray(array).astype(kind, copy=False).data)
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256, see `tddfa.remembered`.

    Raises
    ------
    InputError
        If it cannot be read.
    """

    def compute() -> str:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    try:
        return remembered(path, "sha256", compute)
    except OSError as error:
        raise InputError(f"'{path}': cannot be read: {error.strerror or error}") from error


def check_together(weights: Path, labels: WeightLabels, **parts: tuple[Path, Labelled]) -> None:
    """Refuse weights of a regressor with a face model or scale that they were not trained for.

    Parameters
    ----------
    weights : Path
    labels : WeightLabels
        What it says.
    **parts : (Path, Labelled)
        ``face_model=`` and ``param_scale=``: each one's file and what was read from it.

    Raises
    ------
    InputError
        In one line that names both files.
    """
    for key, (path, part) in parts.items():
        name = key.replace("param_", "parameter ").replace("_", " ")
        expected = getattr(labels, key)
        if expected is None and not part.reference_rules:
            raise InputError(
                f"'{weights}' does not say which {name} it was trained for, as the reference's "
                f"weights do not: it cannot be used with '{path}' (weights of your own: python -m "
                "tddfa.label_weights)"
            )
        if expected is not None and expected != remembered(path, key, partial(getattr, part, "id")):
            raise InputError(f"'{weights}' was trained for another {name} than '{path}'")


def check_network(
    weights: Path, labels: WeightLabels, network: str, width: float | None = None
) -> None:
    """Refuse another network's weights, or those of another width.

    Raises
    ------
    InputError
        In one line that names the file.
    """
    names = {
        REGRESSOR: "a regressor of face parameters",
        DETECTOR: "a face detector",
        FACE_CHECK: "a face check",
        BLENDSHAPES: "a blendshape head",
    }
    if labels.network not in (None, network):
        given, expected = (names.get(str(n), f"a {n}") for n in (labels.network, network))
        raise InputError(f"'{weights}' is {given}, expected {expected}")
    if width is not None and labels.width not in (None, str(float(width))):
        raise InputError(f"'{weights}': expected width {float(width)}, got {labels.width}")
