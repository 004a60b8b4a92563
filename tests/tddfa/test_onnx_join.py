"""A regressor and a head as one network: what it computes, what is refused, where it is kept."""

import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.onnx_join import join, joined_onnx

NETWORK = "weights/mb1_120x120.onnx"
HEAD = "weights/mb1_120x120_blendshapes.onnx"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def outputs(path, crops):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return {
        node.name: value
        for node, value in zip(
            session.get_outputs(), session.run(None, {"input": crops}), strict=True
        )
    }


@pytest.mark.parametrize("network", [NETWORK, "weights/mb1_120x120.int8.onnx"])
def test_parameters_stay_and_coefficients_come(project_root, cache, network):
    crops = np.random.default_rng(0).uniform(-1, 1, (2, 3, 120, 120)).astype(np.float32)
    joined = joined_onnx(project_root / network, project_root / HEAD)
    plain, both = outputs(project_root / network, crops), outputs(joined, crops)
    assert list(both) == ["output", "blendshapes"] and list(plain) == ["output"]
    np.testing.assert_allclose(both["output"], plain["output"], atol=1e-5)
    assert both["blendshapes"].shape == (2, 52)
    assert (both["blendshapes"] >= 0).all() and (both["blendshapes"] <= 1).all()


def test_it_is_made_once_and_a_damaged_one_again(project_root, cache):
    first = joined_onnx(project_root / NETWORK, project_root / HEAD)
    whole = first.read_bytes()
    assert cache in first.parents
    first.write_bytes(whole[:1000])
    assert joined_onnx(project_root / NETWORK, project_root / HEAD) == first
    assert first.read_bytes() == whole


def test_a_cache_that_cannot_be_written_only_costs_time(project_root, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert joined_onnx(project_root / NETWORK, project_root / HEAD).is_file()


@pytest.mark.parametrize(
    ("network", "head", "message"),
    [
        ("weights/mb05_120x120.onnx", HEAD, "other features"),
        (NETWORK, NETWORK, "is a regressor"),
        (NETWORK, "weights/FaceBoxesProd.onnx", "is a face detector"),
        (NETWORK, "LICENSE", "expected a blendshape head"),
    ],
)
def test_what_does_not_belong_together(project_root, cache, network, head, message):
    with pytest.raises(InputError, match=message):
        joined_onnx(project_root / network, project_root / head)
    assert not list(cache.glob("**/*.onnx"))


@pytest.mark.parametrize("head", [b"", b"\x3a", b"\xff" * 40, b"not a network"])
def test_heads_that_are_none(head):
    with pytest.raises(ValueError):
        join(b"", head)
