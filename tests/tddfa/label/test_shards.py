"""From inputs of every kind to a part of the table."""

import tarfile

import numpy as np
import pytest

from tddfa.label.archives import archive_pictures
from tddfa.label.films import film_rows
from tddfa.label.places import Folder
from tddfa.label.shards import Counts, LabelSettings, label_rows, write_shard
from tddfa.label.sources import Source, find_sources


@pytest.fixture
def table(inputs, pipeline, tmp_path):
    import pyarrow.parquet as pq

    counts = Counts()
    sources = find_sources([str(inputs)])
    settings = LabelSettings(every=3)
    write_shard(Folder(tmp_path), "a.parquet", sources, pipeline, settings, count=counts.add)
    return pq.read_table(tmp_path / "a.parquet").to_pylist(), counts


def rows_of(rows, name):
    return [row for row in rows if row["path"].endswith(name)]


def test_every_input_is_there(table):
    rows, counts = table
    # Six pictures, one without a face, one of the archive, frames 0, 3, 6; two that are damaged.
    assert (counts.pictures, counts.faces, counts.errors) == (6 + 1 + 1 + 3, 6 + 1 + 3, 2)
    assert len(rows) == 6 + 1 + 1 + 2 + 3


def test_a_face(table, pipeline, inputs):
    (row,) = rows_of(table[0], "/2.png")
    (face,) = pipeline.detect(inputs / "2.png")
    np.testing.assert_allclose(row["param"], face.param, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(row["box"], face.box, atol=0.01)
    points = np.reshape(row["landmarks"], (68, 3)).T
    np.testing.assert_allclose(points, face.landmarks, atol=0.05)
    assert row["yaw"] == pytest.approx(face.pose.yaw, abs=0.05)
    assert row["visible"] == face.visible.tolist() and sum(row["visible"]) > 40
    assert (row["width"], row["height"], row["faces"], row["face"]) == (256, 256, 1, 0)
    assert row["error"] is None and row["frame"] is None and row["sharpness"] > 50
    assert 0 < row["mirror_error"] < 0.05


def test_no_face(table):
    (row,) = rows_of(table[0], "empty.png")
    assert row["faces"] == 0 and row["face"] is None and row["box"] is None
    assert (row["width"], row["height"], row["error"]) == (64, 64, None)


def test_damaged(table):
    (row,) = rows_of(table[0], "damaged.jpg")
    assert "damaged.jpg" in row["error"] and row["faces"] is None and row["param"] is None


def test_archive(table):
    rows = rows_of(table[0], "shard.tar")
    assert [row["member"] for row in rows] == ["a/0.png", "a/bad.png"]
    assert rows[0]["face"] == 0 and "a/bad.png" in rows[1]["error"]


def test_video(table):
    rows = rows_of(table[0], "clip.mp4")
    assert [row["frame"] for row in rows] == [0, 3, 6]
    assert {row["track_id"] for row in rows} == {1}
    assert rows[2]["time"] == pytest.approx(6 / 25)


def test_a_video_that_is_none(pipeline, tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video")
    ((row,),) = film_rows(str(tmp_path / "a.mp4"), pipeline)
    assert "a.mp4" in row["error"]


@pytest.mark.parametrize("keep", [0, 100, 700])
def test_an_archive_that_is_cut_short(inputs, tmp_path, keep):
    data = (inputs / "shard.tar").read_bytes()
    path = tmp_path / "cut.tar"
    path.write_bytes(data[:keep])
    rows = list(archive_pictures(str(path)))
    assert "cut.tar: expected a tar file" in str(rows[-1][1])


def test_an_archive_without_pictures(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w"):
        pass
    assert list(archive_pictures(str(tmp_path / "a.tar"))) == []


def test_nothing(pipeline):
    assert list(label_rows([], pipeline, LabelSettings())) == []


def test_the_order_of_inputs_is_kept(inputs, pipeline):
    names = ["shard.tar", "0.png", "clip.mp4", "damaged.jpg", "1.png"]
    sources = find_sources([str(inputs / name) for name in names])
    found = [rows[0]["path"] for rows in label_rows(sources, pipeline, LabelSettings(every=100))]
    assert list(dict.fromkeys(found)) == [source.path for source in sources]


def test_more_pictures_than_a_batch(inputs, pipeline):
    sources = [Source(str(inputs / "empty.png"), "picture")] * 130
    rows = list(label_rows(sources, pipeline, LabelSettings(visibility=False)))
    assert len(rows) == 130 and all(len(one) == 1 for one in rows)
