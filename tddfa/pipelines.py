"""From parsed command-line arguments to networks and settings.

`tddfa.arguments` adds the arguments to a parser; what they ask for is built here.
"""

import argparse
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from FaceBoxes.settings import DetectorSettings, SettingArguments
from tddfa.errors import InputError

if TYPE_CHECKING:
    from tddfa.face_aligner import FaceAligner
    from tddfa.runtime import Backend
    from tddfa.tracking.settings import TrackerSettings

# A tracker takes no threshold of 0: everything would be a face.
_LEAST_SCORE = 0.01


def build_pipeline(args: argparse.Namespace) -> "FaceAligner":
    """Build the networks that parsed arguments ask for.

    Raises
    ------
    InputError
        If a file is missing or malformed, or the device is not there.
    """
    from tddfa.face_aligner import FaceAligner

    return FaceAligner(**aligner_arguments(args))


def build_tracking_pipeline(args: argparse.Namespace) -> "FaceAligner":
    """Build the networks that follow faces, quantized where that is faster.

    The detector is that of videos alone: no other is read.

    Raises
    ------
    InputError
        As `build_pipeline`.
    """
    from tddfa.config import load_config
    from tddfa.face_aligner import FaceAligner

    arguments = aligner_arguments(args)
    config = load_config(args.config, args.assets)
    on_cpu = args.mode == "cpu" and args.provider is None
    if args.precision == "auto" and on_cpu and chosen_backend(args) == "onnx":
        from tddfa.network_files import tracking_precision

        arguments["precision"] = tracking_precision(config)
    return FaceAligner(**(arguments | {"config": config, "tracking_only": True}))


def aligner_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of `FaceAligner` that parsed arguments ask for.

    Raises
    ------
    InputError
        If they contradict each other, or the asset folder is missing.
    """
    backend = chosen_backend(args)
    if args.provider is not None and backend != "onnx":
        raise InputError(f"--provider {args.provider}: expected together with --onnx")
    if args.assets is not None and not Path(args.assets).is_dir():
        raise InputError(f"--assets: expected an existing folder, got '{args.assets}'")
    gpu = args.mode == "gpu"
    if gpu and backend == "openvino":
        raise InputError("--mode gpu: expected with --onnx or --torch, not with openvino")
    provider = args.provider or ("cuda" if gpu and backend == "onnx" else None)
    return {
        "config": args.config,
        "backend": backend,
        "precision": args.precision,
        "device": "cuda" if gpu and backend == "torch" else "cpu",
        "threads": args.threads,
        "providers": None if provider is None else [provider],
        "detector_settings": detector_settings(args),
        "assets": args.assets,
        "detect_scale": getattr(args, "detect_scale", None),
        "upright": not getattr(args, "no_upright", False),
        "second_look": not getattr(args, "no_second_look", False),
        "blendshapes": getattr(args, "blendshapes", False),
    }


def chosen_backend(args: argparse.Namespace) -> "Backend":
    """Return the backend that parsed arguments ask for."""
    if args.backend is not None:
        named: Backend = args.backend
        return named
    by_default = args.onnx_by_default and args.mode != "gpu"
    return "onnx" if (by_default if args.onnx is None else args.onnx) else "torch"


def detector_settings(args: argparse.Namespace) -> SettingArguments:
    """Return what the arguments of `add_detection_arguments` set."""
    settings: SettingArguments = {}
    if getattr(args, "det_threshold", None) is not None:
        settings["vis_thres"] = args.det_threshold
        # What NMS never sees cannot be reported.
        settings["confidence_threshold"] = min(
            DetectorSettings.confidence_threshold, args.det_threshold
        )
    if getattr(args, "det_size", None) is not None:
        settings["max_width"], settings["max_height"] = args.det_size
    return settings


def tracker_settings(args: argparse.Namespace, **values: Any) -> "TrackerSettings":
    """Return a tracker's settings; a face that begins a track needs ``--det_threshold``."""
    from tddfa.tracking.settings import TrackerSettings

    if getattr(args, "det_threshold", None) is not None:
        values["high"] = max(args.det_threshold, _LEAST_SCORE)
    if getattr(args, "no_upright", False):
        values["upright"] = False
    return TrackerSettings(**values)


def has_blendshape_head(args: argparse.Namespace) -> bool:
    """Tell whether the configuration names a head for blendshapes: then they cost next to nothing.

    Raises
    ------
    InputError
        If the configuration cannot be read.
    """
    from tddfa.config import load_config

    return load_config(args.config, args.assets).blendshapes_fp is not None


def import_onnx_path(args: argparse.Namespace) -> None:
    """Import what `build_pipeline` needs for ONNX Runtime, if that is asked for.

    Python imports one module at a time. With these before OpenCV, networks are opened while that
    is imported: reading, hashing and opening files leaves the interpreter to others.
    """
    if chosen_backend(args) == "onnx":
        for name in ("onnxruntime", "tddfa.face_aligner", "tddfa.onnx_backend"):
            importlib.import_module(name)
