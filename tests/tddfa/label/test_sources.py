import pytest

from tddfa.errors import InputError
from tddfa.label.sources import Source, find_sources


@pytest.fixture
def tree(tmp_path):
    for name in (
        "b/2.png",
        "b/.hidden.png",
        "b/notes.md",
        "a.JPG",
        "clip.mp4",
        "x.tar",
        ".git/y.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def test_a_folder_stands_for_all_below_it(tree):
    found = find_sources([str(tree)])
    assert [(source.path.removeprefix(f"{tree}/"), source.kind) for source in found] == [
        ("a.JPG", "picture"),
        ("clip.mp4", "video"),
        ("x.tar", "archive"),
        ("b/2.png", "picture"),
    ]


def test_each_file_once(tree):
    name = str(tree / "a.JPG")
    assert find_sources([name, name, str(tree / "*.JPG")]) == [Source(name, "picture")]


def test_patterns(tree):
    assert [s.path for s in find_sources([f"{tree}/**/*.png"])] == [str(tree / "b" / "2.png")]


@pytest.mark.parametrize("text", ["a.JPG\n\n b/2.png \n", "\ufeffa.JPG\r\nb/2.png"])
def test_lists_are_relative_to_their_folder(tree, text):
    (tree / "list.txt").write_text(text, "utf-8")
    found = find_sources([str(tree / "list.txt")])
    assert [s.path for s in found] == [str(tree / "a.JPG"), str(tree / "b" / "2.png")]


def test_a_name_that_is_taken_by_its_word(tree):
    # A file that is named is labelled whatever its name; if it is no picture, a row says so.
    assert find_sources([str(tree / "b" / "notes.md")])[0].kind == "picture"


@pytest.mark.parametrize("name", ["nothing.png", "empty", "*.gif", "http://host/a.png"])
def test_nothing_there(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="expected"):
        find_sources([name if "//" in name else str(tmp_path / name)])


def test_a_list_that_is_no_text(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="list of paths in UTF-8"):
        find_sources([str(tmp_path / "list.txt")])
