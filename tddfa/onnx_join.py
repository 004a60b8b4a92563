"""A regressor and a head on its features as one network of two outputs.

The regressor's ``.onnx`` stays as it is, for those who want parameters alone; the head's is small,
a network of its own from the features to its output. An ONNX file is a message of Protocol Buffers,
in which a field that comes again is merged with the one before, lists by joining them::

    joined = regressor's bytes + graph { the head's nodes, weights and output, but not its input }

so that nothing is parsed but the head. What is joined is kept in the user's cache, named by both.
"""

import atexit
import io
import shutil
import tempfile
from pathlib import Path

from tddfa.cache import cache_folder, digest, short_stem
from tddfa.errors import InputError
from tddfa.io.atomic import atomic_write
from tddfa.onnx_labels import fields, read_onnx_labels
from tddfa.weight_labels import BLENDSHAPES, check_network

# What exported regressors call their pooled features, and heads their input.
FEATURES = "mean"
# Of ModelProto and GraphProto in onnx.proto.
_GRAPH, _NODE, _WEIGHT, _OUTPUT = 7, 1, 5, 12


def joined_onnx(network: Path, head: Path) -> Path:
    """Return a file with a regressor and a head, made if it is not in the cache.

    Parameters
    ----------
    network : Path
        ``.onnx`` of a regressor, quantized or not.
    head : Path
        ``.onnx`` of a head that was trained on its features.

    Raises
    ------
    InputError
        If the head is none, or was trained on another regressor's features.
    """
    labels = read_onnx_labels(head)
    check_network(head, labels, BLENDSHAPES)
    if labels.network is None:
        raise InputError(f"'{head}': expected a blendshape head")
    if labels.checkpoint != read_onnx_labels(network).checkpoint:
        raise InputError(
            f"'{head}' was trained on other features than those of '{network}' "
            "(python -m training.train_blendshapes trains one)"
        )
    name = f"{short_stem(network)}-{digest(network)}-{digest(head)}.onnx"
    try:
        data = join(network.read_bytes(), head.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"'{head}': expected a blendshape head that can be read") from error
    try:
        kept = cache_folder() / "joined" / name
        if not kept.is_file() or kept.read_bytes() != data:
            kept.parent.mkdir(parents=True, exist_ok=True)
            _write(kept, data)
        return kept
    except (OSError, RuntimeError, InputError):  # for this process only
        folder = tempfile.mkdtemp(prefix="tddfa-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        temporary = Path(folder) / name
        temporary.write_bytes(data)
        return temporary


def join(network: bytes, head: bytes) -> bytes:
    """Return the bytes of an ONNX network with a head's nodes, weights and outputs in addition.

    Raises
    ------
    ValueError
        If the head is no such file.
    """
    graphs = [value for number, value in fields(io.BytesIO(head), _GRAPH) if number == _GRAPH]
    if len(graphs) != 1:
        raise ValueError("expected one graph")
    kept = b"".join(
        _field(number, value)
        for number, value in fields(io.BytesIO(graphs[0]))
        if number in (_NODE, _WEIGHT, _OUTPUT)
    )
    return network + _field(_GRAPH, kept)


def _field(number: int, value: bytes) -> bytes:
    """Return a length-delimited field in Protocol Buffers' wire format."""
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _write(path: Path, data: bytes) -> None:
    with atomic_write(path) as file:
        file.write(data)
