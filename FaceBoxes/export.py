"""Write the FaceBoxes network as an ONNX file."""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
import torch
from torch.export import Dim

from FaceBoxes.inference_network import InferenceNet
from FaceBoxes.network import FaceBoxesNet, load_network


def export_onnx(network: FaceBoxesNet | str | Path, onnx_path: str | Path) -> None:
    """Write a network as an ONNX file for `FaceBoxes.FaceBoxes_ONNX.FaceBoxes_ONNX`.

    The file has the input ``input`` (N, 3, H, W) and the outputs ``loc`` (N, P, 4) and ``conf``
    (N, P, 2) with free N, H and W, holds its weights inside, and appears only when it is complete.

    Parameters
    ----------
    network : FaceBoxesNet, str or Path
        The network, or its checkpoint.
    onnx_path : str or Path
        File to write; its folder must exist.

    Raises
    ------
    InputError
        If the checkpoint is not one of FaceBoxes.
    OSError
        If the file cannot be written.
    """
    if not isinstance(network, FaceBoxesNet):
        network = load_network(network)
    target = Path(onnx_path)
    model = _convert(InferenceNet(network).cpu())
    # Beside the target, so that the final renaming is one step within a file system.
    with tempfile.TemporaryDirectory(prefix=".export-", dir=target.parent) as folder:
        temporary = Path(folder) / target.name
        temporary.write_bytes(model.SerializeToString())
        temporary.replace(target)


def _convert(network: InferenceNet) -> onnx.ModelProto:
    # An example with three different sizes above 1, lest the exporter take any for a constant.
    example = torch.zeros(2, 3, 200, 300)
    with _quiet_exporter():
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            optimize=True,
            verbose=False,
            input_names=["input"],
            output_names=["loc", "conf"],
            dynamic_shapes=({0: Dim.DYNAMIC, 2: Dim.DYNAMIC, 3: Dim.DYNAMIC},),
        )
    assert program is not None
    model = program.model_proto
    _strip_traces(model.graph)
    onnx.checker.check_model(model)
    return model


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Silence the exporter's advice about optional packages and its own deprecations."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        log.setLevel(level)


def _strip_traces(graph: onnx.GraphProto) -> None:
    """Remove the stack traces, which name files of the machine that exported."""
    for item in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        del item.metadata_props[:]
        item.doc_string = ""
