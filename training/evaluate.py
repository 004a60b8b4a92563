"""Measure a regressor: NME, cumulative error, pose, openings of lids and lips, jitter.

``python -m training.evaluate -c configs/mb1_120x120.yml --aflw ../shared/aflw2000_val199``

Each measurement runs if its pictures are given: annotated faces, also rolled, heads of
``training.render_heads``, real profiles and empty pictures with detection included. Reports, curves
and contact sheets of the worst faces go into ``--out``; contact sheets show people and must not be
published.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tddfa.aligner import Aligner
from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.ibug68 import INNER
from tddfa.pose import head_pose
from training.detector.trials import profile_trials
from training.evaluation import metrics
from training.evaluation.benchmark_sets import (
    Detector,
    LandmarkSet,
    load_annotated,
    load_ground_truth,
    with_found_rois,
)
from training.evaluation.charts import contact_sheet, draw_ced
from training.evaluation.clips import follow, read_frames
from training.evaluation.openings import compare_openings, load_crops, measure_openings
from training.evaluation.predict import open_aligner, predict_set
from training.evaluation.profiles import measure_negatives, measure_profiles
from training.evaluation.rendered import load_rendered, measure_rendered
from training.evaluation.rolled import measure_rolled
from training.labels.pseudo_labels import load_labels

Report = dict[str, Any]
HELD_OUT_CROPS = 3  # one crop in so many, as in training.detector.evaluate


def measure_landmarks(
    aligner: Aligner, faces: LandmarkSet, out: Path | None = None, *, inner: bool = False
) -> Report:
    """Measure landmarks by the protocol of AFLW2000-3D, or of hand-annotated faces.

    Parameters
    ----------
    inner : bool
        The 51 points without the jaw line, divided by the distance of the outer eye corners
        (annotations in 2D follow the visible outline there); else all 68, divided by the root of
        the area of their bounding box.
    """
    params, found = predict_set(aligner, faces)
    points = INNER if inner else np.arange(68)
    size = (metrics.eye_corner_distance if inner else metrics.box_size)(faces.points)
    predicted, truth = found[:, :, points], faces.points[:, :, points]
    raw = metrics.nme(predicted, truth, size, faces.yaw)
    shifted = metrics.nme(metrics.without_shift(predicted, truth, size), truth, size, faces.yaw)
    report: Report = {
        "faces": len(found),
        "bins": raw.bins,
        "mean_of_bins": raw.mean_of_bins,
        "plain": raw.plain,
        "median": float(np.median(raw.per_face)),
        "shift": metrics.mean_shift(predicted, truth, size).tolist(),
        "bins_without_shift": shifted.bins,
        "mean_of_bins_without_shift": shifted.mean_of_bins,
        "plain_without_shift": shifted.plain,
    }
    if faces.missed is not None:
        report["missed"] = faces.missed
    frontal = np.ones(len(found), bool)
    if faces.yaw is not None:
        frontal = np.abs(faces.yaw) <= metrics.YAW_BINS[0][1]
        turned = np.abs([head_pose(param).yaw for param in params])
        report["yaw_error_deg"] = float(np.abs(turned - np.abs(faces.yaw)).mean())
    if faces.points.shape[1] == 3:
        report["rotation_error_deg"] = float(metrics.rotation_error(found, faces.points).mean())
    if frontal.any():
        report["openings"] = asdict(compare_openings(found[frontal], faces.points[frontal]))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        limit = 25.0 if inner else 10.0
        draw_ced(out / f"{faces.name}_ced.png", {"predicted": raw.per_face}, limit)
        sheet = contact_sheet(faces, found, raw.per_face)
        cv2.imwrite(str(out / f"{faces.name}_worst16.png"), sheet)
        np.savez(out / f"{faces.name}.npz", points=found, params=params, nme=raw.per_face)
    return report


def measure_clips(aligner: Aligner, clips: Path, detector: Detector, limit: int | None) -> Report:
    """Return the jitter of each clip in a folder (or of one clip), and their mean."""
    paths = [clips] if clips.is_file() else sorted(clips.glob("*.mp4"))
    if not paths:
        raise InputError(f"'{clips}': expected .mp4 clips")
    found = {
        path.stem: metrics.jitter(follow(aligner, read_frames(path, limit), detector))
        for path in paths
    }
    return {**found, "mean": float(np.mean(list(found.values())))}


def format_report(reports: dict[str, Report]) -> str:
    """Return the reports as lines for a person."""
    lines = []
    for name, report in reports.items():
        lines.append(name)
        for key, value in report.items():
            if isinstance(value, dict):
                inner = ", ".join(f"{k} {_number(v)}" for k, v in value.items())
                lines.append(f"  {key}: {inner}")
            elif isinstance(value, list | tuple):
                lines.append(f"  {key}: " + " / ".join(_number(v) for v in value))
            else:
                lines.append(f"  {key}: {_number(value)}")
    return "\n".join(lines)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"


@dataclass(frozen=True)
class MeasuredSets:
    """What a regressor is measured on; sets that are not given are left out.

    Attributes
    ----------
    aflw : Path, optional
        Folder with ``images/`` and ``ground_truth.npz``.
    scenes : Path, optional
        Folder with ``images/`` and ``landmarks68.csv``.
    training_part : bool
        The scenes that are not held out.
    crops, points : Path, optional
        Face crops and what `training.mediapipe_points` found on them, for the openings.
    clips : Path, optional
        A clip or a folder of them, for the jitter.
    frames : int, optional
        So many of each clip.
    renders : Path, optional
        Heads of `training.render_heads`.
    rolled : bool
        Roll the scenes' upright faces by 30 to 180 degrees.
    profiles : Path, optional
        Crops of faces, for detection and pose by yaw.
    opinions : two of Path, optional
        What two regressors say of the profiles' poses, by `training.detector.guess`.
    negatives : Path, optional
        Pictures without a face.
    out : Path, optional
        Folder of curves and sheets.
    """

    aflw: Path | None = None
    scenes: Path | None = None
    training_part: bool = False
    crops: Path | None = None
    points: Path | None = None
    clips: Path | None = None
    frames: int | None = None
    renders: Path | None = None
    rolled: bool = False
    profiles: Path | None = None
    opinions: tuple[Path, Path] | None = None
    negatives: Path | None = None
    out: Path | None = None

    def __post_init__(self) -> None:
        if self.crops and not self.points:
            raise InputError("--crops: needs --points")
        if self.rolled and not self.scenes:
            raise InputError("--rolled: needs --scenes")
        if (self.profiles is None) != (self.opinions is None):
            raise InputError("--profiles and --opinions: expected both")


def evaluate(aligner: Aligner, sets: MeasuredSets, detector: Detector | None) -> Report:
    """Run the measurements; those with a detector's ROIs need one.

    Raises
    ------
    InputError
        If there is nothing to measure, or a set is missing or malformed.
    """
    out = sets.out
    reports: dict[str, Report] = {}
    if sets.aflw:
        faces = load_ground_truth(sets.aflw)
        reports["aflw"] = measure_landmarks(aligner, faces, out)
        if detector is not None:
            faces = with_found_rois(faces, detector)
            reports["aflw, found"] = measure_landmarks(aligner, faces, out)
    if sets.scenes:
        faces = load_annotated(sets.scenes, detector, held_out=not sets.training_part)
        reports["scenes"] = measure_landmarks(aligner, faces, out, inner=True)
        if sets.rolled:
            reports["rolled"] = measure_rolled(aligner, faces)
    if sets.crops and sets.points:
        faces = load_crops(sets.crops, sets.points)
        reports["openings"] = asdict(measure_openings(aligner, faces))
    if sets.clips:
        follower = _needed(detector, "--clips")
        reports["jitter"] = measure_clips(aligner, sets.clips, follower, sets.frames)
    if sets.renders:
        heads = load_rendered(sets.renders)
        reports["renders"] = measure_rendered(aligner, heads)
        if detector is not None:
            reports["renders, found"] = measure_rendered(aligner, heads, detector)
    if sets.profiles and sets.opinions:
        first, second = (load_labels(path) for path in sets.opinions)
        trials = profile_trials(sets.profiles, first, second, HELD_OUT_CROPS)
        reports["profiles"] = measure_profiles(aligner, _needed(detector, "--profiles"), trials)
    if sets.negatives:
        found = measure_negatives(_needed(detector, "--negatives"), sets.negatives)
        reports["negatives"] = found
    if not reports:
        options = "--aflw, --scenes, --crops, --clips, --renders, --profiles or --negatives"
        raise InputError(f"nothing to measure: give {options}")
    return reports


def _needed(detector: Detector | None, option: str) -> Detector:
    if detector is None:
        raise InputError(f"{option}: needs a detector, leave out --roi landmarks")
    return detector


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    files = parser.add_argument_group("what is measured")
    files.add_argument("-c", "--config", default="configs/mb1_120x120.yml")
    files.add_argument("--assets", help="asset folder (default: TDDFA_ASSETS)")
    files.add_argument("--checkpoint", help="weights in place of the configuration's")
    files.add_argument("--param-scale", help="mean and std in place of the configuration's")
    files.add_argument("--face-model", help="face model in place of the configuration's")
    files.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    files.add_argument(
        "--precision",
        default="float32",
        choices=("float32", "int8"),
        help="int8: the quantized network beside the checkpoint, by ONNX Runtime (%(default)s)",
    )
    files.add_argument(
        "--second-look",
        action="store_true",
        help="look at faces again, closer and in a mirror as well, as demo.py does at pictures",
    )
    sets = parser.add_argument_group("pictures")
    sets.add_argument("--aflw", type=Path, help="folder with images/ and ground_truth.npz")
    sets.add_argument("--scenes", type=Path, help="folder with images/ and landmarks68.csv")
    sets.add_argument("--training-part", action="store_true", help="the scenes not held out")
    sets.add_argument(
        "--roi",
        choices=("detector", "landmarks"),
        default="detector",
        help="where faces are: what a detector finds (AFLW2000-3D and rendered heads are measured "
        "both ways), or around their true points alone, which needs no detector (%(default)s)",
    )
    sets.add_argument("--detector", help="detector's weights (default: weights/FaceBoxesProd.pth)")
    sets.add_argument("--crops", type=Path, help="folder of face crops, for the openings")
    sets.add_argument("--points", type=Path, help="their points, from training.mediapipe_points")
    sets.add_argument("--clips", type=Path, help="a clip or a folder of .mp4, for the jitter")
    sets.add_argument("--frames", type=int, help="so many frames of each clip (default: all)")
    sets.add_argument("--renders", type=Path, help="heads of training.render_heads --test")
    sets.add_argument("--rolled", action="store_true", help="the scenes at rolls of 0 to 180, too")
    sets.add_argument("--profiles", type=Path, help="crops of faces, for detection and pose by yaw")
    sets.add_argument(
        "--opinions",
        type=Path,
        nargs=2,
        help="their poses by two regressors, all_labels.npz of training.detector.guess",
    )
    sets.add_argument("--negatives", type=Path, help="pictures without a face")
    parser.add_argument("--out", type=Path, help="folder of curves and sheets, under runs/")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    args = build_parser().parse_args(argv)
    sets = MeasuredSets(**{field.name: getattr(args, field.name) for field in fields(MeasuredSets)})
    aligner = open_aligner(
        args.config,
        checkpoint=args.checkpoint,
        param_scale=args.param_scale,
        face_model=args.face_model,
        assets=args.assets,
        device=args.device,
        precision=args.precision,
        second_look=args.second_look,
    )
    detector: Detector | None = None
    wanted = args.aflw or args.scenes or args.renders or args.profiles or args.negatives
    if (wanted and args.roi == "detector") or args.clips:
        from FaceBoxes.detector import FaceBoxes

        detector = FaceBoxes(checkpoint_fp=args.detector, assets=args.assets)
    reports = evaluate(aligner, sets, detector)
    print(format_report(reports))
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "report.json").write_text(json.dumps(reports, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
