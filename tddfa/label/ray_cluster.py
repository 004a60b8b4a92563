"""Many machines: Ray Data hands out the shards, actors make them.

Each actor loads the networks once. A shard's part is written by the actor itself, whole or not at
all, so that a shard whose worker was lost and that is made again is there once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tddfa.errors import InputError
from tddfa.face_aligner import FaceAligner
from tddfa.label.plan import Plan, Shard
from tddfa.label.schema import Row
from tddfa.label.shards import Counts
from tddfa.label.sources import Source
from tddfa.label.workers import Failure, Job
from tddfa.optional import require

Columns = Mapping[str, npt.NDArray[Any]]


class ShardLabeller:
    """Make shards: what an actor of Ray Data is.

    Parameters
    ----------
    job : Job
        What is made of the inputs.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.aligner = FaceAligner(**job.aligner)

    def __call__(self, batch: Columns) -> dict[str, npt.NDArray[Any]]:
        """Make the shards of a batch; return their numbers, counts and what went wrong."""
        results = [
            self._make(Shard(*map(int, numbers)), list(paths), list(kinds))
            for *numbers, paths, kinds in zip(
                *(batch[key] for key in ("number", "first", "count", "paths", "kinds")),
                strict=True,
            )
        ]
        names = ("number", "pictures", "faces", "errors", "failure")
        return {
            name: np.array(values)
            for name, values in zip(names, zip(*results, strict=True), strict=True)
        }

    def _make(
        self, shard: Shard, paths: list[str], kinds: list[Any]
    ) -> tuple[int, int, int, int, str]:
        counts = Counts()

        def count(rows: Sequence[Row]) -> None:
            counts.add(rows)

        failure = ""
        sources = [Source(path, kind) for path, kind in zip(paths, kinds, strict=True)]
        try:
            self.job.make(shard, sources, self.aligner, count)
        except Exception as error:  # a defect must not cost the other shards
            failure = f"{type(error).__name__}: {error}"
        return shard.number, counts.pictures, counts.faces, counts.errors, failure


def run_on_ray(
    job: Job,
    plan: Plan,
    shards: Sequence[Shard],
    *,
    address: str | None = None,
    actors: int | tuple[int, int] = 1,
    gpus: float = 0.0,
    progress: Callable[[Counts], None] = lambda counts: None,
) -> list[Failure]:
    """Make shards on a Ray cluster; return those that failed.

    Parameters
    ----------
    job : Job
        Its folder must be reachable from every machine, and so must the inputs.
    plan : Plan
        Has the inputs of each shard.
    shards : sequence of Shard
        What is to be made.
    address : str, optional
        Of a cluster: ``auto``, ``ray://host:10001`` or ``host:6379``. Without one Ray starts on
        this machine, or the running one of this process is used.
    actors : int or (int, int)
        Number of actors, or least and most; each takes a core.
    gpus : float
        Share of a GPU for each actor, for the CUDA provider.
    progress : callable
        Called after every shard with what went through since the beginning.

    Raises
    ------
    InputError
        If Ray is missing or the cluster cannot be reached.
    """
    require("labelling on a cluster", "ray")
    import ray

    if not ray.is_initialized():
        try:
            ray.init(address=address, log_to_driver=False)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            line = str(error).splitlines()[0]
            raise InputError(f"--ray {address}: expected a Ray cluster: {line}") from error
    if not shards:
        return []
    items = []
    for shard in shards:
        sources = plan.inputs(shard)
        items.append(
            {
                "number": shard.number,
                "first": shard.first,
                "count": shard.count,
                "paths": [source.path for source in sources],
                "kinds": [source.kind for source in sources],
            }
        )
    low, high = (actors, actors) if isinstance(actors, int) else actors
    pool = ray.data.ActorPoolStrategy(min_size=low, max_size=high)
    results = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
        ShardLabeller,
        fn_constructor_args=(job,),
        batch_size=1,
        compute=pool,
        num_cpus=1,
        num_gpus=gpus or None,
    )
    counts, failures = Counts(), []
    by_number = {shard.number: shard for shard in shards}
    for row in results.iter_rows():
        counts.pictures += int(row["pictures"])
        counts.faces += int(row["faces"])
        counts.errors += int(row["errors"])
        if row["failure"]:
            failures.append(Failure(by_number[int(row["number"])], str(row["failure"])))
        progress(counts)
    return failures
