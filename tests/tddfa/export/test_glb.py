"""Heads as glTF, read back by trimesh and by hand."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest

from tddfa import FaceAligner
from tddfa.arkit52 import NAMES
from tddfa.blendshapes import load_blendshapes
from tddfa.errors import InputError
from tddfa.export.glb import GlbBuilder
from tddfa.export.head_glb import Head, HeadMotion, neutral_vertices, write_heads
from tddfa.io.pictures import imread
from tddfa.make_output import save_faces
from tddfa.model_files import load_face_model


@pytest.fixture(scope="module")
def model():
    return load_face_model("configs/face_model.npz")


@pytest.fixture(scope="module")
def shapes():
    return load_blendshapes()


def read(path):
    """Return the JSON and a function from an accessor's number to its array."""
    data = path.read_bytes()
    magic, version, size = struct.unpack_from("<4sII", data)
    assert (magic, version, size) == (b"glTF", 2, len(data))
    length, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON"
    document = json.loads(data[20 : 20 + length])
    binary = data[28 + length :]

    def numbers(view, kind, width):
        item = document["bufferViews"][view]
        part = binary[item["byteOffset"] : item["byteOffset"] + item["byteLength"]]
        return np.frombuffer(part, kind).reshape(-1, width).squeeze()

    kinds = {5123: "<u2", 5125: "<u4", 5126: "<f4"}
    widths = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}

    def array(number):
        item = document["accessors"][number]
        width = widths[item["type"]]
        if "sparse" not in item:
            if "bufferView" not in item:
                return np.zeros((item["count"], width), np.float32)
            return numbers(item["bufferView"], kinds[item["componentType"]], width)
        sparse, out = item["sparse"], np.zeros((item["count"], width), np.float32)
        rows = numbers(
            sparse["indices"]["bufferView"], kinds[sparse["indices"]["componentType"]], 1
        )
        out[rows] = numbers(sparse["values"]["bufferView"], "<f4", width)
        return out

    return document, array


def head(model, motion=None, name="head", shape=()):
    texture = np.full((16, 16, 3), 120, np.uint8)
    weights = np.zeros(52, np.float32)
    weights[NAMES.index("jawOpen")] = 0.5
    return Head(name, neutral_vertices(model, shape), texture, weights, motion)


def motion(n=4):
    return HeadMotion(
        np.linspace(0, 1, n, dtype=np.float32),
        np.tile(np.float32([0, 0, 0, 1]), (n, 1)),
        np.zeros((n, 3), np.float32),
        np.random.default_rng(0).random((n, 52), np.float32),
    )


def test_base_mesh_and_targets_read_back_in_meters(tmp_path, model, shapes):
    path = tmp_path / "head.glb"
    write_heads(path, [head(model)], model, shapes)
    document, array = read(path)
    mesh = document["meshes"][0]
    primitive = mesh["primitives"][0]
    positions = array(primitive["attributes"]["POSITION"])
    np.testing.assert_allclose(positions * 1000, model.u.reshape(-1, 3), atol=1e-3)
    assert mesh["extras"]["targetNames"] == list(NAMES)
    assert mesh["weights"][NAMES.index("jawOpen")] == 0.5
    for k in (0, 17, 45, 51):
        moved = array(primitive["targets"][k]["POSITION"]) * 1000
        wanted = shapes.displacement(np.eye(52)[k])
        assert np.abs(moved - wanted).max() <= 0.1
    # Outward normals, and triangles counter-clockwise seen from outside: the nose faces +z.
    nose = model.landmark_vertices[30]
    assert array(primitive["attributes"]["NORMAL"])[nose, 2] > 0.5
    triangles = array(primitive["indices"]).reshape(-1, 3)
    corner = positions[triangles[(triangles == nose).any(1)][0]]
    assert np.cross(corner[1] - corner[0], corner[2] - corner[0])[2] > 0


def test_an_independent_reader_reads_it(tmp_path, model, shapes):
    trimesh = pytest.importorskip("trimesh")
    path = tmp_path / "head.glb"
    write_heads(path, [head(model), head(model, name="other")], model, shapes)
    scene = trimesh.load(path)
    assert len(scene.geometry) == 2
    mesh = next(iter(scene.geometry.values()))
    assert len(mesh.faces) == len(model.tri)
    assert 0.15 < np.ptp(mesh.vertices[:, 1]) < 0.35  # a head's height in meters
    assert mesh.visual.uv.min() > 0 and mesh.visual.uv.max() < 1


def test_an_animation_has_the_times_and_values_it_was_given(tmp_path, model, shapes):
    moved = motion()
    write_heads(tmp_path / "a.glb", [head(model, moved)], model, shapes)
    document, array = read(tmp_path / "a.glb")
    animation = document["animations"][0]
    found = {
        channel["target"]["path"]: animation["samplers"][channel["sampler"]]
        for channel in animation["channels"]
    }
    assert set(found) == {"rotation", "translation", "weights"}
    np.testing.assert_array_equal(array(found["weights"]["input"]), moved.times)
    np.testing.assert_array_equal(array(found["weights"]["output"]).reshape(-1, 52), moved.weights)
    np.testing.assert_array_equal(array(found["rotation"]["output"]), moved.rotations)


@pytest.mark.parametrize("rows", [[], [0], [3, 7], list(range(10))])
def test_bounds_of_sparse_accessors_count_the_zeros(tmp_path, rows):
    file = GlbBuilder("test")
    values = np.full((len(rows), 3), 2.0, np.float32)
    file.sparse(10, np.array(rows, np.int64), values)
    item = file.document["accessors"][0]
    assert item["min"] == ([2.0] * 3 if len(rows) == 10 else [0.0] * 3)
    assert item["max"] == ([2.0] * 3 if rows else [0.0] * 3)
    assert item["count"] == 10


def test_another_mesh_is_refused_and_nothing_is_written(tmp_path, model, shapes):
    other = replace(model, tri=type(model.tri)(np.asarray(model.tri)[::-1], uv=model.tri.uv))
    with pytest.raises(InputError, match="open face model"):
        write_heads(tmp_path / "x.glb", [head(model)], other, shapes)
    assert not list(tmp_path.iterdir())


def test_a_pictures_face_keeps_its_expression_as_weights(tmp_path):
    image = imread("examples/inputs/astronaut.png")
    faces = FaceAligner()(image)
    save_faces(tmp_path / "head.glb", image, faces)
    document, array = read(tmp_path / "head.glb")
    mesh = document["meshes"][0]
    weights = dict(zip(mesh["extras"]["targetNames"], mesh["weights"], strict=True))
    assert weights["mouthSmileLeft"] > 0.2 and weights["mouthSmileRight"] > 0.2
    assert weights["eyeBlinkLeft"] < 0.3
    positions = array(mesh["primitives"][0]["attributes"]["POSITION"])
    alpha = faces[0].param[12:52]
    np.testing.assert_allclose(positions * 1000, neutral_vertices(faces[0].model, alpha), atol=1e-2)
