import pickle

import pytest

from tddfa.errors import InputError
from tddfa.label.places import Folder, StoreFolder, is_uri, open_place, read_bytes

pytest.importorskip("pyarrow")


@pytest.fixture(params=["path", "uri"])
def place(request, tmp_path):
    folder = tmp_path / "new" / "table"
    return open_place(str(folder) if request.param == "path" else folder.as_uri())


def test_a_file_appears_when_it_is_whole(place):
    assert place.names() == set()
    with place.write("part-00000.parquet") as file:
        file.write(b"abc")
        assert place.names() == set()
    assert place.names() == {"part-00000.parquet"}
    assert place.read("part-00000.parquet") == b"abc"
    with place.write("part-00000.parquet") as file:
        file.write(b"new")
    assert place.read("part-00000.parquet") == b"new"


def test_nothing_is_left_after_an_error(place, tmp_path):
    with pytest.raises(KeyError), place.write("a.json") as file:
        file.write(b"abc")
        raise KeyError
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_leftovers_of_a_killed_run(place, tmp_path):
    with place.write("a.json") as file:
        file.write(b"abc")
    folder = tmp_path / "new" / "table"
    (folder / ".0123.tmp.parquet").write_bytes(b"")
    (folder / "part-00000.parquet.0123.tmp").write_bytes(b"")
    if isinstance(place, StoreFolder):
        assert place.names() == {"a.json", ".0123.tmp.parquet"}
    place.remove_leftovers()
    left = ".0123.tmp.parquet" if isinstance(place, StoreFolder) else "part-00000.parquet.0123.tmp"
    assert {path.name for path in folder.iterdir()} == {"a.json", left}


def test_a_store_survives_a_pickle(tmp_path):
    place = StoreFolder(tmp_path.as_uri() + "/")
    assert str(pickle.loads(pickle.dumps(place))) == tmp_path.as_uri()


def test_files_that_are_not_there(place):
    with pytest.raises(FileNotFoundError):
        place.read("nothing")


@pytest.mark.parametrize("name", ["nothing.png", "file:///nothing.png", "nostore://a/b"])
def test_bytes_that_are_not_there(name):
    with pytest.raises(InputError, match=name.split(":")[0]):
        read_bytes(name)


@pytest.mark.parametrize(
    ("name", "uri"), [("s3://b/c", True), ("C:\\a", False), ("a/b.png", False), ("C://a", False)]
)
def test_what_is_a_uri(name, uri):
    assert is_uri(name) == uri


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(InputError, match="expected a folder, found a file"):
        open_place(str(tmp_path / "a"))
    assert isinstance(open_place(str(tmp_path)), Folder)
