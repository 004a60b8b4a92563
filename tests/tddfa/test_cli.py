import gc
import logging
import os
import subprocess
import sys

import pytest

from tddfa.arguments import positive_int, true_or_false
from tddfa.cli import run_main
from tddfa.errors import InputError


def raising(error):
    def main():
        raise error

    return main


def test_success(capsys):
    assert run_main(lambda: 0) == 0
    assert capsys.readouterr() == ("", "")


def test_how_often_cycles_are_looked_for_is_its_own_affair():
    before, within = gc.get_threshold(), []
    assert run_main(lambda: within.append(gc.get_threshold()) or 0) == 0
    assert within[0] > before == gc.get_threshold()


def test_bad_input_is_one_line(capsys):
    assert run_main(raising(InputError("x.jpg: bad\n  reason"))) == 2
    assert capsys.readouterr() == ("", "error: x.jpg: bad reason\n")


def test_interrupt(capsys):
    assert run_main(raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
@pytest.mark.parametrize(
    "demo", ["demo.py", "demo_video.py", "demo_webcam.py", "demo_webcam_smooth.py"]
)
def test_help_on_any_terminal(project_root, encoding, demo):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [sys.executable, demo, "--help"], capture_output=True, cwd=project_root, env=environment
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"usage" in done.stdout


PRINT = """
import sys
from tddfa.cli import run_main
def main():
    print("\\u00fc \\u4f60 \\udcff")
    sys.stderr.write("\\u00fc\\n")
    for _ in range({lines}):
        print("line")
    return 0
sys.exit(run_main(main))
"""


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_names_that_the_terminal_cannot_show(project_root, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-c", PRINT.format(lines=0)]
    done = subprocess.run(command, capture_output=True, cwd=project_root, env=environment)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"udcff" in done.stdout


LIBRARY = """
import logging, os, sys
from tddfa.cli import run_main
def main():
    os.write(2, b"libpng warning\\n")
    logging.getLogger("tddfa").info("logged")
    if sys.argv[1:]:
        raise ZeroDivisionError
    return 3
code = run_main(main)
os.write(2, b"after\\n")
logging.getLogger("tddfa").info("logged later")
sys.exit(code)
"""


def test_c_libraries_stay_quiet(project_root):
    command = [sys.executable, "-c", LIBRARY]
    done = subprocess.run(command, capture_output=True, text=True, cwd=project_root)
    assert (done.returncode, done.stderr) == (3, "logged\nafter\nlogged later\n")
    done = subprocess.run([*command, "x"], capture_output=True, text=True, cwd=project_root)
    assert "Traceback" in done.stderr and "ZeroDivisionError" in done.stderr
    assert "libpng" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="descriptors of POSIX")
def test_without_stderr(project_root):
    command = (
        f"{sys.executable} -c 'from tddfa.cli import run_main; exit(run_main(lambda: 5))' 2>&-"
    )
    assert subprocess.run(["sh", "-c", command], cwd=project_root).returncode == 5


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
@pytest.mark.parametrize("lines", [0, 100_000])
def test_reader_that_went_away(project_root, lines):
    command = [sys.executable, "-c", PRINT.format(lines=lines)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=project_root, **pipes)
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(60) == 141
    assert b"Traceback" not in err and b"Exception ignored" not in err


def test_defects_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        run_main(raising(ZeroDivisionError()))


def test_libraries_stay_quiet():
    run_main(lambda: 0)
    assert not logging.getLogger("some.library").isEnabledFor(logging.INFO)
    assert logging.getLogger("tddfa.x").isEnabledFor(logging.INFO)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False), ("1", True)])
def test_true_or_false(text, value):
    assert true_or_false(text) is value


@pytest.mark.parametrize(
    ("parse", "text"), [(true_or_false, "maybe"), (positive_int, "0"), (positive_int, "-3")]
)
def test_argument_errors(parse, text):
    import argparse

    with pytest.raises(argparse.ArgumentTypeError, match=text):
        parse(text)
