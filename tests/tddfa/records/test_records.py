"""Every format of our own holds the same, whatever ends the run."""

import csv
import json

import numpy as np
import pytest

from tddfa import arkit52
from tddfa.errors import InputError
from tddfa.records import RecordLayout, check_record_target, open_records

OWN = [".npz", ".csv", ".jsonl", ".parquet"]


def write(path, frames, **layout):
    with open_records(path, RecordLayout(**layout)) as records:
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
        for row in rows:
            if "blendshapes" in row:
                assert tuple(row["blendshapes"]) == arkit52.NAMES
                row["blendshapes"] = list(row["blendshapes"].values())
        return [{k: np.asarray(v, float).ravel() for k, v in row.items()} for row in rows]
    if path.suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        rows = parquet.read_table(path).to_pylist()
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
        if "jawOpen" in row:
            found[-1]["blendshapes"] = np.array([float(row[name]) for name in arkit52.NAMES])
    return found


@pytest.fixture(params=OWN)
def path(request, tmp_path):
    if request.param == ".parquet":
        pytest.importorskip("pyarrow")
    return tmp_path / f"a{request.param}"


def test_every_face_of_every_frame(path, frames, face):
    write(path, frames)
    rows = load(path)
    assert [(int(r["frame"][0]), int(r["id"][0])) for r in rows] == [(1, 1), (1, 2), (2, 1)]
    for row, number in zip(rows, (1, 2, 1), strict=True):
        one = face(number)
        np.testing.assert_allclose(row["param"], one.param, rtol=1e-6)
        np.testing.assert_allclose(row["landmarks"], one.landmarks.T.ravel(), rtol=1e-6)
        np.testing.assert_allclose(row["box"], one.box, rtol=1e-6)
        np.testing.assert_allclose(row["yaw"], one.pose.yaw, rtol=1e-6)
        assert "blendshapes" not in row
    assert rows[2]["time"][0] == 0.08


def test_blendshapes_where_they_are_asked_for(path, frames, face):
    write(path, frames, blendshapes=True)
    for row, number in zip(load(path), (1, 2, 1), strict=True):
        np.testing.assert_allclose(row["blendshapes"], face(number).blendshapes, rtol=1e-6)


def test_no_face_at_all(path, frames):
    write(path, frames[:1])
    assert load(path) == []


def test_interrupted(path, frames):
    with pytest.raises(KeyboardInterrupt), open_records(path) as records:
        records.add(frames[1])
        raise KeyboardInterrupt
    assert len(load(path)) == 2
    assert list(path.parent.iterdir()) == [path]


def test_bad_input_leaves_no_records(path, frames):
    with pytest.raises(InputError, match="disk"), open_records(path) as records:
        records.add(frames[1])
        raise InputError("no space left on the disk")
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("name", ["a", "a.txt", "a.npy"])
def test_unknown_format(tmp_path, name):
    message = r"\.npz, \.csv, \.jsonl, \.parquet"
    with pytest.raises(InputError, match=message), open_records(tmp_path / name):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "form", "message"),
    [
        ("a.npz", "livelink", r"ending in \.csv for the format livelink"),
        ("a.csv", "excel", "expected own, livelink, openface, got 'excel'"),
    ],
)
def test_other_columns_are_csv(name, form, message):
    with pytest.raises(InputError, match=message):
        check_record_target(name, form)


def test_without_pyarrow(monkeypatch, tmp_path):
    monkeypatch.setattr("tddfa.optional.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install pyarrow"):
        check_record_target(tmp_path / "a.parquet")


def test_parquet_says_what_its_columns_mean(tmp_path, frames):
    parquet = pytest.importorskip("pyarrow.parquet")
    write(tmp_path / "a.parquet", frames * 1500, blendshapes=True)
    file = parquet.ParquetFile(tmp_path / "a.parquet")
    assert file.metadata.num_row_groups > 1 and file.metadata.num_rows == 4500
    for field in file.schema_arrow:
        assert len(field.metadata[b"description"]) > 5
    assert b"degrees" in file.schema_arrow.field("yaw").metadata[b"description"]
