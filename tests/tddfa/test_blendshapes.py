"""ARKit's 52 movements on the face model's mesh."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tddfa.arkit52 import NAMES, mirrored
from tddfa.blendshapes import FILE, ExpressionFit, bounded_fit, load_blendshapes
from tddfa.errors import InputError
from tddfa.face_aligner import FaceAligner
from tddfa.model_files import load_face_model


@pytest.fixture(scope="module")
def shapes():
    return load_blendshapes()


@pytest.fixture(scope="module")
def model():
    return load_face_model("configs/face_model.npz")


def at(*names, value=1.0):
    out = np.zeros(len(NAMES), np.float32)
    for name in names:
        out[NAMES.index(name)] = value
    return out


def test_they_belong_to_the_face_model_by_its_triangles(shapes, model):
    assert shapes.belong_to(model)
    other = type(model.tri)(np.asarray(model.tri)[::-1])
    assert not shapes.belong_to(replace(model, tri=other))


@pytest.mark.parametrize("name", [n for n in NAMES if n != "tongueOut"])
def test_each_moves_something_and_its_mirror_image_is_its_partner(shapes, model, name):
    moved = shapes.displacement(at(name))
    assert np.linalg.norm(moved, axis=1).max() > 1
    partner = shapes.displacement(at(mirrored(name)))
    np.testing.assert_allclose(moved[model.mirror] * [-1, 1, 1], partner, atol=0.035)


@pytest.mark.parametrize(
    "name", [n for n in NAMES if n.startswith(("eye", "brow")) and n.endswith("Left")]
)
def test_left_and_right_are_apart(shapes, model, name):
    x = model.u.reshape(-1, 3)[:, 0]
    size = np.linalg.norm(shapes.displacement(at(name)), axis=1)
    assert size[x < -15].max() < 0.1 * size.max()


def test_signs(shapes, model):
    lip = model.landmark_vertices
    assert shapes.displacement(at("jawOpen"))[lip[8], 1] < -15  # the chin goes down
    assert shapes.displacement(at("jawLeft"))[lip[8], 0] > 3  # to the subject's left
    assert shapes.displacement(at("browInnerUp"))[lip[21], 1] > 2
    corner = shapes.displacement(at("mouthSmileLeft"))[lip[54]]
    assert corner[0] > 2 and corner[1] > 2  # out and up


def test_a_blink_shuts_the_mean_faces_eye(shapes, model):
    with np.load("configs/face_model.npz") as file:
        left = file["lid_probes"][0]
    u = model.u.reshape(-1, 3)
    gap = (u[left[:, 0], 1] - u[left[:, 1], 1]).max()
    shut = u + shapes.displacement(at("eyeBlinkLeft"))
    assert gap > 5
    assert abs(shut[left[:, 0], 1] - shut[left[:, 1], 1]).max() < 0.06 * gap


def test_a_fit_finds_what_was_mixed(shapes):
    truth = at("jawOpen", "eyeBlinkRight", "mouthSmileLeft", value=0.6)
    found = bounded_fit(shapes.gram, (truth @ shapes.gram)[None])[0]
    left = shapes.displacement(truth) - shapes.displacement(found)
    assert np.sqrt((left**2).sum() / (shapes.displacement(truth) ** 2).sum()) < 0.1
    assert found[truth > 0].min() > 0.45
    assert found.min() >= 0 and found.max() <= 1


@pytest.mark.parametrize(
    ("component", "value", "name"),
    [
        ("jaw_open", 1, "jawOpen"),
        ("blink_left", 1, "eyeBlinkLeft"),
        ("smile", 1, "mouthSmileRight"),
    ],
)
def test_an_expression_of_the_model_becomes_its_movement(shapes, model, component, value, name):
    params = np.zeros((2, 62), np.float32)
    number = model.exp_names.index(component)
    params[1, 52 + number] = value * model.exp_range[number, 1]
    neutral, found = ExpressionFit.of(shapes, model)(params)
    assert neutral.max() < 0.02
    assert found[NAMES.index(name)] > 0.35
    assert found[NAMES.index("mouthClose")] <= found[NAMES.index("jawOpen")] + 1e-6


@pytest.mark.parametrize("count", [0, 51, 53])
def test_a_wrong_number_of_coefficients_is_refused(shapes, count):
    with pytest.raises(InputError, match="52 coefficients"):
        shapes.displacement(np.zeros(count))


@pytest.mark.parametrize("how", ["empty", "cut", "other", "indices"])
def test_a_damaged_file_is_named(tmp_path, how):
    path = tmp_path / "shapes.npz"
    data = Path(FILE).read_bytes()
    if how == "empty":
        path.write_bytes(b"")
    elif how == "cut":
        path.write_bytes(data[: len(data) // 2])
    else:
        with np.load(FILE) as file:
            arrays = dict(file)
        if how == "other":
            arrays["names"] = arrays["names"][::-1]
        else:
            arrays["n_vertices"] = np.array(1000)
        np.savez(path, **arrays)
    with pytest.raises(InputError, match=r"shapes\.npz: expected a file of blendshapes"):
        load_blendshapes(path)


def test_who_does_not_ask_for_them_opens_neither_head_nor_displacements(monkeypatch):
    def refuse(*_):
        raise AssertionError("read without being asked for")

    monkeypatch.setattr("tddfa.blendshapes.load_blendshapes", refuse)
    monkeypatch.setattr("tddfa.network_files.joined_onnx", refuse)
    aligner = FaceAligner("configs/mb1_120x120.yml")
    assert [output.name for output in aligner.aligner.session.get_outputs()] == ["output"]
    with pytest.raises(AssertionError, match="without being asked"):
        FaceAligner("configs/mb1_120x120.yml", blendshapes=True)
