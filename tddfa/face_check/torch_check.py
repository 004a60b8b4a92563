"""The face check in PyTorch."""

from pathlib import Path

import numpy as np
import torch

from tddfa.errors import InputError
from tddfa.face_check.check import FaceCheck
from tddfa.face_check.network import load_network
from tddfa.params import FloatArray


class TorchFaceCheck(FaceCheck):
    """Face check that runs in PyTorch.

    Parameters
    ----------
    checkpoint_fp : Path
        Its weights.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.

    Raises
    ------
    InputError
        If the file holds other weights, or the device is absent.
    """

    def __init__(self, checkpoint_fp: Path, device: str = "cpu") -> None:
        network = load_network(checkpoint_fp)
        try:
            self.network = network.to(device)
        except (RuntimeError, AssertionError) as error:  # what PyTorch raises for a missing GPU
            raise InputError(f"device: PyTorch has no '{device}' here") from error
        self.device = device

    def forward(self, crops: FloatArray) -> FloatArray:
        """Run the network on crops (n, 3, 120, 120); return its answers (n, 6)."""
        with torch.inference_mode():
            answers = self.network(torch.from_numpy(np.ascontiguousarray(crops)).to(self.device))
        return np.asarray(answers.cpu().numpy(), np.float32)
