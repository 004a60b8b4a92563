"""Re-parametrise the face model: 0 is the average person with a neutral face, 1 a deviation.

Faces stay as they are: only the numbers that stand for them change, by new = (old - center) / scale
for each coefficient (`training.face_model.population`), so that labels and weights are converted,
not made anew. What a network gives stays as it is; its mean and deviation change.

::

    python -m training.face_model.recenter statistics data/photos --model OLD.npz --out people.json
    python -m training.face_model.recenter model OLD.npz --out configs/face_model.npz
    python -m training.face_model.recenter labels data/photos --out data/photos_new
    python -m training.face_model.recenter weights runs/mb1/weights.pth --out runs/mb1_new

`training.face_model.build` does the second by itself.
"""

import argparse
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.atomic import replacing, save_arrays
from tddfa.label_weights import label_regressor
from tddfa.network_files import QUANTIZED
from tddfa.onnx_labels import PREFIX
from tddfa.params import N_CAMERA, ParameterScale, load_parameter_scale
from tddfa.weight_labels import WeightLabels, array_id, file_sha256
from training.dataset.packed import open_packed
from training.face_model import population as people
from training.face_model.population import Population

logger = logging.getLogger(__name__)

MODEL = Path("configs/face_model.npz")
SCALE = "param_mean_std.npz"  # beside the weights of a run


def recentered(arrays: Mapping[str, Any], population: Population) -> dict[str, Any]:
    """Return the arrays of a face model's file in the new terms.

    ``alpha_center`` and ``alpha_scale`` keep the change, ``recentered_from`` the old model's id.

    Raises
    ------
    InputError
        If the model is in new terms already, or has other components.
    """
    if "recentered_from" in arrays:
        raise InputError("expected a face model that is not re-centered yet")
    n_shape, size = arrays["w_shp"].shape[1], len(population.center)
    if n_shape + arrays["w_exp"].shape[1] != size:
        raise InputError(f"expected a face model of {size} components")
    basis = np.concatenate([arrays["w_shp"], arrays["w_exp"]], axis=1).astype(np.float64)
    u = arrays["u"].ravel().astype(np.float64)
    mean = (u + basis @ population.center).reshape(-1, 3)
    flipped = mean[arrays["mirror"]] * [-1, 1, 1]
    # Sums of the same numbers in another order: left and right would differ by a rounding.
    if np.abs(mean - flipped).max() < 1e-6:
        mean = (mean + flipped) / 2
    scaled = basis * population.scale
    center, scale = population.center[n_shape:, None], population.scale[n_shape:, None]
    return dict(arrays) | {
        "u": mean.ravel().astype(np.float32),
        "w_shp": scaled[:, :n_shape].astype(arrays["w_shp"].dtype),
        "w_exp": scaled[:, n_shape:].astype(arrays["w_exp"].dtype),
        "exp_range": ((arrays["exp_range"] - center) / scale).astype(np.float32),
        "alpha_center": population.center,
        "alpha_scale": population.scale,
        "recentered_from": np.array(model_id(arrays)),
    }


def model_id(arrays: Mapping[str, Any]) -> str:
    """Return the id that weights for a model of these arrays carry."""
    u = np.asarray(arrays["u"], np.float32).reshape(-1, 1)
    return array_id(u=u, w_shp=arrays["w_shp"], w_exp=arrays["w_exp"])


def read_model(path: Path) -> dict[str, Any]:
    """Return the arrays of a face model's file."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError) as error:
        raise InputError(f"'{path}': expected a face model") from error


def change_of(arrays: Mapping[str, Any], path: Path) -> tuple[Population, str]:
    """Return the change that made a model, and the id of the one before."""
    try:
        change = Population(arrays["alpha_center"], arrays["alpha_scale"])
        return change, str(arrays["recentered_from"])
    except KeyError as error:
        raise InputError(f"'{path}': expected a face model that was re-centered") from error


def convert_scale(scale: ParameterScale, change: Population) -> ParameterScale:
    """Return mean and deviation of the parameters in the new terms."""
    mean, std = scale.mean.copy(), scale.std.copy()
    if len(mean) != N_CAMERA + len(change.center):
        raise InputError(f"expected a scale of {N_CAMERA + len(change.center)} parameters")
    mean[N_CAMERA:] = change.convert(mean[N_CAMERA:])
    std[N_CAMERA:] = std[N_CAMERA:] / change.scale
    return ParameterScale(mean, std)


def convert_weights(
    checkpoint: Path, out: Path, model: Path = MODEL, param_scale: Path | None = None
) -> list[Path]:
    """Write weights of the old terms, with their ``.onnx`` and scale, for the new model.

    Parameters
    ----------
    checkpoint : Path
        ``.pth``; its numbers stay as they are.
    out : Path
        Target folder.
    model : Path
        The new face model.
    param_scale : Path, optional
        By default ``param_mean_std.npz`` beside the weights.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        If the weights were trained for another model than the one that `model` was made of, or with
        another scale; nothing is written then.
    """
    from tddfa.checkpoints import load_labels

    change, before = change_of(read_model(model), model)
    source = param_scale or checkpoint.with_name(SCALE)
    scale = load_parameter_scale(source)
    labels = load_labels(checkpoint)
    if labels.face_model != before:
        raise InputError(f"'{checkpoint}' was not trained for the model that '{model}' was made of")
    if labels.param_scale != scale.id:
        raise InputError(f"'{checkpoint}' was trained for another parameter scale than '{source}'")
    targets = [out / checkpoint.name, out / source.name]
    if targets[0].exists() or targets[1].resolve() == source.resolve():
        raise InputError(f"'{out}': expected a folder without '{checkpoint.name}'")
    new = convert_scale(scale, change)
    out.mkdir(parents=True, exist_ok=True)
    save_arrays(targets[1], mean=new.mean, std=new.std)
    for file in (checkpoint, checkpoint.with_suffix(".onnx")):
        if file.is_file():
            shutil.copyfile(file, out / file.name)
    written = [targets[1], *label_regressor(targets[0], model, targets[1], force=True)]
    quantized = checkpoint.with_suffix(QUANTIZED)
    if quantized.is_file():
        labels = replace(load_labels(targets[0]), checkpoint=file_sha256(targets[0]))
        written.append(_relabelled(quantized, out / quantized.name, labels))
    return written


def _relabelled(source: Path, target: Path, labels: WeightLabels) -> Path:
    """Copy a quantized network with other labels; its graph stays, which computes nothing else."""
    import onnx

    model = onnx.load(source)
    others = {p.key: p.value for p in model.metadata_props if not p.key.startswith(PREFIX)}
    onnx.helper.set_model_props(model, others | labels.as_dict(PREFIX))
    with replacing(target) as temporary:
        temporary.write_bytes(model.SerializeToString())
    return target


def convert_labels(data: Path, out: Path, model: Path = MODEL) -> int:
    """Write a packed data set, or an archive of labels, in the new terms.

    Pictures are not copied but linked. What is in terms of `model` says so in ``face_model`` of
    ``meta.json`` and is refused.

    Returns
    -------
    int
        Number of faces.
    """
    arrays = read_model(model)
    change, before = change_of(arrays, model)
    if data.is_file():
        return _convert_archive(data, out, change)
    faces = open_packed(data)
    meta = json.loads((data / "meta.json").read_text(encoding="utf-8"))
    new = model_id(arrays)
    if faces.face_model == new:
        raise InputError(f"'{data}' is in terms of '{model}' already")
    if faces.face_model not in (None, before):
        raise InputError(f"'{data}': its labels are not for the model that '{model}' was made of")
    if out.exists():
        raise InputError(f"'{out}': expected a new folder")
    out.mkdir(parents=True)
    _convert_archive(data / "labels.npz", out / "labels.npz", change)
    (out / "images.npy").symlink_to((data / "images.npy").resolve())
    with replacing(out / "meta.json") as temporary:
        temporary.write_text(json.dumps(meta | {"face_model": new}), encoding="utf-8")
    return len(faces)


def _convert_archive(path: Path, out: Path, change: Population) -> int:
    arrays = read_model(path)
    if "alpha" not in arrays or arrays["alpha"].shape[1:] != change.center.shape:
        raise InputError(f"'{path}': expected labels of {len(change.center)} coefficients")
    save_arrays(out, **arrays | {"alpha": change.convert(arrays["alpha"])})
    return len(arrays["alpha"])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.face_model.recenter",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, summary: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=summary, description=summary)

    statistics = command("statistics", "Measure the population of packed data sets.")
    statistics.add_argument("data", type=Path, nargs="+", help="folders of training.prepare")
    statistics.add_argument("--model", type=Path, required=True, help="the labels' face model")
    statistics.add_argument("--out", type=Path, default=people.DEFAULT, help="%(default)s")
    model = command("model", "Make the new face model.")
    model.add_argument("model", type=Path, help="the old one")
    model.add_argument("--population", type=Path, default=people.DEFAULT, help="%(default)s")
    model.add_argument("--out", type=Path, required=True)
    labels = command("labels", "Convert a packed data set or an archive of labels.")
    labels.add_argument("data", type=Path, help="folder of training.prepare, or all_labels.npz")
    labels.add_argument("--out", type=Path, required=True, help="new folder, or archive")
    labels.add_argument("--model", type=Path, default=MODEL, help="the new one (%(default)s)")
    weights = command("weights", "Convert weights: .pth, .onnx beside it, mean and deviation.")
    weights.add_argument("checkpoint", type=Path, help=".pth of the old model")
    weights.add_argument("--out", type=Path, required=True, help="target folder")
    weights.add_argument("--model", type=Path, default=MODEL, help="the new one (%(default)s)")
    weights.add_argument("--param-scale", type=Path, help=f"default: {SCALE} beside the weights")
    args = parser.parse_args(argv)
    if args.command == "statistics":
        arrays = read_model(args.model)
        found = people.measure([open_packed(folder) for folder in args.data], arrays)
        people.save(args.out, found, [str(name) for name in arrays["exp_names"]])
        logger.info("%s: %d faces, %d neutral", args.out, found.faces, found.neutral)
    elif args.command == "model":
        save_arrays(args.out, **recentered(read_model(args.model), people.load(args.population)))
    elif args.command == "labels":
        logger.info("%d faces", convert_labels(args.data, args.out, args.model))
    else:
        for path in convert_weights(args.checkpoint, args.out, args.model, args.param_scale):
            logger.info("wrote %s", path)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
