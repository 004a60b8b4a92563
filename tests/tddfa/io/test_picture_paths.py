import pytest

from tddfa.errors import InputError
from tddfa.io.picture_paths import OutputPaths, expand_inputs, unique_stems
from tddfa.outputs import OUTPUTS

SUFFIXES = {name: output.suffix for name, output in OUTPUTS.items()}


def test_what_is_no_picture_in_a_folder_is_left_out(tmp_path, caplog):
    for name in (
        "b.PNG",
        "a.jpg",
        "._a.jpg",
        ".hidden.png",
        "Thumbs.db",
        "desktop.ini",
        ".DS_Store",
    ):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert expand_inputs([str(tmp_path)]) == [tmp_path / "a.jpg", tmp_path / "b.PNG"]
    assert caplog.text == ""


def test_a_named_file_is_taken_whatever_its_name(tmp_path):
    assert expand_inputs([str(tmp_path / "._a.jpg")]) == [tmp_path / "._a.jpg"]


@pytest.mark.parametrize("names", [[], ["._a.png"], ["notes.txt"]])
def test_folder_without_pictures(tmp_path, names):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(InputError, match="found none"):
        expand_inputs([str(tmp_path)])


@pytest.mark.parametrize(
    "url", ["http://host/a/b.jpg", "https://host//x.png?size=2", "file://host/x.png", "s3://b/x"]
)
def test_url_is_shown_whole(url):
    with pytest.raises(InputError) as error:
        expand_inputs(["a.png", url])
    assert str(error.value).startswith(f"{url}: ")
    with pytest.raises(InputError) as error:
        OutputPaths(url, ["3d"], 1, SUFFIXES)
    assert str(error.value).startswith(f"{url}: ")


@pytest.mark.parametrize(
    ("names", "stems"),
    [
        (["a.png", "b.png"], ["a", "b"]),
        (["a.png", "a.jpg"], ["a_png", "a_jpg"]),
        (["A.png", "a.png"], ["A_png", "a_png-2"]),
        (["a b.png", "a_b.png"], ["a b_png", "a_b_png-2"]),
        (["x/a.png", "y/a.png"], ["a_png", "a_png-2"]),
    ],
)
def test_stems(names, stems):
    from pathlib import Path

    assert unique_stems([Path(name) for name in names]) == stems


@pytest.mark.parametrize("suffix", [".pgm", ".pbm", ".gif", ".tga", ".heic", ".pdf", ".exr"])
def test_targets_that_are_not_written_are_refused_by_name(suffix):
    with pytest.raises(InputError, match=rf"out\{suffix}.*\.jpg.*\.png"):
        OutputPaths(f"out{suffix}", ["3d"], 1, SUFFIXES)


def test_folder_with_a_dot_in_its_name():
    paths = OutputPaths("results.v2", ["3d"], 1, SUFFIXES)
    assert str(paths.path("a", "3d")).endswith("a_3d.jpg")
