"""Writing networks as ONNX files, where the exporter itself fails."""

import pytest
import torch

from tddfa.onnx_writer import write_onnx

RACE = SystemError("AST constructor recursion depth mismatch (before=168, after=72)")


def failing(times, error):
    """An exporter that fails so many times, as if wrapped by the one it stands for."""
    real, calls = torch.onnx.export, []

    def export(*args, **kwargs):
        calls.append(1)
        if len(calls) <= times:
            raise RuntimeError("export failed") from error
        return real(*args, **kwargs)

    return export, calls


def write(path):
    network = torch.nn.Linear(3, 2).eval()
    return write_onnx(network, [torch.ones(2, 3)], path, output_names=("output",))


def test_the_race_of_parsers_is_survived_once(monkeypatch, tmp_path):
    export, calls = failing(1, RACE)
    monkeypatch.setattr(torch.onnx, "export", export)
    assert write(tmp_path / "a.onnx") < 1e-4
    assert len(calls) == 2


@pytest.mark.parametrize(("times", "error"), [(2, RACE), (1, SystemError("other")), (1, None)])
def test_other_failures_are_told(monkeypatch, tmp_path, times, error):
    export, calls = failing(times, error)
    monkeypatch.setattr(torch.onnx, "export", export)
    with pytest.raises(RuntimeError, match="export failed"):
        write(tmp_path / "a.onnx")
    assert len(calls) == times and not list(tmp_path.iterdir())
