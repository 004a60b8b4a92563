"""Make the files that ship out of a run: ``.pth``, ``.onnx``, mean and std, SHA-256.

``python -m training.export runs/mb05 --name mb05_120x120``

``python -m training.export runs/faceboxes --name FaceBoxesProd``
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from FaceBoxes.network import load_network
from tddfa.backbone import Backbone, load_backbone
from tddfa.checkpoints import holds_detector, load_labels, load_state_dict, save_checkpoint
from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.export_onnx import export_onnx
from tddfa.io.atomic import save_arrays
from tddfa.model_files import load_face_model
from tddfa.params import ParameterScale, load_parameter_scale
from tddfa.weight_labels import DETECTOR, WeightLabels, file_sha256
from training.provenance.entry import NAME, read_manifest, write_manifest

logger = logging.getLogger(__name__)
FACE_MODEL = Path("configs/face_model.npz")


def export(
    run: Path,
    name: str,
    weights: Path,
    configs: Path,
    *,
    half: bool = True,
    face_model: Path | None = None,
    scale_name: str = "param_mean_std",
) -> list[Path]:
    """Write ``<weights>/<name>.pth``, ``.onnx`` and ``<configs>/<scale_name>_62d.npz``.

    Parameters
    ----------
    run : Path
        Folder of a run of ``training.train`` or ``training.detector.train``; a detector has no
        third file.
    name : str
    weights, configs : Path
        Target folders.
    half : bool
        Keep weights as float16 in the ``.pth``; readers widen them. Batch statistics stay float32.
    face_model : Path, optional
        What a regressor was trained for; its id goes into ``.pth`` and ``.onnx``. By default what
        the run's weights say; those of older runs do not, and then it is the one that ships.
    scale_name : str
        How the file of a regressor's mean and std begins.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        If the run has no weights, they were trained for another face model, or ONNX Runtime's
        output differs from PyTorch's.
    """
    source = run / "weights.pth"
    detector = holds_detector(load_state_dict(source))
    network = load_network(source) if detector else load_backbone(source)
    state = network.state_dict()
    if half:
        state = {
            key: value.half() if value.is_floating_point() and value.ndim > 1 else value
            for key, value in state.items()
        }
    checkpoint, onnx = weights / f"{name}.pth", weights / f"{name}.onnx"
    if isinstance(network, Backbone):
        scale = load_parameter_scale(run / "param_mean_std.npz")
        labels = _labels(source, network, scale, face_model)
    else:
        labels = WeightLabels(network=DETECTOR)
    save_checkpoint(checkpoint, state, labels)
    # From the file, so that both hold the same rounded weights.
    export_onnx(checkpoint, onnx)
    files = [checkpoint, onnx, *_manifest(run, source, checkpoint)]
    if detector:
        return files
    table = configs / f"{scale_name}_{len(scale.mean)}d.npz"
    save_arrays(table, mean=scale.mean, std=scale.std)
    return [*files, table]


def _manifest(run: Path, source: Path, checkpoint: Path) -> list[Path]:
    """Write what free weights were made from beside them; others have a model card."""
    if not (run / NAME).is_file():
        return []
    entries = read_manifest(run)
    if not all(entry.licence for entry in entries):
        return []
    own, sha = file_sha256(source), file_sha256(checkpoint)
    target = checkpoint.with_suffix(".manifest.csv")
    write_manifest(
        target,
        [replace(e, name=checkpoint.name, sha256=sha) if e.sha256 == own else e for e in entries],
    )
    return [target]


def _labels(
    weights: Path, network: Backbone, scale: ParameterScale, face_model: Path | None
) -> WeightLabels:
    said = load_labels(weights)
    if said.param_scale not in (None, scale.id):
        raise InputError(f"'{weights}' was trained with another scale than the one beside it")
    model_id = said.face_model
    if model_id is None or face_model is not None:
        path = face_model or FACE_MODEL
        model_id = load_face_model(path).id
        if said.face_model not in (None, model_id):
            raise InputError(f"'{weights}' was trained for another face model than '{path}'")
    return WeightLabels(network.arch, str(network.width), model_id, scale.id)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("--name", required=True, help="name of the files, such as mb05_120x120")
    parser.add_argument("--weights", type=Path, default=Path("weights"))
    parser.add_argument("--configs", type=Path, default=Path("configs"))
    parser.add_argument(
        "--face-model", type=Path, help=f"of a regressor (default: the run's, else {FACE_MODEL})"
    )
    parser.add_argument(
        "--scale-name",
        default="param_mean_std",
        help="how the file of a regressor's mean and std begins (%(default)s)",
    )
    parser.add_argument("--float32", action="store_true", help="do not halve the .pth")
    args = parser.parse_args(argv)
    files = export(
        args.run,
        args.name,
        args.weights,
        args.configs,
        half=not args.float32,
        face_model=args.face_model,
        scale_name=args.scale_name,
    )
    for path in files:
        print(f"{file_sha256(path)}  {path} ({path.stat().st_size / 1e6:.2f} MB)")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
