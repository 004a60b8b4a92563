"""Convert the detector to ONNX, under the reference's name."""

from pathlib import Path

from FaceBoxes.detector import default_checkpoint
from FaceBoxes.export import export_onnx


def convert_to_onnx(onnx_path: str | Path | None = None) -> str:
    """Write the default weights as an ONNX file, whole or not at all.

    Parameters
    ----------
    onnx_path : path-like, optional
        File to write; by default beside the weights.

    Returns
    -------
    str
        The file.
    """
    checkpoint = default_checkpoint()
    target = Path(onnx_path) if onnx_path is not None else checkpoint.with_suffix(".onnx")
    export_onnx(checkpoint, target)
    return str(target)
