import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from tddfa.errors import InputError
from tddfa.io.atomic import atomic_write


def assert_one_line(error, *parts):
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert str(part) in message


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_full_device():
    with pytest.raises(InputError) as error:
        imwrite_to_full_device()
    assert_one_line(error, "/dev/full", "No space left")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def imwrite_to_full_device():
    with atomic_write("/dev/full") as file:
        file.write(b"x" * 100_000)


def test_full_disk_keeps_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(InputError) as error, atomic_write(path, "w") as file:
        file.write("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert_one_line(error, path, "No space left")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_interrupt_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), atomic_write(tmp_path / "a") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_symbolic_link_is_followed(tmp_path):
    (tmp_path / "target.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "target.txt")
    with atomic_write(tmp_path / "link.txt", "w") as file:
        file.write("new\n")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "target.txt").read_bytes() == b"new\n"


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be replaced")
def test_whoever_reads_meanwhile_has_the_old_file_whole(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old" * 100)
    with path.open("rb", buffering=0) as reader:
        start = reader.read(3)
        with atomic_write(path) as file:
            file.write(b"new" * 10)
            file.flush()
            assert path.read_bytes() == b"old" * 100
        assert start + reader.read() == b"old" * 100
    assert path.read_bytes() == b"new" * 10
