"""Other programs read the table with the types that the documents name."""

import pytest

from tddfa.label.places import Folder
from tddfa.label.shards import LabelSettings, write_shard
from tddfa.label.sources import find_sources


@pytest.fixture
def part(inputs, pipeline, tmp_path):
    sources = find_sources([str(inputs)])
    write_shard(Folder(tmp_path), "part-00000.parquet", sources, pipeline, LabelSettings())
    return tmp_path / "part-00000.parquet"


def test_pandas(part):
    frame = pytest.importorskip("pandas").read_parquet(part)
    assert str(frame["yaw"].dtype) == "float32" and len(frame["param"].dropna().iloc[0]) == 62
    assert frame["error"].notna().sum() == 2


def test_polars(part):
    polars = pytest.importorskip("polars")
    table = polars.read_parquet(part)
    assert table.schema["landmarks"] == polars.Array(polars.Float32, 204)
    assert table.schema["visible"] == polars.Array(polars.Boolean, 68)
    assert table.filter(polars.col("faces") == 0).height == 1


def test_duckdb(part):
    duckdb = pytest.importorskip("duckdb")
    columns = duckdb.sql(f"describe select * from '{part}'").fetchall()
    types = {name: kind for name, kind, *_ in columns}
    assert (types["path"], types["yaw"], types["frame"]) == ("VARCHAR", "FLOAT", "BIGINT")
    (row,) = duckdb.sql(f"select count(*) from '{part}' where len(landmarks) = 204").fetchall()
    assert row[0] == 6 + 1 + 7
