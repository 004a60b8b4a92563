"""Every command in the documents is one that its program accepts; the examples' commands run."""

import argparse
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tddfa.commands import main as command

ROOT = Path(__file__).resolve().parent.parent
# Its names are made up; tests/test_extending.py makes them and runs the recipes.
EXTENDING = "docs/extending.md"
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "docs/*.md", "examples/*.md", "weights/*.md")
    for path in ROOT.glob(pattern)
    if path != ROOT / EXTENDING
)
SHELL_BLOCK = re.compile(r"```(?:sh|bash)\n(.*?)```", re.DOTALL)
PYTHON_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
# Commands within a sentence: those that begin as here and have an argument.
IN_A_SENTENCE = re.compile(r"`((?:python -m |python |\./build\.sh |demo\w*\.py |tddfa )[^`]+)`")
ELIDED = "…"
LOOP = {"for", "do", "done"}  # what is within is checked line by line
OTHER_PROGRAMS = {"ruff", "mypy", "pytest", "pre-commit", "npm", ".ci/run"}  # CI runs them
PIP_FLAGS = {"-e", "--no-deps", "-r", "requirements/run.txt"}
OPENCV = {"opencv-python", "opencv-python-headless"}


def in_blocks(text: str) -> Iterator[list[str]]:
    """Yield the commands of a document's blocks as words."""
    blocks = [block.replace("\\\n", " ") for block in SHELL_BLOCK.findall(text)]
    yield from commands(line for block in blocks for line in block.splitlines())


def in_sentences(text: str) -> Iterator[list[str]]:
    """Yield the commands that a document's sentences mention."""
    yield from commands(" ".join(span.split()) for span in IN_A_SENTENCE.findall(text))


def commands(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yield the commands in lines, without comments and variables."""
    for line in lines:
        words = shlex.split(line, comments=True)
        while words:
            end = words.index("&&") if "&&" in words else len(words)
            one = [word for i, word in enumerate(words[:end]) if i or "=" not in word]
            if one and ELIDED not in line and one[0] not in LOOP:
                yield one
            words = words[end + 1 :]


TEXTS = {name: (ROOT / name).read_text("utf-8") for name in DOCUMENTS}
DISTINCT = {tuple(words): name for name, text in TEXTS.items() for words in in_blocks(text)}
MENTIONED = {tuple(words) for text in TEXTS.values() for words in in_sentences(text)}


class ParsedError(Exception):
    """The arguments were accepted; nothing of what they ask for is done."""


@pytest.fixture
def parse_only(monkeypatch):
    """Let every parser stop the program once it has accepted the arguments."""
    original = argparse.ArgumentParser.parse_args

    def parse_args(self, *args, **keys):
        result = original(self, *args, **keys)
        if self.prog != command.PROG:  # which parses no further than the command's name
            raise ParsedError
        return result

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_args)
    monkeypatch.setattr(argparse.ArgumentParser, "exit", refuse)


def refuse(self, status=0, message=None):
    """Make a test failure of what ends a program."""
    raise AssertionError(message or f"exit code {status}")


def run_python(monkeypatch, words: list[str]) -> None:
    """Run a module or script as the interpreter does."""
    module = words[:1] == ["-m"]
    name, *arguments = words[module:]
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    if module:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(str(ROOT / name), run_name="__main__")


def test_there_are_commands():
    programs = {words[0] for words in DISTINCT}
    assert {"./build.sh", "pip", "python", "tddfa", ".venv/bin/python"} <= programs
    assert len(DISTINCT) > 40 and len(MENTIONED) > 10


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("words", sorted(MENTIONED), ids=" ".join)
def test_mentioned_command_is_accepted(parse_only, monkeypatch, capsys, words):
    """As a command of a block, but it may lack what it cannot do without."""
    try:
        test_command_is_accepted(parse_only, monkeypatch, words)
    except AssertionError as error:
        assert "the following arguments are required" in f"{capsys.readouterr().err}{error}"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # runpy: the module is imported already
@pytest.mark.parametrize("words", DISTINCT, ids=lambda words: " ".join(words)[:60])
def test_command_is_accepted(parse_only, monkeypatch, words):
    program, *arguments = words
    program = program.removeprefix(".venv/bin/")
    if program.endswith(".py"):
        program, arguments = "python", [program, *arguments]
    if program == "python" and arguments[:2] in (["-m", "pytest"], ["-m", "build"]):
        return
    if program == "python" and arguments == ["-m", "tddfa", "--version"]:
        with pytest.raises(AssertionError, match="exit code 0"):
            run_python(monkeypatch, arguments)
    elif program == "python":
        with pytest.raises(ParsedError):
            run_python(monkeypatch, arguments)
    elif program == "tddfa":
        with pytest.raises(ParsedError):
            command.main(arguments)
    elif program == "./build.sh":
        usage = (ROOT / "build.sh").read_text("utf-8")
        assert all(f"  {word} " in usage for word in arguments if word.startswith("-"))
    elif program == "pip":
        check_pip(arguments)
    else:
        assert program in OTHER_PROGRAMS, f"{DISTINCT[words]}: nothing checks '{program}'"


def check_pip(arguments: list[str]) -> None:
    """Check that what shall be installed exists."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = set(project["optional-dependencies"])
    packages = {re.split("[<>=]", line)[0] for name in extras for line in _extra(project, name)}
    assert arguments.pop(0) == "install"
    for word in arguments:
        found = re.fullmatch(r"\.(?:\[([\w,]+)\])?", word)
        if found is not None:
            assert set((found[1] or "").split(",")) - {""} <= extras, word
        else:
            assert word in PIP_FLAGS | OPENCV | packages, word


def _extra(project, name):
    return project["optional-dependencies"][name]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the commands are run: what a checkout has, and may be written to."""
    for name in ("configs", "weights"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "examples" / "inputs", tmp_path / "examples" / "inputs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


EXAMPLES = ROOT / "examples" / "inputs"
# Demos as scripts are slower to start; two of them show that they are pasted as they are.
RUN = dict.fromkeys(
    tuple(words)
    for name in ("README.md", "docs/commands.md")
    for words in in_blocks(TEXTS[name])
    if words[0] == "tddfa" and words[1] in ("image", "video")
)
PASTED = [
    words
    for words in in_blocks(TEXTS["README.md"])
    if words[0] == "python" and words[1].startswith("demo")
]
FACES = {"group.jpg": 4, "astronaut.png": 1, "closed_eyes.jpg": 1, "profile.jpg": 1, "clip.mp4": 1}


def check_report(folder: Path, words: Iterable[str], printed: str, before: set[Path]) -> None:
    """Check what a command says it found and wrote."""
    for word in words:
        count = FACES.get(Path(word).name)
        if count:
            assert f"{count} face{'s' if count > 1 else ''}" in printed
    made = {path for path in set(folder.rglob("*")) - before if path.is_file()}
    assert made
    places = re.findall(r"-> (.*)", printed)
    assert all((folder / place.strip()) in made for place in places) and places


def test_examples_are_told_of():
    """Every file in its README, and every face in `FACES`."""
    text = (EXAMPLES / "README.md").read_text("utf-8")
    names = {path.name for path in EXAMPLES.iterdir()} - {"README.md"}
    assert names == set(FACES)
    assert all(f"| `{name}` |" in text for name in names)


def test_every_example_is_used():
    used = {Path(word).name for words in [*RUN, *PASTED] for word in words}
    assert set(FACES) <= used
    assert len(RUN) > 6 and PASTED


@pytest.mark.parametrize("words", RUN, ids=" ".join)
def test_commands_run(folder, capsys, words):
    before = set(folder.rglob("*"))
    # Nobody is there to look at a window.
    extra = ["--show_flag", "false"] if words[1] == "image" else []
    assert command.main([*words[1:], *extra]) == 0
    check_report(folder, words, capsys.readouterr().out, before)


@pytest.mark.parametrize("words", PASTED, ids=" ".join)
def test_pasted_commands_run(folder, words):
    """As somebody does who has activated the environment and has no screen."""
    before = set(folder.rglob("*"))
    out = "made.mp4" if words[1] == "demo_video.py" else "made"
    script = [sys.executable, str(ROOT / words[1]), *words[2:], "--out", out]
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        script, capture_output=True, text=True, env=environment, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "cannot" not in done.stderr
    check_report(folder, words, done.stdout, before)


@pytest.mark.parametrize("code", PYTHON_BLOCK.findall(TEXTS["README.md"]))
def test_readme_code_runs(tmp_path, code):
    """In a folder that has what a checkout has, and may be written to."""
    for name in ("configs", "examples", "weights"):
        (tmp_path / name).symlink_to(ROOT / name)
    search_path = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", search_path + code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
