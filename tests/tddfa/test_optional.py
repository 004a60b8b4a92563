import pytest

from tddfa.errors import InputError
from tddfa.optional import require


def test_what_is_there():
    require("a feature", "numpy", "cv2")
    require("a feature")


def test_what_is_missing_is_named_with_the_command():
    with pytest.raises(InputError, match=r"^flying needs wings_1: pip install numpy wings_1$"):
        require("flying", "numpy", "wings_1")


def test_every_way_to_pytorch_says_so(monkeypatch, tmp_path):
    from FaceBoxes import FaceBoxes
    from tddfa import TDDFA
    from tddfa.export_onnx import export_onnx

    monkeypatch.setattr("tddfa.optional.find_spec", lambda name: None)
    for call in (TDDFA, FaceBoxes):
        with pytest.raises(InputError, match=r"pip install torch$"):
            call()
    with pytest.raises(InputError, match=r"pip install torch onnx onnxscript$"):
        export_onnx(tmp_path / "x.pth", tmp_path / "x.onnx")
