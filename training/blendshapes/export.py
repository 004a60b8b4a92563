"""The head's files: ``.pth`` with half-precision weights, and ``.onnx`` of the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from tddfa.arkit52 import NAMES
from tddfa.blendshape_head import BlendshapeHead, load_blendshape_head
from tddfa.checkpoints import save_checkpoint
from tddfa.errors import InputError
from tddfa.io.atomic import replacing
from tddfa.onnx_join import FEATURES
from tddfa.onnx_labels import PREFIX
from tddfa.onnx_writer import TOLERANCE
from tddfa.weight_labels import BLENDSHAPES, WeightLabels, file_sha256

# As PyTorch's exporter writes regressors.
_OPSET, _IR = 20, 10
OUTPUT = "blendshapes"


def export_head(head: BlendshapeHead, regressor: Path, checkpoint: Path) -> list[Path]:
    """Write a head; both files say on whose features it was trained.

    Parameters
    ----------
    head : BlendshapeHead
    regressor : Path
        ``.pth`` of the regressor.
    checkpoint : Path
        Target, ``.pth``; the ``.onnx`` lies beside it.

    Raises
    ------
    InputError
        If a file cannot be written, or ONNX Runtime's output differs from PyTorch's.
    """
    labels = WeightLabels(network=BLENDSHAPES, checkpoint=file_sha256(regressor))
    half = {k: v.half() if v.ndim > 1 else v for k, v in head.state_dict().items()}
    save_checkpoint(checkpoint, half, labels)
    rounded = load_blendshape_head(checkpoint)  # so that both hold the same weights
    target = checkpoint.with_suffix(".onnx")
    model = _as_onnx(rounded, labels)
    inputs = torch.rand(
        (3, rounded.fc_hidden.in_features), generator=torch.Generator().manual_seed(0)
    )
    with torch.inference_mode():
        expected = rounded(inputs).numpy()
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (found,) = session.run(None, {FEATURES: inputs.numpy()})
    if np.abs(found - expected).max() > TOLERANCE:
        raise InputError(f"'{target}': differs from PyTorch")
    with replacing(target) as temporary:
        temporary.write_bytes(model.SerializeToString())
    return [checkpoint, target]


def _as_onnx(head: BlendshapeHead, labels: WeightLabels) -> onnx.ModelProto:
    weights = [
        numpy_helper.from_array(value.numpy(), f"{OUTPUT}.{key}")
        for key, value in head.state_dict().items()
    ]
    rows: list[str | int | None] = ["batch", head.fc_hidden.in_features]
    graph = helper.make_graph(
        [
            helper.make_node(
                "Gemm",
                [FEATURES, f"{OUTPUT}.fc_hidden.weight", f"{OUTPUT}.fc_hidden.bias"],
                [f"{OUTPUT}.hidden"],
                f"{OUTPUT}.fc_hidden",
                transB=1,
            ),
            helper.make_node("Relu", [f"{OUTPUT}.hidden"], [f"{OUTPUT}.relu"], f"{OUTPUT}.relu"),
            helper.make_node(
                "Gemm",
                [f"{OUTPUT}.relu", f"{OUTPUT}.fc_shapes.weight", f"{OUTPUT}.fc_shapes.bias"],
                [f"{OUTPUT}.logits"],
                f"{OUTPUT}.fc_shapes",
                transB=1,
            ),
            helper.make_node("Sigmoid", [f"{OUTPUT}.logits"], [OUTPUT], f"{OUTPUT}.sigmoid"),
        ],
        OUTPUT,
        [helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, rows)],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", len(NAMES)])],
        weights,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR
    )
    helper.set_model_props(model, labels.as_dict(PREFIX))
    onnx.checker.check_model(model)
    return model
