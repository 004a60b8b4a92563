import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")

from tddfa.label.schema import COLUMNS, OPTIONAL, label_schema, to_table  # noqa: E402 (after the check for pyarrow)


def test_every_column_says_what_it_means():
    schema = label_schema()
    assert schema.names == list(COLUMNS)
    assert all(len(field.metadata[b"description"]) > 5 for field in schema)


def test_only_what_was_asked_for():
    assert not set(label_schema(extra=()).names) & set(OPTIONAL)
    assert label_schema(141, ()).field("param").type.list_size == 141


def test_no_rows():
    assert to_table([], label_schema()).num_rows == 0


def test_rows_with_and_without_a_face():
    rows = [
        {"path": "a.png", "error": "no picture"},
        {"path": "b.png", "faces": 0},
        {"path": "c.png", "faces": 1, "face": 0, "param": np.arange(62), "visible": np.ones(68)},
    ]
    table = to_table(rows, label_schema())
    assert table["param"].to_pylist() == [None, None, list(map(float, range(62)))]
    assert table["visible"].to_pylist()[2] == [True] * 68
    assert table["face"].to_pylist() == [None, None, 0]
    assert table.schema.equals(label_schema(), check_metadata=True)
