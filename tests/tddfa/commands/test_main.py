"""The command ``tddfa``: its table, help and errors, and the backend it takes."""

import argparse
import subprocess
import sys
from importlib import import_module

import pytest

import tddfa
from tddfa.arguments import add_model_arguments
from tddfa.commands import COMMANDS, Command
from tddfa.commands import main as command
from tddfa.errors import InputError
from tddfa.pipelines import build_pipeline


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as info:
        command.main(["--help"])
    assert info.value.code == 0
    out = capsys.readouterr().out
    for entry in COMMANDS:
        assert f"  {entry.name} " in out and entry.summary in out


def test_version(capsys):
    with pytest.raises(SystemExit) as info:
        command.main(["--version"])
    assert info.value.code == 0
    assert capsys.readouterr().out == f"tddfa {tddfa.__version__}\n"


def test_nothing_asked_for(capsys):
    assert command.main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "commands:" in captured.err


@pytest.mark.parametrize("words", [["nonsense"], ["--nonsense"], ["nonsense", "--help"]])
def test_unknown_commands(capsys, words):
    with pytest.raises(SystemExit) as info:
        command.main(words)
    assert info.value.code == 2
    assert "usage: tddfa" in capsys.readouterr().err


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_has_help_of_its_own(capsys, entry):
    with pytest.raises(SystemExit) as info:
        command.main([entry.name, "--help"])
    assert info.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: tddfa {entry.name} ")
    assert "demo" not in out and "exit codes:" in out


def test_a_new_command_is_a_line_in_the_table(monkeypatch, capsys):
    def main(argv, prog):
        raise InputError(f"{prog}: {argv}")

    module = type(sys)("new_command")
    module.main = main
    monkeypatch.setitem(sys.modules, "new_command", module)
    table = (*COMMANDS, Command("new", "new_command", "do something new"))
    monkeypatch.setattr(command, "COMMANDS", table)
    assert command.main(["new", "-x", "--version"]) == 2
    assert capsys.readouterr().err == "error: tddfa new: ['-x', '--version']\n"


def test_as_a_module(project_root):
    done = subprocess.run(
        [sys.executable, "-m", "tddfa", "--version"],
        cwd=project_root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"tddfa {tddfa.__version__}\n"


@pytest.mark.parametrize(
    ("default", "words", "expected"),
    [
        (True, [], True),
        (True, ["--torch"], False),
        (True, ["--mode", "gpu"], False),
        (False, [], False),
        (False, ["--onnx"], True),
        (False, ["--mode", "gpu"], False),
    ],
)
def test_backend(monkeypatch, default, words, expected):
    """Installed commands take ONNX Runtime unless they are told; the demos PyTorch."""
    built = []
    monkeypatch.setattr(
        "tddfa.face_aligner.FaceAligner", lambda config, **keys: built.append(keys["backend"])
    )
    parser = argparse.ArgumentParser()
    add_model_arguments(parser, onnx=default)
    build_pipeline(parser.parse_args(words))
    assert built == ["onnx" if expected else "torch"]


def test_two_backends_exclude_each_other(capsys):
    with pytest.raises(SystemExit):
        command.main(["image", "--onnx", "--torch"])
    assert "not allowed with" in capsys.readouterr().err


def test_picture_is_asked_for_where_there_is_no_example(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tddfa.commands.image_arguments.project_root", lambda: tmp_path)
    with pytest.raises(SystemExit):
        command.main(["image"])
    assert "-f/--img_fp" in capsys.readouterr().err


def test_modules_are_imported_when_they_are_called():
    """Help of the whole costs no import of networks."""
    code = "import sys; from tddfa.commands.main import build_parser; build_parser();"
    code += "print([name for name in ('cv2', 'numpy', 'onnxruntime') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    for entry in COMMANDS:
        assert callable(import_module(entry.module).main)
