"""All cores of one machine: processes, each with networks of its own, each with a shard at a time.

Processes and not threads: what a thread does between the networks' calls would hold up the others
(`benchmarks.label` measures both). One thread a process: the cores are all busy as it is.
"""

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from typing import Any

from tddfa.errors import InputError
from tddfa.face_aligner import FaceAligner
from tddfa.label.crop_files import CropSettings, open_crops
from tddfa.label.places import Folder, StoreFolder
from tddfa.label.plan import Plan, Shard
from tddfa.label.schema import Row
from tddfa.label.shards import Counts, LabelSettings, write_shard
from tddfa.label.sources import Source

# How often the number of labelled pictures is looked at, seconds.
_TICK = 0.5
# A shard whose worker dies (killed, out of memory) is tried again once.
_TRIES = 2
Progress = Callable[[Counts], None]


@dataclass(frozen=True)
class Job:
    """What every worker has to know.

    Attributes
    ----------
    place : Folder or StoreFolder
        Where the table lies.
    aligner : dict
        Arguments of `FaceAligner`, which is built in the worker.
    settings : LabelSettings
        What is written.
    crops : CropSettings, optional
        Crops to write.
    """

    place: Folder | StoreFolder
    aligner: dict[str, Any]
    settings: LabelSettings
    crops: CropSettings | None = None

    def make(
        self,
        shard: Shard,
        sources: Sequence[Source],
        aligner: FaceAligner,
        count: Callable[[Sequence[Row]], None] = lambda rows: None,
    ) -> None:
        """Label a shard's inputs into its part of the table."""
        crops = None
        if self.crops is not None and isinstance(self.place, Folder):
            crops = open_crops(self.crops, self.place.path, shard.number)
        write_shard(self.place, shard.name, sources, aligner, self.settings, crops, count)


@dataclass(frozen=True)
class Failure:
    """A shard that could not be made, and why."""

    shard: Shard
    reason: str


@dataclass
class _Worker:
    """A process, the parent's end of the line to it, and what it does."""

    process: Any
    line: Connection
    shard: Shard | None = None


def run_shards(
    job: Job,
    plan: Plan,
    shards: Sequence[Shard],
    workers: int,
    progress: Progress = lambda counts: None,
) -> list[Failure]:
    """Make shards in worker processes; return those that failed.

    Parameters
    ----------
    job : Job
    plan : Plan
        Has the inputs of each shard.
    shards : sequence of Shard
        What is to be made.
    workers : int
        Processes.
    progress : callable
        Called twice a second, and at the end, with what went through since the beginning.

    Raises
    ------
    InputError
        If networks cannot be built.
    """
    context = multiprocessing.get_context("spawn")
    counters = context.Array("q", 3)
    left = list(reversed(shards))
    tries = dict.fromkeys(shards, 0)
    failures: list[Failure] = []
    running: list[_Worker] = []
    try:
        while left or running:
            while left and len(running) < workers:
                running.append(_begin(context, job, counters))
                _give(running[-1], plan, left.pop())
            ready = wait_for([worker.line for worker in running], _TICK)
            progress(Counts(*counters[:]))
            for worker in [worker for worker in running if worker.line in ready]:
                shard = worker.shard
                assert shard is not None
                try:
                    answer = worker.line.recv()
                except (EOFError, OSError):  # it died
                    worker.process.join()
                    running.remove(worker)
                    tries[shard] += 1
                    if tries[shard] < _TRIES:
                        left.append(shard)
                    else:
                        reason = f"its worker died {_TRIES} times"
                        failures.append(Failure(shard, reason))
                    continue
                if isinstance(answer, InputError):
                    raise answer
                if answer is not None:
                    failures.append(Failure(shard, answer))
                if left:
                    _give(worker, plan, left.pop())
                else:
                    _end(worker)
                    running.remove(worker)
    finally:
        for worker in running:
            worker.process.terminate()
            worker.process.join()
    progress(Counts(*counters[:]))
    return failures


def _begin(context: Any, job: Job, counters: Any) -> _Worker:
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(job, counters, theirs), daemon=True)
    process.start()
    theirs.close()  # or the line stays open when the worker dies
    return _Worker(process, ours)


def _give(worker: _Worker, plan: Plan, shard: Shard) -> None:
    worker.shard = shard
    with contextlib.suppress(OSError):  # it died: reading from it will tell
        worker.line.send((shard, plan.inputs(shard)))


def _end(worker: _Worker) -> None:
    worker.line.close()
    worker.process.join()


def _work(job: Job, counters: Any, line: Connection) -> None:
    """Make the shards that come down the line until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    try:
        aligner = FaceAligner(**job.aligner)
    except InputError as error:
        line.send(error)
        return
    while True:
        try:
            shard, sources = line.recv()
        except (EOFError, OSError):  # nothing is left, or the parent is gone
            return
        line.send(_make(job, shard, sources, aligner, counters))


def _make(
    job: Job, shard: Shard, sources: Sequence[Source], aligner: FaceAligner, counters: Any
) -> str | InputError | None:
    """Make one shard; return what went wrong."""

    def count(rows: Sequence[Row]) -> None:
        one = Counts()
        one.add(rows)
        with counters.get_lock():
            for i, value in enumerate((one.pictures, one.faces, one.errors)):
                counters[i] += value

    try:
        job.make(shard, sources, aligner, count)
    except InputError as error:  # the folder: inputs that fail are rows
        return error
    except Exception as error:  # a defect must not cost the other shards
        return f"{type(error).__name__}: {error}"
    return None
