"""Networks and their ONNX files for the tests of FaceBoxes."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def checkpoint(upstream: Path) -> Path:
    return upstream / "weights" / "FaceBoxesProd.pth"


@pytest.fixture(scope="session")
def onnx_file(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from FaceBoxes.export import export_onnx

    path = tmp_path_factory.mktemp("onnx") / "FaceBoxesProd.onnx"
    export_onnx(checkpoint, path)
    return path


@pytest.fixture(scope="session")
def random_network():
    """A network with random weights and statistics, for tests that need no trained one."""
    import torch

    from FaceBoxes.network import FaceBoxesNet

    generator = torch.Generator().manual_seed(7)
    network = FaceBoxesNet().eval()
    for name, value in network.state_dict().items():
        if name.endswith(("running_var", "bn.weight")):
            value.uniform_(0.5, 1.5, generator=generator)
        elif name.endswith(("running_mean", "bias")):
            value.uniform_(-0.5, 0.5, generator=generator)
    return network
