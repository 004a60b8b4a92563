"""Write the FaceBoxes network as an ONNX file."""

from dataclasses import replace
from pathlib import Path

import torch

from FaceBoxes.inference_network import InferenceNet
from FaceBoxes.network import FaceBoxesNet, load_network
from tddfa.onnx_writer import write_onnx
from tddfa.weight_labels import DETECTOR, WeightLabels, file_sha256


def export_onnx(network: FaceBoxesNet | str | Path, onnx_path: str | Path) -> float:
    """Write a network as an ONNX file for `FaceBoxes.onnx_detector.FaceBoxes_ONNX`.

    The file has the input ``input`` (N, 3, H, W) and the outputs ``loc`` (N, P, 4) and ``conf``
    (N, P, 2) with free N, H and W, holds its weights inside, and appears only when it is complete.

    Parameters
    ----------
    network : FaceBoxesNet, str or Path
        The network, or its checkpoint.
    onnx_path : str or Path
        File to write.

    Returns
    -------
    float
        Largest absolute difference to PyTorch's outputs on random pictures.

    Raises
    ------
    InputError
        If the checkpoint is not one of FaceBoxes, the file cannot be written, or its outputs
        differ from PyTorch's by more than 1e-4.
    """
    labels = WeightLabels(network=DETECTOR)
    if not isinstance(network, FaceBoxesNet):
        labels = replace(labels, checkpoint=file_sha256(Path(network)))
        network = load_network(network)
    return write_onnx(
        InferenceNet(network).cpu(),
        example_inputs(),
        onnx_path,
        output_names=("loc", "conf"),
        free_axes=(0, 2, 3),
        labels=labels,
    )


def example_inputs() -> list[torch.Tensor]:
    """Return random pictures to trace and to check with."""
    generator = torch.Generator().manual_seed(0)
    # The first example has three different sizes above 1, lest the exporter take any for constant.
    shapes = ((2, 3, 200, 300), (1, 3, 97, 131))
    return [torch.rand(shape, generator=generator) * 255 - 128 for shape in shapes]
