"""Make the quantized form of a regressor: int8 weights and activations, half the time or less.

``python -m training.quantize weights/mb1_120x120.pth --scenes scenes`` writes
``weights/mb1_120x120.int8.onnx`` out of the ``.onnx`` beside the checkpoint, for
``--precision int8``.

Ranges of activations are measured on annotated faces of the scenes that may be trained on, or with
``--data`` on crops of packed data sets, which ``--free`` asks for their terms; what it costs in
accuracy, on scenes that are held out. Beyond the limits nothing is written.
"""

import argparse
import contextlib
import io
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.assets import DEFAULT_CONFIG, find_asset
from tddfa.cli import run_main
from tddfa.config import load_config
from tddfa.errors import InputError
from tddfa.io.atomic import replacing
from tddfa.network_files import QUANTIZED
from tddfa.onnx_cache import find_onnx
from tddfa.optional import require
from tddfa.params import FloatArray
from tddfa.roi import network_input
from training.dataset.batch import CANVAS, INPUT, MARGIN
from training.dataset.packed import open_packed
from training.evaluation.benchmark_sets import load_annotated
from training.evaluation.predict import checkpoint_network
from training.evaluation.quantized import QuantizeReport, compare, crops
from training.provenance.runs import require_run

logger = logging.getLogger(__name__)

# The network's input within a stored crop, as a ROI: edges of pixels, counted from 0.
_MIDDLE = [MARGIN, MARGIN, CANVAS - MARGIN, CANVAS - MARGIN]


@dataclass(frozen=True)
class QuantizeSettings:
    """How a network is quantized, and what it may cost.

    Attributes
    ----------
    faces : int
        So many faces give the ranges of activations.
    percentile : float
        Share of the activations of a layer that its range holds, in percent.
    exact : int
        So many convolutions, from the input on, stay in float32: they have the most to lose.
    most_shift : float
        Pixels of the crop by which landmarks may move in the mean.
    most_nme : float
        Percent by which the NME of held-out faces may rise.
    """

    faces: int = 100
    percentile: float = 99.99
    exact: int = 5
    most_shift: float = 0.3
    most_nme: float = 0.03


def quantize(
    checkpoint: Path,
    scenes: Path,
    out: Path,
    settings: QuantizeSettings | None = None,
    data: Sequence[Path] = (),
    config: str = DEFAULT_CONFIG,
) -> QuantizeReport:
    """Quantize the ``.onnx`` that belongs to a regressor's checkpoint.

    Parameters
    ----------
    checkpoint : Path
        ``.pth``, with an ``.onnx`` beside it.
    scenes : Path
        Folder with ``images/`` and ``landmarks68.csv``.
    out : Path
        File to write, whole or not at all.
    settings : QuantizeSettings, optional
    data : sequence of Path
        Packed data sets whose crops give the ranges in place of the scenes' faces, in equal parts.
    config : str
        Configuration with the face model and the scale that the network was trained for.

    Raises
    ------
    InputError
        If a file or package is missing, or accuracy would suffer more than the settings allow.
    """
    require("quantizing", "onnx")
    settings = settings or QuantizeSettings()
    arch, width = checkpoint_network(checkpoint)
    values = {"checkpoint_fp": str(checkpoint), "arch": arch, "widen_factor": width}
    settled = load_config(config).with_values(onnx_fp=None, **values)
    source = find_onnx(checkpoint)
    if data:
        inputs = packed_crops(data, settings.faces)
    else:
        calibration = load_annotated(scenes, held_out=False)
        chosen = _some(len(calibration.paths), settings.faces)
        inputs = list(crops(calibration, chosen.tolist(), settled.size))
    with replacing(out) as temporary:
        _write(source, inputs, temporary, settings)
        report = compare(settled, source, temporary, load_annotated(scenes))
        if report.shift > settings.most_shift or (
            report.nme_quantized - report.nme > settings.most_nme
        ):
            raise InputError(f"'{out}' is not written, it would be too inaccurate: {report}")
    return report


def packed_crops(data: Sequence[Path], faces: int) -> list[FloatArray]:
    """Return the network's input (1, 3, 120, 120) for crops of packed sets, none held out."""
    sets = [open_packed(folder) for folder in data]
    found = []
    for number, packed in enumerate(sets):
        rows = np.flatnonzero(packed.usable & ~packed.held_out)
        share = (number + 1) * faces // len(sets) - number * faces // len(sets)
        if len(rows) < share:
            raise InputError(
                f"'{data[number]}': expected {share} crops that may be trained on, got {len(rows)}"
            )
        for row in rows[_some(len(rows), share)]:
            found.append(network_input(packed.images[row], [_MIDDLE], INPUT))
    return found


def _some(count: int, wanted: int) -> npt.NDArray[np.intp]:
    """Return so many of `count` numbers, the same ones each time, in their order."""
    return np.sort(np.random.default_rng(0).permutation(count)[:wanted])


def _write(
    source: Path, inputs: list[FloatArray], target: Path, settings: QuantizeSettings
) -> None:
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self.inputs = iter(inputs)

        def get_next(self) -> dict[str, FloatArray] | None:
            blob = next(self.inputs, None)
            return None if blob is None else {"input": blob}

    with tempfile.TemporaryDirectory() as folder:
        prepared, made = Path(folder) / "prepared.onnx", Path(folder) / "made.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        nodes = onnx.load(prepared).graph.node
        convolutions = [node.name for node in nodes if node.op_type == "Conv"]
        # What is behind the last convolution is small and decides the numbers.
        excluded = convolutions[: settings.exact]
        excluded += [node.name for node in nodes if node.op_type in ("Gemm", "ReduceMean")]
        options: dict[str, Any] = {"CalibPercentile": settings.percentile}
        with contextlib.redirect_stdout(io.StringIO()):
            quantization.quantize_static(
                str(prepared),
                str(made),
                Reader(),
                per_channel=True,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                calibrate_method=quantization.CalibrationMethod.Percentile,
                nodes_to_exclude=excluded,
                extra_options=options,
            )
        model = onnx.load(made)
        labels = {entry.key: entry.value for entry in onnx.load(source).metadata_props}
        onnx.helper.set_model_props(model, labels)
        target.write_bytes(model.SerializeToString(deterministic=True))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    usual = QuantizeSettings()
    parser = argparse.ArgumentParser(
        prog="python -m training.quantize",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoint", help=".pth of a regressor, with its .onnx beside it")
    parser.add_argument(
        "-c",
        "--config",
        default=DEFAULT_CONFIG,
        help="configuration with its face model and scale (%(default)s)",
    )
    parser.add_argument(
        "--scenes", type=Path, required=True, help="folder with images/ and landmarks68.csv"
    )
    parser.add_argument(
        "--data", nargs="+", type=Path, default=[], help="packed data sets that give the ranges"
    )
    parser.add_argument(
        "--free", action="store_true", help="refuse what is not known to be free for any use"
    )
    parser.add_argument("--out", type=Path, help="target (default: .int8.onnx beside it)")
    parser.add_argument("--faces", type=int, default=usual.faces, help="default: %(default)s")
    parser.add_argument(
        "--exact", type=int, default=usual.exact, help="convolutions in float32 (%(default)s)"
    )
    parser.add_argument(
        "--percentile", type=float, default=usual.percentile, help="default: %(default)s"
    )
    for name, what in (("shift", "landmarks, px of the crop"), ("nme", "NME, percent")):
        default = getattr(usual, f"most_{name}")
        parser.add_argument(
            f"--most-{name}", type=float, default=default, help=f"{what} (%(default)s)"
        )
    args = parser.parse_args(argv)
    checkpoint = find_asset(args.checkpoint)
    out = args.out or checkpoint.with_suffix(QUANTIZED)
    settings = QuantizeSettings(
        args.faces, args.percentile, args.exact, args.most_shift, args.most_nme
    )
    if args.free and not args.data:
        raise InputError("--free: expected --data, the scenes' terms are not known")
    require_run(args.data, [("regressor", checkpoint)], args.free)
    report = quantize(checkpoint, args.scenes, out, settings, args.data, args.config)
    logger.info("wrote %s; %s", out, report)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
