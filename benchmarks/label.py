"""How fast data sets are labelled, and whether a killed run loses or doubles anything.

``python -m benchmarks.label``        pictures per second against the sum of the stages
``python -m benchmarks.label --ray``  the same shards by Ray Data
``python -m benchmarks.label --kills 10 --pictures 20000``  kill a run at random moments, resumed

Pictures are made from the portrait in ``examples/inputs``: 512 pixels, moved and mirrored, one face
each; for kills of 32 pixels, one in a hundred damaged.
"""

import argparse
import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

from tddfa.arguments import positive_int
from tddfa.cli import run_main
from tddfa.face_aligner import FaceAligner
from tddfa.face_batch import FaceCrops, align_crops
from tddfa.io.pictures import imread
from tddfa.label.measures import face_columns, sharpness
from tddfa.label.places import Folder
from tddfa.label.plan import start_plan
from tddfa.label.shards import LabelSettings, write_shard
from tddfa.label.sources import find_sources
from tddfa.label.workers import Job, run_shards
from tddfa.roi import network_input, parse_roi_box_from_bbox

ROOT = Path(__file__).resolve().parent.parent
_BATCH = 16


@dataclass(frozen=True)
class Rates:
    """Pictures per second, of one round.

    Attributes
    ----------
    ideal : float
        Cores over the sum of the stages' times on one of them.
    measured : dict of float
        Each way of using the cores.
    """

    ideal: float
    measured: dict[str, float]


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-c", "--config", default="configs/mb05_120x120.yml")
    parser.add_argument("--pictures", type=positive_int, default=1000)
    parser.add_argument("--size", type=positive_int, default=512, help="pixels")
    parser.add_argument("--workers", type=positive_int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=positive_int, default=3)
    parser.add_argument("--shard_size", type=positive_int, default=100)
    parser.add_argument("--no_visibility", action="store_true")
    parser.add_argument("--ray", action="store_true", help="by Ray Data, too")
    parser.add_argument("--kills", type=int, default=0, help="kill a run so many times instead")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    args = parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.kills:
            return kill_runs(args, folder)
        make_pictures(folder / "in", args.pictures, args.size)
        rounds = [measure(args, folder) for _ in range(args.rounds)]
    print(f"{args.pictures} pictures of {args.size} px, {args.workers} workers, {args.config}\n")
    print("| | pictures/s, median | fastest | of the ideal, median |\n|---|---|---|---|")
    ideal = [rates.ideal for rates in rounds]
    print(f"| ideal: sum of stages over cores | {median(ideal):.1f} | {max(ideal):.1f} | 1.00 |")
    for way in rounds[0].measured:
        values = [rates.measured[way] for rates in rounds]
        parts = median(rates.measured[way] / rates.ideal for rates in rounds)
        print(f"| {way} | {median(values):.1f} | {max(values):.1f} | {parts:.2f} |")
    return 0


def make_pictures(folder: Path, count: int, size: int, damaged: int = 0) -> None:
    """Write pictures with one face each, every `damaged`-th of them no picture at all."""
    folder.mkdir(parents=True)
    portrait = imread(ROOT / "examples" / "inputs" / "astronaut.png")
    small = cv2.resize(portrait, (size, size), interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(0)
    encoded = []
    for number in range(64):
        moved = np.roll(small, rng.integers(-size // 8, size // 8, 2), axis=(0, 1))
        moved = moved[:, ::-1] if number % 2 else moved
        encoded.append(cv2.imencode(".jpg", np.ascontiguousarray(moved))[1].tobytes())
    for number in range(count):
        bad = damaged and number % damaged == damaged - 1
        (folder / f"{number:06d}.jpg").write_bytes(b"\xff\xd8" if bad else encoded[number % 64])


def measure(args: argparse.Namespace, folder: Path) -> Rates:
    """Measure every way once."""
    sources = find_sources([str(folder / "in")])
    visibility = not args.no_visibility
    aligner = FaceAligner(args.config, threads=1)
    seconds = stages([source.path for source in sources], aligner, visibility)

    def job_of(name: str) -> Job:
        settings = LabelSettings(1, visibility)
        return Job(Folder(folder / name), {"config": args.config, "threads": 1}, settings)

    measured = {"processes": _timed(args, sources, job_of("processes"), run_shards)}
    measured["threads"] = _timed(args, sources, job_of("threads"), _threads)
    if args.ray:
        measured["Ray Data"] = _timed(args, sources, job_of("ray"), _ray)
    return Rates(args.workers * len(sources) / seconds, measured)


def stages(paths: Sequence[str], aligner: FaceAligner, visibility: bool) -> float:
    """Return the seconds that the stages take on one core: nothing but the calls is counted."""
    total = 0.0
    waiting: list[FaceCrops] = []

    def align() -> None:
        for faces in align_crops(aligner.picture_aligner, waiting):
            for face in faces:
                face_columns(face, visibility)
        waiting.clear()

    for path in paths:
        start = time.perf_counter()
        picture = imread(path)
        boxes = aligner.find(picture)
        rois = [parse_roi_box_from_bbox(box) for box in boxes]
        waiting.append(aligner.cut(picture, rois, boxes))
        sharpness(network_input(picture, rois, aligner.aligner.size))
        if len(waiting) == _BATCH:
            align()
        total += time.perf_counter() - start
    start = time.perf_counter()
    align()
    return total + time.perf_counter() - start


def _timed(args: argparse.Namespace, sources: Any, job: Job, run: Callable[..., Any]) -> float:
    """Return pictures per second, from when all workers have their networks."""
    assert isinstance(job.place, Folder)
    shutil.rmtree(job.place.path, ignore_errors=True)
    plan = start_plan(job.place, sources, {}, args.shard_size)
    begun: list[tuple[float, int]] = []

    def progress(counts: Any) -> None:
        if counts.pictures:
            begun.append((time.perf_counter(), counts.pictures))

    run(job, plan, plan.shards, args.workers, progress)
    (first, before), (last, after) = begun[0], (time.perf_counter(), len(sources))
    return (after - before) / (last - first)


def _threads(job: Job, plan: Any, shards: Any, workers: int, progress: Any) -> None:
    aligner = FaceAligner(**job.aligner)
    done = [0]

    def count(rows: Any) -> None:
        done[0] += 1
        if done[0] % 20 == 0:
            progress(type("Counts", (), {"pictures": done[0]})())

    with ThreadPoolExecutor(workers) as pool:
        for future in [
            pool.submit(
                write_shard,
                job.place,
                shard.name,
                plan.inputs(shard),
                aligner,
                job.settings,
                None,
                count,
            )
            for shard in shards
        ]:
            future.result()


def _ray(job: Job, plan: Any, shards: Any, workers: int, progress: Any) -> None:
    import ray

    from tddfa.label.ray_cluster import run_on_ray

    if not ray.is_initialized():
        path = os.pathsep.join(sys.path)
        ray.init(log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": path}})
    run_on_ray(job, plan, shards, actors=workers, progress=progress)


def kill_runs(args: argparse.Namespace, folder: Path) -> int:
    """Kill a run with SIGKILL at random moments, resume it, count every input; 1 if one is lost."""
    import pyarrow.parquet as pq

    make_pictures(folder / "in", args.pictures, 32, damaged=100)
    out, rng = folder / "out", random.Random(args.seed)
    words = [sys.executable, "-m", "tddfa", "label", str(folder / "in"), "--out", str(out)]
    words += ["-c", args.config, "--shard_size", str(args.shard_size), "--no_visibility"]
    words += ["--workers", str(args.workers)]
    for number in range(args.kills):
        process = subprocess.Popen(words, start_new_session=True, stdout=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.5, 12))
        finished = process.poll() is not None
        if not finished:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        parts = len(list(out.glob("part-*")))
        print(f"kill {number + 1}: {'too late' if finished else 'killed'} with {parts} parts done")
    subprocess.run(words, check=True)
    found: collections.Counter[str] = collections.Counter()
    errors = 0
    for part in sorted(out.glob("part-*.parquet")):
        table = pq.read_table(part, columns=["path", "error"])
        found.update(table["path"].to_pylist())
        errors += len(table) - table["error"].null_count
    lost = args.pictures - len(found)
    twice = sum(count > 1 for count in found.values())
    left = [path.name for path in out.iterdir() if path.name.startswith(".")]
    counts = f"{lost} lost, {twice} twice, {errors} damaged, {len(left)} leftovers"
    print(f"{args.pictures} inputs: {counts}")
    return int(bool(lost or twice or left or errors != args.pictures // 100))


if __name__ == "__main__":
    sys.exit(run_main(main))
