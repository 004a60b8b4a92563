"""Convert the reference's own files to this project's formats.

Takes a copy of the reference's repository (or fetches its files), checks that they are genuine,
writes the face model as ``.npz`` and the networks as ``.pth`` and ``.onnx``, and a configuration
for each regressor. The Basel face model in them is for academic use only.
"""

import argparse
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.export_onnx import export_onnx
from tddfa.model_files import FORMAT_VERSION, ModelTables, load_face_model, turn_over
from tddfa.params import LAYOUTS, load_parameter_scale
from tddfa.reference_files import (
    DETECTOR,
    FACE_MODEL,
    NCC,
    REGRESSORS,
    REPOSITORY,
    SCALE,
    TRIANGLES,
    UV,
    UV_INDICES,
    ReferenceFile,
    download,
    find_files,
)
from tddfa.weight_labels import DETECTOR as DETECTOR_NET
from tddfa.weight_labels import WeightLabels, regressor_labels

logger = logging.getLogger(__name__)

NOTICE = (
    "The Basel Face Model in this folder is for academic use only; see its terms at the University "
    "of Basel. Do not use it commercially and do not pass it on.\n"
)


def import_reference(folder: Path, out: Path, *, check: bool = True) -> list[Path]:
    """Convert a folder of the reference's files.

    Parameters
    ----------
    folder : Path
        Where they are, see `tddfa.reference_files.find_files`.
    out : Path
        Target folder. It appears when everything in it is complete.
    check : bool
        Refuse files whose git object id is not the reference's.

    Returns
    -------
    list of Path
        Configurations written, for ``--config``.

    Raises
    ------
    InputError
        If files are missing or not genuine, or `out` exists and is not empty.
    """
    files = find_files(folder, check=check)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"'{out}': expected a new or empty folder")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # A new folder of its own: one with a name known before could be the very input.
        with tempfile.TemporaryDirectory(prefix=".import-", dir=out.parent) as working:
            staging = Path(working) / "whole"
            staging.mkdir()
            _convert(files, staging)
            if out.exists():
                out.rmdir()
            staging.replace(out)
    except OSError as error:
        raise InputError(f"cannot write '{out}': {error.strerror or error}") from error
    return sorted(out.glob("*.yml"))


def _convert(files: dict[ReferenceFile, Path], out: Path) -> None:
    from tddfa.checkpoints import load_state_dict, save_checkpoint

    (out / "NOTICE.txt").write_text(NOTICE, encoding="utf-8")
    scale = load_parameter_scale(files[SCALE])
    np.savez(out / "param_mean_std.npz", mean=scale.mean, std=scale.std)
    tables = ModelTables(files[TRIANGLES], files[UV], files[UV_INDICES], files[NCC])
    np.savez(out / "face_model.npz", **_model_arrays(files[FACE_MODEL], tables, len(scale.mean)))
    model = load_face_model(out / "face_model.npz")
    for file in (DETECTOR, *REGRESSORS):
        if file not in files:
            continue
        target = out / Path(file.path).name
        width = 1.0 if "mb1_" in file.path else 0.5
        detector = file is DETECTOR
        labels = WeightLabels(DETECTOR_NET) if detector else regressor_labels(model, scale, width)
        save_checkpoint(target, load_state_dict(files[file]), labels)
        difference = export_onnx(target, target.with_suffix(".onnx"))
        logger.info("%s: ONNX within %.1e of PyTorch", target.stem, difference)
        if not detector:
            text = _configuration(target.stem, width, len(scale.mean))
            (out / f"{target.stem}.yml").write_text(text, encoding="utf-8")


def _model_arrays(path: Path, tables: ModelTables, n_params: int) -> dict[str, Any]:
    model = load_face_model(path, tables)
    n_shape, n_exp = LAYOUTS[n_params]
    return {
        "format_version": FORMAT_VERSION,
        "reference_rules": True,
        "u": model.u,
        "w_shp": np.ascontiguousarray(model.w_shp[:, :n_shape]),
        "w_exp": np.ascontiguousarray(model.w_exp[:, :n_exp]),
        "tri": turn_over(model.tri),
        "keypoints": model.keypoints[::3] // 3,
        "ncc_code": model.tri.ncc_code,
        "uv": model.tri.uv,
        "license": NOTICE.strip(),
        "provenance": "3DDFA_V2, converted",
    }


def _configuration(stem: str, width: float, n_params: int) -> str:
    return (
        "# Written by python -m tddfa.import_reference. The Basel model is for academic use only.\n"
        f"arch: mobilenet\nwiden_factor: {width}\ncheckpoint_fp: {stem}.pth\n"
        f"onnx_fp: {stem}.onnx\nbfm_fp: face_model.npz\nsize: 120\nnum_params: {n_params}\n"
        "param_mean_std_fp: param_mean_std.npz\n"
        "detector_fp: FaceBoxesProd.pth\ndetector_onnx_fp: FaceBoxesProd.onnx\n"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tddfa.import_reference",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="the reference's files (target of --download)")
    parser.add_argument(
        "--out", type=Path, default=Path("assets/reference"), help="default: %(default)s"
    )
    parser.add_argument(
        "--download", action="store_true", help="fetch the files into FOLDER first, about 60 MB"
    )
    parser.add_argument("--url", default=REPOSITORY, help="where to fetch from (%(default)s)")
    parser.add_argument(
        "--no_check", action="store_true", help="accept files that are not the reference's own"
    )
    args = parser.parse_args(argv)
    if args.download:
        download(args.folder, args.url)
    for config in import_reference(args.folder, args.out, check=not args.no_check):
        logger.info("wrote %s; use it as: demo.py -c %s", config, config)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
