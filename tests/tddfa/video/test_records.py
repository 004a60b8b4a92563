import csv
import json

import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.face import Face
from tddfa.frame import Frame
from tddfa.video.records import open_records

IMAGE = np.zeros((2, 2, 3), np.uint8)


def face(number):
    rng = np.random.default_rng(number)
    param = rng.normal(size=62).astype(np.float32)
    points = rng.uniform(0, 300, (3, 68)).astype(np.float32)
    return Face(0.75, [1.0, 2.0, 101.0, 102.0], param, points, track_id=number)


FRAMES = [
    Frame(0, 0.0, IMAGE, []),
    Frame(1, 0.04, IMAGE, [face(1), face(2)]),
    Frame(2, 0.08, IMAGE, [face(1)]),
]


def write(path, frames):
    with open_records(path) as records:
        for frame in frames:
            records.add(frame)


def load(path):
    """Return the rows of any format in one form."""
    if path.suffix == ".npz":
        with np.load(path) as data:
            names = list(data)
            return [
                {name: np.asarray(data[name][i], float).ravel() for name in names}
                for i in range(len(data["frame"]))
            ]
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        return [{k: np.asarray(v, float).ravel() for k, v in row.items()} for row in rows]
    with path.open() as file:
        rows = list(csv.DictReader(file))
    found = []
    for row in rows:
        points = [row[f"{axis}{i}"] for i in range(68) for axis in "xyz"]
        found.append(
            {k: np.array([float(row[k])]) for k in ("frame", "time", "id", "score", "yaw")}
            | {"param": np.array([float(row[f"param_{i}"]) for i in range(62)])}
            | {"landmarks": np.array(points, float)}
            | {"box": np.array([float(row[k]) for k in ("xmin", "ymin", "xmax", "ymax")])}
        )
    return found


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".jsonl"])
def test_every_face_of_every_frame(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write(path, FRAMES)
    rows = load(path)
    assert [(int(r["frame"][0]), int(r["id"][0])) for r in rows] == [(1, 1), (1, 2), (2, 1)]
    for row, number in zip(rows, (1, 2, 1), strict=True):
        one = face(number)
        np.testing.assert_allclose(row["param"], one.param, rtol=1e-6)
        np.testing.assert_allclose(row["landmarks"], one.landmarks.T.ravel(), rtol=1e-6)
        np.testing.assert_allclose(row["box"], one.box, rtol=1e-6)
        np.testing.assert_allclose(row["yaw"], one.pose.yaw, rtol=1e-6)
    assert rows[2]["time"][0] == 0.08


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".jsonl"])
def test_no_face_at_all(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write(path, FRAMES[:1])
    assert load(path) == []


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".jsonl"])
def test_interrupted(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    with pytest.raises(KeyboardInterrupt), open_records(path) as records:
        records.add(FRAMES[1])
        raise KeyboardInterrupt
    assert len(load(path)) == 2
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a", "a.txt", "a.npy"])
def test_unknown_format(tmp_path, name):
    with pytest.raises(InputError, match=r"\.npz, \.csv, \.jsonl"), open_records(tmp_path / name):
        pass
    assert list(tmp_path.iterdir()) == []
