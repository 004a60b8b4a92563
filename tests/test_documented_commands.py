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

import numpy as np
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
OPENCV = {"opencv-python", "opencv-contrib-python", "opencv-python-headless"}


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
    else:  # the interpreter finds modules beside a script
        monkeypatch.syspath_prepend(str((ROOT / name).parent))
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


# Documents whose commands work on pictures and clips that anybody has.
WORKED_ON = ("install", "backends", "datasets", "records", "video", "live", "avatars")
# What needs a camera, a cluster or a store: each has tests of its own.
OUT_OF_REACH = ("rtsp://", "s3://", "--ray", "--virtual_camera")
# From here on the documents' clips are cut.
FIRST_OF_A_CUT = 100


def within_reach() -> Iterator[tuple[str, ...]]:
    """Yield the commands of documents that can run on files alone."""
    for name in WORKED_ON:
        text = TEXTS[f"docs/{name}.md"]
        for words in dict.fromkeys(map(tuple, (*in_blocks(text), *in_sentences(text)))):
            program = words[1] if words[0] == "python" else words[0]
            works = program.startswith("demo") or words[:2] in LABEL_AND_VIDEO
            fed = {"-f", "--source"} & set(words) or words[:2] == ("tddfa", "label")
            away = any(word.startswith(OUT_OF_REACH) for word in words)
            if works and fed and not away and len(words) > 2:
                yield words


LABEL_AND_VIDEO = (("tddfa", "label"), ("tddfa", "video"), ("tddfa", "image"))
RUNNING = list(dict.fromkeys(within_reach()))


def test_few_commands_are_out_of_reach():
    """The list below is most of what these documents have; nothing drops out of it unseen."""
    assert len(RUNNING) >= 18
    assert {words[1] for words in RUNNING} >= {"demo.py", "demo_video.py", "label", "video"}


@pytest.fixture
def material(tmp_path, monkeypatch, make_video):
    """What the documents' commands name: pictures, clips, an archive, a list."""
    import tarfile

    import cv2

    from tddfa.io.pictures import imread

    source = ROOT / "examples" / "inputs" / "astronaut.png"
    portrait = imread(source)
    head = np.ascontiguousarray(portrait[:240, 100:340])
    for name in ("photos", "shots", "films", "shards"):
        (tmp_path / name).mkdir()
    for name in ("photo.jpg", "photos/a.png"):
        shutil.copy(source, tmp_path / name)
    clip = (np.roll(head, n // 8, axis=1) for n in range(FIRST_OF_A_CUT + 3))
    make_video(tmp_path / "clip.mp4", clip)
    make_video(tmp_path / "films" / "film.mp4", [portrait] * 30)
    for number in range(3):
        cv2.imwrite(str(tmp_path / "shots" / f"frame_{number:04d}.png"), head)
    with tarfile.open(tmp_path / "shards" / "a.tar", "w") as archive:
        archive.add(source, "photo.png")
    (tmp_path / "list.txt").write_text("photo.jpg\n", "utf-8")
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("words", RUNNING, ids=lambda words: " ".join(words)[:70])
def test_command_of_a_document_runs(material, monkeypatch, capsys, words):
    """Where the document names no target, one is named, so that nothing lands in the checkout."""
    for option, package in (("openvino", "openvino"), ("torch", "torch"), ("--vmc", "pythonosc")):
        if option in words:
            pytest.importorskip(package)
    if {"label", "faces.parquet"} & set(words):
        pytest.importorskip("pyarrow")
    program, *arguments = words[1:] if words[0] == "python" else words
    before = set(material.rglob("*"))
    if program == "demo_webcam.py":
        arguments += ["--headless"]
    elif program.startswith("demo"):
        target = "drawn.jpg" if program == "demo.py" else "drawn.mp4"
        arguments += [] if "--out" in arguments else ["--out", target]
        arguments += ["--show_flag", "false"] if program == "demo.py" else []
    if program == "tddfa":
        extra = {"image": ["--show_flag", "false"], "label": ["--workers", "1"]}
        assert command.main([*arguments, *extra.get(arguments[0], [])]) == 0
    else:
        with pytest.raises(SystemExit) as ended:
            run_python(monkeypatch, [program, *arguments])
        assert not ended.value.code, capsys.readouterr().err
    made = {path for path in set(material.rglob("*")) - before if path.is_file()}
    assert all(path.stat().st_size for path in made)
    named = [arguments[i + 1] for i, word in enumerate(arguments) if word in TARGETS]
    assert made or "--headless" in arguments
    assert all(
        list(material.glob(re.sub("%0?[0-9]*d", "*", name).replace(".glb", "*.glb")))
        for name in named
    )


TARGETS = {"--out", "--save_params", "--animation"}
