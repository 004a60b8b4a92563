import os
from pathlib import Path

import pytest

from tddfa.errors import InputError
from tddfa.io import targets
from tddfa.io.targets import RunFile, check_targets


def check(inputs, outputs):
    check_targets(
        [RunFile(Path(path), "picture") for path in inputs],
        [RunFile(Path(path), f"output {number}") for number, path in enumerate(outputs)],
    )


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"precious")
    return path


def test_nothing_and_different_files(picture, tmp_path):
    check([], [])
    check([picture], [])
    check([picture, picture], [tmp_path / "b.png", tmp_path / "new" / "a.png"])


@pytest.mark.parametrize(
    "kind", ["same", "relative", "dots", "symlink", "hard link", "folder link"]
)
def test_input_by_any_name(picture, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    other = tmp_path / "other.jpg"
    if kind == "same":
        other = picture
    elif kind == "relative":
        other = Path("a.png")
    elif kind == "dots":
        other = tmp_path / "sub" / ".." / "a.png"
    elif kind == "symlink":
        other.symlink_to(picture)
    elif kind == "hard link":
        os.link(picture, other)
    else:
        (tmp_path / "link").symlink_to(tmp_path)
        other = tmp_path / "link" / "a.png"
    with pytest.raises(InputError) as error:
        check([picture], [other])
    assert str(picture) in str(error.value) and str(other) in str(error.value)
    with pytest.raises(InputError):
        check([other], [picture])


def test_input_that_does_not_exist_yet(tmp_path):
    with pytest.raises(InputError):
        check([tmp_path / "x" / "a"], [tmp_path / "y" / ".." / "x" / "a"])


def test_outputs_collide(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "b")  # its target does not exist
    with pytest.raises(InputError, match=r"output 1 .*link.* output 0 .*b"):
        check([], [tmp_path / "b", tmp_path / "link"])
    with pytest.raises(InputError):
        check([], [tmp_path / "new" / "b", tmp_path / "new" / "c" / ".." / "b"])


@pytest.mark.parametrize("insensitive", [False, True])
def test_case(tmp_path, monkeypatch, insensitive):
    monkeypatch.setattr(targets, "ignores_case", lambda folder: insensitive)
    pair = [tmp_path / "new" / "Ä.jpg", tmp_path / "NEW" / "a\N{COMBINING DIAERESIS}.JPG"]
    if insensitive:
        with pytest.raises(InputError):
            check([], pair)
    else:
        check([], pair)


def test_this_file_system(tmp_path):
    (tmp_path / "Aa").mkdir()
    assert targets.ignores_case(tmp_path / "Aa") == (tmp_path / "aA").exists()


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no /dev/null on this system")
def test_devices_and_impossible_names():
    check(["/dev/null"], ["/dev/null", "/dev/null"])
    check(["null\0character"], ["null\0character"])


def test_loop_of_links(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    check([tmp_path / "a"], [tmp_path / "b"])


def test_folder(tmp_path):
    with pytest.raises(InputError, match="folder"):
        check([], [tmp_path])
