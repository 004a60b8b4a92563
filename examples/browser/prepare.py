"""Write the folder of static files that the page is: scripts, networks, landmark basis.

npm install --prefix examples/browser
python examples/browser/prepare.py           # examples/browser/page
python examples/browser/serve.py
"""

import argparse
import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from FaceBoxes.prior_box import LAYERS
from tddfa import FaceAligner, load_config
from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.atomic import atomic_write
from tddfa.network_files import detector_onnx, regressor_onnx

HERE = Path(__file__).resolve().parent
CONFIG = HERE.parent.parent / "configs" / "mb05_120x120.yml"
PAGE = HERE / "page"
RUNTIME = HERE / "node_modules" / "onnxruntime-web" / "dist"
RUNTIME_FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)
PAGE_FILES = ("index.html", "style.css", "js")


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=PAGE, help="folder (default: %(default)s)")
    parser.add_argument("-c", "--config", default=CONFIG, help="default: %(default)s")
    args = parser.parse_args(argv)
    missing = [name for name in RUNTIME_FILES if not (RUNTIME / name).is_file()]
    if missing:
        raise InputError(f"'{RUNTIME / missing[0]}': no such file: npm install --prefix {HERE}")
    write_models(args.out / "models", args.config)
    for name in PAGE_FILES:
        copy(HERE / name, args.out / name)
    for name in RUNTIME_FILES:
        copy(RUNTIME / name, args.out / "ort" / name)
    models = sum(path.stat().st_size for path in (args.out / "models").iterdir())
    sys.stdout.write(f"{args.out}: {models / 1e6:.1f} MB of models\n")
    return 0


def write_models(folder: Path, config_file: str | Path = CONFIG) -> None:
    """Write ``detector.onnx``, ``regressor.onnx`` and ``model.json``.

    Parameters
    ----------
    folder : Path
        It is made where it is missing.
    config_file : path-like
        Configuration with a regressor of 62 parameters and FaceBoxes as detector.

    Raises
    ------
    InputError
        If a file is missing or of another kind.
    """
    config = load_config(config_file).for_tracking()
    # Of two scales the page searches one.
    if config.num_params != 62 or config.detector not in ("faceboxes", "faceboxes_two_scales"):
        raise InputError(f"{config_file}: expected 62 parameters and the detector faceboxes")
    copy(detector_onnx(config), folder / "detector.onnx")
    copy(regressor_onnx(config), folder / "regressor.onnx")
    text = json.dumps(landmark_model(FaceAligner(config)), separators=(",", ":"))
    with atomic_write(folder / "model.json") as file:
        file.write(text.encode())


def landmark_model(aligner: FaceAligner) -> dict[str, Any]:
    """Return what turns the regressor's output into landmarks, and the detector's prior boxes.

    Parameters
    ----------
    aligner : FaceAligner

    Returns
    -------
    dict
        ``size`` of the crop; ``mean`` and ``std`` (62) of the parameters; ``u`` (204), x, y, z of
        landmark 0, then of 1; ``w`` (50, 204), its components, shape before expression, in the face
        model's unit; ``layers`` of prior boxes.
    """
    scale, sparse = aligner.aligner.scale, aligner.aligner.bfm.sparse
    return {
        "size": aligner.aligner.size,
        "mean": _numbers(scale.mean),
        "std": _numbers(scale.std),
        "u": _numbers(sparse.mean.T.ravel()),
        "w": [_numbers(component.T.ravel()) for component in sparse.components],
        "layers": [asdict(layer) for layer in LAYERS],
    }


def _numbers(values: npt.ArrayLike) -> list[float]:
    """Return float32 values with the digits that tell them apart."""
    return [float(str(value)) for value in np.asarray(values, np.float32)]


def copy(source: Path, target: Path) -> None:
    """Copy a file, or a folder of files."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        with atomic_write(target) as file:
            file.write(source.read_bytes())


if __name__ == "__main__":
    sys.exit(run_main(main))
