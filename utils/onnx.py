"""Convert the regressor to ONNX, under the reference's name."""

from typing import Any

from tddfa.compat.arguments import configuration
from tddfa.config import Config
from tddfa.export_onnx import export_onnx


def convert_to_onnx(**kvs: Any) -> str:
    """Write a configuration's regressor as ``.onnx`` beside its checkpoint.

    Parameters
    ----------
    **kvs
        Keys of the configuration file; others are ignored with a warning.

    Returns
    -------
    str
        The file, which is written whole or not at all.

    Raises
    ------
    InputError
        If the checkpoint is missing or malformed, or the file cannot be written.
    """
    config = Config.from_mapping(configuration(kvs))
    checkpoint = config.find("checkpoint_fp")
    target = checkpoint.with_suffix(".onnx")
    export_onnx(checkpoint, target, config.size)
    return str(target)
