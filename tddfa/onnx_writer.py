"""Write PyTorch networks as ONNX files."""

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnx
import onnxruntime
import torch

from tddfa.errors import InputError
from tddfa.io.atomic import replacing
from tddfa.onnx_labels import PREFIX
from tddfa.weight_labels import WeightLabels

TOLERANCE = 1e-4
T = TypeVar("T")


def write_onnx(
    network: torch.nn.Module,
    examples: Sequence[torch.Tensor],
    onnx_fp: str | Path,
    *,
    output_names: Sequence[str],
    free_axes: Sequence[int] = (0,),
    labels: WeightLabels | None = None,
) -> float:
    """Write a network as a single ONNX file, checked against PyTorch.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, on the CPU, with one input (named ``input``).
    examples : sequence of Tensor
        Inputs to trace with (the first one; its free axes must be longer than 1 and differ) and to
        check with (all).
    onnx_fp : str or Path
        Target; it appears when it is complete and checked. Missing folders are made.
    output_names : sequence of str
        Names of the outputs.
    free_axes : sequence of int
        Axes of the input whose size may vary.
    labels : WeightLabels, optional
        What the network was made from and trained for, see `tddfa.weight_labels`.

    Returns
    -------
    float
        Largest absolute difference to PyTorch's outputs over all examples.

    Raises
    ------
    InputError
        If the target cannot be written, or the outputs differ by more than 1e-4.
    """
    target = Path(onnx_fp)
    model = _convert(network, examples[0], output_names, free_axes)
    return _write(model, network, examples, target, labels)


def relabel_onnx(
    network: torch.nn.Module,
    examples: Sequence[torch.Tensor],
    onnx_fp: str | Path,
    labels: WeightLabels,
) -> float:
    """Exchange the labels of an ONNX file that is `network`; its graph stays as it is.

    Parameters and errors are those of `write_onnx`; with an unreadable file there is one more.
    """
    target = Path(onnx_fp)
    try:
        model = onnx.load(target)
    except Exception as error:  # protobuf's errors share no base class with OSError
        raise InputError(f"'{target}': expected an ONNX network that can be read") from error
    return _write(model, network, examples, target, labels)


def _write(
    model: onnx.ModelProto,
    network: torch.nn.Module,
    examples: Sequence[torch.Tensor],
    target: Path,
    labels: WeightLabels | None,
) -> float:
    others = {p.key: p.value for p in model.metadata_props if not p.key.startswith(PREFIX)}
    onnx.helper.set_model_props(model, others | (labels.as_dict(PREFIX) if labels else {}))
    with replacing(target) as temporary:
        temporary.write_bytes(model.SerializeToString())
        difference = _largest_difference(network, examples, temporary)
        if difference > TOLERANCE:
            raise InputError(f"'{target}': differs from PyTorch by {difference:.1e}")
    return difference


def _convert(
    network: torch.nn.Module,
    example: torch.Tensor,
    output_names: Sequence[str],
    free_axes: Sequence[int],
) -> onnx.ModelProto:
    def export() -> "torch.onnx.ONNXProgram | None":
        return torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            optimize=True,
            verbose=False,
            input_names=["input"],
            output_names=list(output_names),
            dynamic_shapes=(dict.fromkeys(free_axes, torch.export.Dim.DYNAMIC),),
        )

    with _quiet_exporter():
        program = _again_after_race(export)
    assert program is not None
    model = program.model_proto
    _strip_traces(model.graph)
    onnx.checker.check_model(model)
    return model


def _again_after_race(call: Callable[[], T]) -> T:
    """Call once more after CPython's race between threads that parse source code.

    Before 3.11.8 the parser counts depth for all threads together (CPython issue 106905), and
    PyTorch's exporter parses: rarely, and for nothing that its caller did, it fails.
    """
    try:
        return call()
    except Exception as error:  # the exporter wraps what it meets
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, SystemError):
            cause = cause.__cause__ or cause.__context__
        if "AST constructor recursion depth mismatch" not in str(cause):
            raise
        return call()


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


def _largest_difference(
    network: torch.nn.Module, examples: Sequence[torch.Tensor], onnx_fp: Path
) -> float:
    session = onnxruntime.InferenceSession(str(onnx_fp), providers=["CPUExecutionProvider"])
    worst = 0.0
    for example in examples:
        with torch.inference_mode():
            expected = network(example)
        tensors = (expected,) if isinstance(expected, torch.Tensor) else expected
        for actual, tensor in zip(
            session.run(None, {"input": example.numpy()}), tensors, strict=True
        ):
            if actual.size:
                worst = max(worst, float(np.abs(actual - tensor.numpy()).max()))
    return worst
