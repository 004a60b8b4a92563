"""Whether a face stays where it is when the network is asked again and again about its own answer.

A tracker takes each ROI from the vertices of the frame before. On a still picture nothing moves, so
that every step must give nearly the same ROI; what moves is the network's own doing. From the
68 landmarks and from all vertices of the mesh, over many steps::

    python -m benchmarks.roi_drift --shared ../shared
    python -m benchmarks.roi_drift -c configs/reference_mb05.yml --assets ../shared/upstream

Faces: copies of the portrait that ships, rolled and scaled; held-out crops at all yaws; faces of
held-out photos; and, reported apart, the AFLW2000-3D pictures.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tddfa.aligner import Aligner
from tddfa.arguments import add_model_arguments
from tddfa.cli import run_main
from tddfa.errors import InputError
from tddfa.io.pictures import imread
from tddfa.params import FloatArray
from tddfa.pipelines import build_pipeline
from tddfa.pose import head_pose
from tddfa.roi import ImageArray, parse_roi_box_from_bbox
from training.dataset.split import is_held_out_crop
from training.evaluation.benchmark_sets import load_annotated, load_ground_truth, read_picture

PORTRAIT = Path("examples/inputs/astronaut.png")
PORTRAIT_BOX = (175.0, 60.0, 275.0, 185.0)  # of the face in it, by eye
CROP_ROI = [24.0, 24.0, 144.0, 144.0]  # of a 168x168 crop, see ../shared
YAW_EDGES = (15.0, 35.0)  # crops: as many below, between and above
SETTLED = 2  # the reference's own start: from the box, then once more from the landmarks
# A face is lost when its ROI leaves its settled place by this much, or cannot be cut out.
MOST_GROWTH, LEAST_OVERLAP = 1.25, 0.6


@dataclass(frozen=True)
class Start:
    """A face to begin with.

    Attributes
    ----------
    name : str
    image : ndarray, shape (H, W, 3), uint8
        BGR picture.
    roi : list of float
        ``[xmin, ymin, xmax, ymax]`` of the first ROI in pixels.
    """

    name: str
    image: ImageArray
    roi: list[float]


@dataclass(frozen=True)
class Course:
    """What became of a face.

    Attributes
    ----------
    lost_at : int or None
        Step at which the ROI left the face.
    growth : float
        Side of the last ROI relative to the settled one.
    moved : float
        Mean distance of the last landmarks to the settled ones, in % of the settled ROI's side.
    swing : float
        Largest such distance within the second half of the steps to the last landmarks.
    late_growth : float
        Mean side over the last third of the steps relative to the third before it.
    yaw : float
        Degrees, of the settled face.
    """

    lost_at: int | None
    growth: float
    moved: float
    swing: float
    late_growth: float
    yaw: float


def portrait_copies(count: int, seed: int = 0) -> Iterator[Start]:
    """Yield the portrait rolled by up to 60 degrees, scaled by 0.5 to 1.6 and mirrored."""
    image = imread(PORTRAIT)
    height, width = image.shape[:2]
    generator = np.random.default_rng(seed)
    left, top, right, bottom = PORTRAIT_BOX
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    for roll in np.linspace(-60, 60, count):
        scale, mirrored = generator.uniform(0.5, 1.6), generator.random() < 0.5
        matrix = cv2.getRotationMatrix2D(((left + right) / 2, (top + bottom) / 2), roll, scale)
        matrix[:, 2] += [width / 2 - (left + right) / 2, height / 2 - (top + bottom) / 2]
        copy = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_AREA)
        points = corners @ matrix[:, :2].T + matrix[:, 2]
        # An upright detector's box: as large as the face, around where it went.
        center, size = points.mean(axis=0), scale * np.array([right - left, bottom - top]) / 2
        if mirrored:
            copy = np.ascontiguousarray(copy[:, ::-1])
            center[0] = width - 1 - center[0]
        box = [*(center - size), *(center + size)]
        yield Start(
            f"portrait {roll:.0f}", np.asarray(copy, np.uint8), parse_roi_box_from_bbox(box)
        )


def held_out_crops(folder: Path, count: int, judge: Aligner) -> Iterator[Start]:
    """Yield crops, a third each of three ranges of |yaw| as `judge` sees it."""
    rest = [count // 3 + (i < count % 3) for i in range(3)]
    with (folder / "index.csv").open(encoding="utf-8") as table:
        names = [line.split(",", 1)[0] for line in table][1:]
    held_out = sorted(name for name in names if is_held_out_crop(name))
    for number in np.random.default_rng(0).permutation(len(held_out)):
        start = Start(held_out[number], read_picture(folder / held_out[number]), CROP_ROI)
        yaw = abs(head_pose(judge.align_rois(start.image, [start.roi])[0]).yaw)
        third = int(np.searchsorted(YAW_EDGES, yaw))
        if rest[third]:
            rest[third] -= 1
            yield start
        if not any(rest):
            return


def follow(aligner: Aligner, start: Start, steps: int, *, dense: bool) -> Course:
    """Feed the network with its own answer, `steps` times."""
    param, roi = aligner.align_rois(start.image, [start.roi])[0], start.roi
    sides, points, first = [], [], np.zeros(4)
    memo: dict[bytes, tuple[FloatArray, list[float]]] = {}
    yaw, lost_at = 0.0, None
    for step in range(1, steps + 1):
        # All of it depends on the last ROI and parameters alone: a step that was made before
        # is not made again.
        key = np.append(param, roi).tobytes()
        if key not in memo:
            vertices = aligner.recon_vers([param], [roi], dense_flag=dense)
            try:
                params, rois = aligner(start.image, vertices, crop_policy="landmark")
            except InputError:
                lost_at = step
                break
            memo[key] = params[0], rois[0]
        param, roi = memo[key]
        sides.append(roi[2] - roi[0])
        points.append(aligner.recon_vers([param], [roi])[0][:2])
        if step == SETTLED:
            first, yaw = np.array(roi), head_pose(param).yaw
        if step > SETTLED and _left(first, np.array(roi, np.float64)):
            lost_at = step
            break
    if lost_at is not None:
        return Course(lost_at, sides[-1] / sides[min(SETTLED, len(sides)) - 1], 100, 100, 1, yaw)
    settled, third = sides[SETTLED - 1], steps // 3
    far = [np.linalg.norm(p - points[-1], axis=0).mean() for p in points]
    return Course(
        None,
        sides[-1] / settled,
        100 * far[SETTLED - 1] / settled,
        100 * max(far[steps // 2 :]) / settled,
        float(np.mean(sides[-third:]) / np.mean(sides[-2 * third : -third])),
        yaw,
    )


def _left(settled: npt.NDArray[np.floating], roi: npt.NDArray[np.floating]) -> bool:
    side, other = settled[2] - settled[0], roi[2] - roi[0]
    if not 1 / MOST_GROWTH < other / side < MOST_GROWTH:
        return True
    shared = np.minimum(settled[2:], roi[2:]) - np.maximum(settled[:2], roi[:2])
    overlap = np.clip(shared, 0, None).prod()
    return bool(overlap / (side**2 + other**2 - overlap) < LEAST_OVERLAP)


def row(name: str, courses: Sequence[Course]) -> str:
    """Return a line of the table."""
    stayed = [course for course in courses if course.lost_at is None]
    moved, swing = (np.array([getattr(c, key) for c in stayed]) for key in ("moved", "swing"))
    growth = np.array([c.growth for c in stayed])
    late = np.abs(np.array([c.late_growth for c in stayed]) - 1) * 100
    if not stayed:
        return f"| {name} | {len(courses)} | {len(courses)} | | | | | |"
    return (
        f"| {name} | {len(courses)} | {len(courses) - len(stayed)} | {np.median(moved):.2f} | "
        f"{np.quantile(moved, 0.95):.2f} | {moved.max():.2f} | {growth.min():.3f} to "
        f"{growth.max():.3f} | {np.median(swing):.2f} | {swing.max():.2f} | {late.max():.2f} |"
    )


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="%(default)s")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument(
        "--faces", type=int, default=100, help="of the first three kinds together, and of the last"
    )
    parser.add_argument("--points", nargs="+", choices=("68", "mesh"), default=["68", "mesh"])
    parser.add_argument("--verbose", action="store_true", help="name the faces that were lost")
    add_model_arguments(parser)
    parser.set_defaults(onnx=True, threads=1)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table."""
    args = parse_args(argv)
    aligner = build_pipeline(args).aligner
    kinds = {"portrait": list(portrait_copies(args.faces - 2 * (args.faces // 3)))}
    third = args.faces // 3
    # Which crops are taken does not depend on the weights that are judged.
    judge = build_pipeline(parse_args([])).aligner
    kinds["held-out crops"] = list(held_out_crops(args.shared / "faces", third, judge))
    photos = load_annotated(args.shared / "scenes")
    chosen = np.linspace(0, len(photos.paths) - 1, third).astype(int)
    kinds["held-out photos"] = [
        Start(photos.paths[i].name, read_picture(photos.paths[i]), photos.rois[i].tolist())
        for i in chosen
    ]
    truth = load_ground_truth(args.shared / "aflw2000_val199")
    # By yaw, so that every angle has its share.
    chosen = np.argsort(np.asarray(truth.yaw))[
        np.linspace(0, len(truth.paths) - 1, args.faces).astype(int)
    ]
    kinds["AFLW2000-3D"] = [
        Start(truth.paths[i].name, read_picture(truth.paths[i]), truth.rois[i].tolist())
        for i in chosen
    ]
    names = "faces, n, lost, moved median, 95 %, most, side, swing median, most, late growth most %"
    print("| ROI from | " + names.replace(", ", " | ") + " |\n" + "|---" * 11 + "|")
    for points in args.points:
        for kind, starts in kinds.items():
            courses = [
                follow(aligner, start, args.steps, dense=points == "mesh") for start in starts
            ]
            print(f"| {points} {row(kind, courses)}", flush=True)
            if args.verbose:
                for start, course in zip(starts, courses, strict=True):
                    if course.lost_at is not None or course.moved > 5:
                        print(f"    {start.name}: {course}")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_main(main))
