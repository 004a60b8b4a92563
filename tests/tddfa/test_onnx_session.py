import sys
import types
from pathlib import Path

import pytest

from tddfa.errors import InputError
from tddfa.onnx_session import open_session, provider_names

GPU = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (None, [CPU]),
        ([], [CPU]),
        (["cuda"], [GPU]),
        ("CUDA", [GPU]),
        ([GPU, "cpu"], [GPU, CPU]),
        (["cpuexecutionprovider"], [CPU]),
        (["MyExecutionProvider"], ["MyExecutionProvider"]),
    ],
)
def test_names(wanted, names):
    assert provider_names(wanted, [GPU, "MyExecutionProvider", CPU]) == names


@pytest.mark.parametrize(
    ("wanted", "package"),
    [
        ("cuda", "pip install onnxruntime-gpu"),
        ("TensorRT", "pip install onnxruntime-gpu"),
        ("dml", "pip install onnxruntime-directml"),
        ("openvino", "pip install onnxruntime-openvino"),
    ],
)
def test_what_to_install(wanted, package):
    with pytest.raises(InputError, match=f"ExecutionProvider.*{CPU}: {package}$"):
        provider_names([wanted], [CPU])


def test_unknown_name():
    with pytest.raises(InputError, match=f"^providers: 'abacus' is not among {CPU}$"):
        provider_names(["abacus"], [CPU])


class Options(types.SimpleNamespace):
    """Session options that keep what they are told."""

    def add_session_config_entry(self, key, value):
        setattr(self, key, value)


@pytest.fixture
def runtime(monkeypatch):
    """Stand in for an ONNX Runtime that was built for a GPU."""
    module = types.SimpleNamespace(started=[GPU, CPU], error=None)

    class Session:
        def __init__(self, path, options=None, providers=()):
            self.providers = list(providers)
            if module.error and providers[0] in module.error:
                raise RuntimeError("[ONNXRuntimeError]\nmany lines")

        def get_providers(self):
            return [name for name in module.started if name in (*self.providers, CPU)]

    module.SessionOptions = Options
    module.disable_telemetry_events = lambda: None
    module.InferenceSession = Session
    module.get_available_providers = lambda: [GPU, CPU]
    monkeypatch.setitem(sys.modules, "onnxruntime", module)
    return module


def test_gpu_is_used(runtime):
    session = open_session(Path("net.onnx"), ["cuda"])
    assert session.providers == [GPU]


def test_gpu_that_does_not_start_is_never_replaced_in_silence(runtime):
    runtime.started = [CPU]
    with pytest.raises(InputError, match=f"cannot start {GPU}"):
        open_session(Path("net.onnx"), ["cuda"])


def test_network_that_the_gpu_cannot_run(runtime):
    runtime.error = {GPU}
    with pytest.raises(InputError, match=rf"net\.onnx.*cannot be run by {GPU}"):
        open_session(Path("net.onnx"), ["cuda"])
    runtime.error = {GPU, CPU}
    with pytest.raises(InputError, match=r"net\.onnx.*expected an ONNX network"):
        open_session(Path("net.onnx"), ["cuda"])
