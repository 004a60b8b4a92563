"""The face check in ONNX Runtime; never imports PyTorch."""

from pathlib import Path

import numpy as np

from tddfa.errors import InputError
from tddfa.face_check.check import SIZE, FaceCheck
from tddfa.face_check.looks import OUTPUTS
from tddfa.onnx_session import open_session
from tddfa.params import FloatArray
from tddfa.rebuilt import RebuiltFromArguments


class OnnxFaceCheck(RebuiltFromArguments, FaceCheck):
    """Face check that runs in ONNX Runtime, on one thread of the CPU.

    It is so small that more threads, or a GPU, would cost more than they save. It can be pickled
    and copied: the copy opens the network anew.

    Parameters
    ----------
    onnx_fp : Path
        Network written by `tddfa.face_check.export.export_onnx`.

    Raises
    ------
    InputError
        If the file is no face check.
    """

    def __init__(self, onnx_fp: Path) -> None:
        self.arguments = {"onnx_fp": onnx_fp}
        self.session = open_session(onnx_fp, num_threads=1)
        node = self.session.get_inputs()[0]
        shape = self.session.get_outputs()[0].shape
        if len(node.shape) != 4 or node.shape[1:] != [3, SIZE, SIZE] or shape[1:] != [OUTPUTS]:
            raise InputError(f"'{onnx_fp}': expected a face check, got {node.shape} to {shape}")
        self._input_name = node.name

    def forward(self, crops: FloatArray) -> FloatArray:
        """Run the network on crops (n, 3, 120, 120); return its answers (n, 6)."""
        (answers,) = self.session.run(None, {self._input_name: crops})
        return np.asarray(answers, np.float32)
