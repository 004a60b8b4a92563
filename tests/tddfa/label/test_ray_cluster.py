"""A cluster of two nodes on this machine, with a worker killed in the middle."""

import collections
import os
import signal
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tddfa.label.places import Folder
from tddfa.label.plan import start_plan
from tddfa.label.ray_cluster import ShardLabeller, run_on_ray
from tddfa.label.shards import LabelSettings
from tddfa.label.sources import find_sources
from tddfa.label.workers import Job, run_shards

ALIGNER = {"config": "configs/mb05_120x120.yml", "threads": 1}


@pytest.fixture
def job(tmp_path, portrait):
    pytest.importorskip("pyarrow")
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(90):
        picture = cv2.resize(portrait, (96 + number % 7, 96))
        cv2.imwrite(str(folder / f"{number:03d}.png"), picture)
    (folder / "damaged.png").write_bytes(b"no picture")
    return Job(Folder(tmp_path / "out"), ALIGNER, LabelSettings()), find_sources([str(folder)])


def read(place):
    import pyarrow.parquet as pq

    files = sorted(place.path.glob("part-*.parquet"))
    return pq.ParquetDataset(files).read()


def test_an_actor_makes_shards(job, tmp_path):
    job, sources = job
    plan = start_plan(job.place, sources, {}, 50)
    columns = collections.defaultdict(list)
    for shard in plan.shards:
        for name in ("number", "first", "count"):
            columns[name].append(getattr(shard, name))
        inputs = plan.inputs(shard)
        columns["paths"].append(np.array([source.path for source in inputs]))
        columns["kinds"].append(np.array([source.kind for source in inputs]))
    found = ShardLabeller(job)(columns)
    assert found["number"].tolist() == [0, 1] and not any(found["failure"])
    assert found["errors"].sum() == 1 and found["pictures"].sum() == 90
    by_ray = read(job.place)
    other = Job(Folder(tmp_path / "other"), ALIGNER, LabelSettings())
    again = start_plan(other.place, sources, {}, 50)
    assert run_shards(other, again, again.shards, 1) == []
    assert read(other.place).equals(by_ray)


@pytest.fixture
def cluster():
    pytest.importorskip("ray")
    import ray
    from ray.cluster_utils import Cluster

    root = str(Path(__file__).resolve().parents[3])
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    ray.init(
        address=made.address,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": root}},
    )
    yield made
    ray.shutdown()
    made.shutdown()


def actors():
    """Return the processes that label."""
    psutil = pytest.importorskip("psutil")
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if words and words[0].startswith("ray::") and "MapWorker" in words[0]:
            found.append(process.pid)
    return found


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing(cluster, job, monkeypatch):
    job, sources = job
    monkeypatch.chdir(Path(__file__).resolve().parents[3])
    plan = start_plan(job.place, sources, {}, 5)
    killed = []

    def kill():
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not killed:
            if 2 <= len(job.place.names()) - 2 < len(plan.shards) - 4:
                for pid in actors()[:1]:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
            time.sleep(0.05)

    killer = threading.Thread(target=kill)
    killer.start()
    failures = run_on_ray(job, plan, plan.shards, actors=2)
    killer.join()
    assert killed and failures == []
    assert plan.open_shards() == []
    paths = collections.Counter(read(job.place)["path"].to_pylist())
    assert len(paths) == 91 and set(paths.values()) == {1}
    assert run_on_ray(job, plan, plan.open_shards()) == []
