"""Write the face check's network as an ONNX file."""

from dataclasses import replace
from pathlib import Path

import torch

from tddfa.face_check.check import SIZE
from tddfa.face_check.network import FaceCheckNet, load_network
from tddfa.onnx_writer import write_onnx
from tddfa.weight_labels import FACE_CHECK, WeightLabels, file_sha256


def export_onnx(network: FaceCheckNet | str | Path, onnx_path: str | Path) -> float:
    """Write a network, or a checkpoint of one, for `tddfa.face_check.onnx_check`.

    Returns
    -------
    float
        Largest absolute difference to PyTorch's outputs on random crops.

    Raises
    ------
    InputError
        If the checkpoint is of another network, the file cannot be written, or its outputs differ
        from PyTorch's by more than 1e-4.
    """
    labels = WeightLabels(network=FACE_CHECK)
    if not isinstance(network, FaceCheckNet):
        labels = replace(labels, checkpoint=file_sha256(Path(network)))
        network = load_network(network)
    return write_onnx(
        network.eval(), example_inputs(), onnx_path, output_names=("output",), labels=labels
    )


def example_inputs() -> list[torch.Tensor]:
    """Return random crops to trace and to check with."""
    generator = torch.Generator().manual_seed(0)
    return [torch.rand((n, 3, SIZE, SIZE), generator=generator) * 2 - 1 for n in (2, 1, 3)]
