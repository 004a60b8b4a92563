import numpy as np
import pytest
import trimesh
from scipy.ndimage import map_coordinates

from tddfa.drawing.uv import uv_tex
from tddfa.errors import InputError
from tddfa.export.serialization import ser_to_obj, ser_to_ply
from tddfa.io.pictures import imread

VERTICES = np.array([[1.0, 2.5, -3.125], [10.0, 20.125, 30.0], [0.0, -0.001, 99.999]], np.float32)
TRIANGLES = np.array([[0, 1, 2]], np.int32)


def pixels(height=40, width=30):
    rng = np.random.default_rng(2)
    return rng.integers(0, 256, (height, width, 3), np.uint8)


def outward(mesh):
    return mesh.face_normals[mesh.area_faces > 1e-3, 2]


# --------------------------------------------------------------------------------------- no faces


@pytest.mark.parametrize("binary", [False, True])
def test_no_face(tmp_path, binary):
    """No face is an answer: the file is there, other programs can read it, and it is empty."""
    ser_to_ply([], TRIANGLES, 40, tmp_path / "a.ply", binary=binary)
    ser_to_obj(pixels(), [], TRIANGLES, 40, tmp_path / "a.obj")
    texture = np.zeros((8, 8, 3), np.uint8)
    ser_to_obj(pixels(), [], TRIANGLES, 40, tmp_path / "b.obj", texture=texture)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.obj", "a.ply", "b.obj"]
    header = (tmp_path / "a.ply").read_bytes()
    assert header.startswith(b"ply\n") and header.endswith(b"end_header\n")
    assert b"element vertex 0\n" in header and b"element face 0\n" in header
    for path in tmp_path.iterdir():
        assert not trimesh.load_scene(path).geometry


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_meshes_write_nothing(tmp_path, value):
    bad = VERTICES.copy()
    bad[1, 1] = value
    other = np.zeros((3, 4), np.float32)
    for faces, tri in [
        ([VERTICES, bad], TRIANGLES),
        ([VERTICES], TRIANGLES + 1),
        ([VERTICES], TRIANGLES - 1),
        ([VERTICES], TRIANGLES.astype(float)),
        ([VERTICES, other], TRIANGLES),
        ([VERTICES[:2]], TRIANGLES),
    ]:
        with pytest.raises(InputError):
            ser_to_ply(faces, tri, 40, tmp_path / "a.ply")
        with pytest.raises(InputError):
            ser_to_ply(faces, tri, 40, tmp_path / "a.ply", binary=True)
        with pytest.raises(InputError):
            ser_to_obj(pixels(), faces, tri, 40, tmp_path / "a.obj")
    assert list(tmp_path.iterdir()) == []


def test_unwritable(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        ser_to_ply([VERTICES], TRIANGLES, 40, tmp_path / "file" / "a.ply")


# ---------------------------------------------------------------------------- line by line, by hand


def test_ply_line_by_line(tmp_path):
    ser_to_ply([VERTICES, VERTICES + 1], TRIANGLES, 40, tmp_path / "a.ply")
    assert (tmp_path / "a.ply").read_bytes().decode().splitlines() == [
        "ply",
        "format ascii 1.0",
        "element vertex 6",
        "property float x",
        "property float y",
        "property float z",
        "element face 2",
        "property list uchar int vertex_indices",
        "end_header",
        "1.00 30.00 0.00",
        "2.50 19.88 -0.00",
        "-3.12 10.00 100.00",
        "2.00 29.00 1.00",
        "3.50 18.88 1.00",
        "-2.12 9.00 101.00",
        "3 2 1 0",
        "3 5 4 3",
    ]


def test_ply_keeps_the_order_if_asked(tmp_path):
    ser_to_ply([VERTICES], TRIANGLES, 40, tmp_path / "a.ply", reverse=False)
    assert (tmp_path / "a.ply").read_text().splitlines()[-1] == "3 0 1 2"


def test_obj_line_by_line(tmp_path):
    img = np.zeros((40, 30, 3), np.uint8)
    img[10, 1] = 255, 51, 0
    img[20, 2] = 0, 0, 102  # (2.5, 20.125): ties go to the even pixel
    img[30, 0] = 26, 128, 230  # x = -3.125 takes the border
    ser_to_obj(img, [VERTICES, VERTICES], TRIANGLES, 40, tmp_path / "a.obj")
    vertices = [
        "v 1.00 30.00 0.00 0.00 0.20 1.00",
        "v 2.50 19.88 -0.00 0.40 0.00 0.00",
        "v -3.12 10.00 100.00 0.90 0.50 0.10",
    ]
    lines = (tmp_path / "a.obj").read_bytes().decode().splitlines()
    assert lines == [*vertices, *vertices, "f 3 2 1", "f 6 5 4"]


def test_inputs_are_left_alone(tmp_path):
    vertices, tri = np.asfortranarray(VERTICES), TRIANGLES.copy()
    ser_to_ply([vertices], tri, 40, tmp_path / "a.ply")
    ser_to_obj(pixels(), [vertices], tri, 40, tmp_path / "a.obj")
    np.testing.assert_array_equal(vertices, VERTICES)
    np.testing.assert_array_equal(tri, TRIANGLES)


# ------------------------------------------------------------------------- an independent reader


@pytest.mark.parametrize("n_faces", [1, 3])
@pytest.mark.parametrize("kind", ["ply", "binary.ply", "obj"])
def test_trimesh_opens_it(tmp_path, bump, n_faces, kind):
    shapes = [bump(center=(50.0 + 40 * k, 40.0)) for k in range(n_faces)]
    faces, tri = [shape[0] for shape in shapes], shapes[0][1]
    img = pixels(90, 160)
    path = tmp_path / f"a.{kind}"
    if kind == "obj":
        ser_to_obj(img, faces, tri, len(img), path)
    else:
        ser_to_ply(faces, tri, len(img), path, binary="binary" in kind)
    mesh = trimesh.load(path, process=False)
    expected = np.concatenate(faces, axis=1).T * [1, -1, 1] + [0, len(img), 0]
    np.testing.assert_allclose(mesh.vertices, expected, atol=2e-5 if "binary" in kind else 0.0051)
    assert len(mesh.faces) == n_faces * len(tri)
    assert mesh.body_count == n_faces
    assert mesh.is_winding_consistent
    assert (outward(mesh) > 0).all()
    if kind == "obj":
        columns, rows = np.rint(np.concatenate(faces, axis=1)[:2]).astype(int)
        colors = mesh.visual.vertex_colors[:, :3].astype(int)
        assert np.abs(colors - img[rows, columns, ::-1]).max() <= 2


def test_binary_and_ascii_agree_on_faces(tmp_path, faces, model, picture):
    height = len(picture)
    ser_to_ply(faces, model.tri, height, tmp_path / "a.ply")
    ser_to_ply(faces, model.tri, height, tmp_path / "b.ply", binary=True)
    ascii_mesh, binary_mesh = (trimesh.load(tmp_path / f"{n}.ply", process=False) for n in "ab")
    np.testing.assert_array_equal(ascii_mesh.faces, binary_mesh.faces)
    np.testing.assert_allclose(ascii_mesh.vertices, binary_mesh.vertices, atol=0.00501)
    assert ascii_mesh.vertices.shape == (2 * 38_365, 3)
    assert ascii_mesh.faces.shape == (2 * 76_073, 3)
    # The nose and cheeks look at the viewer; the mesh also has the inside of the mouth.
    assert binary_mesh.area_faces @ np.sign(binary_mesh.face_normals[:, 2]) > 0
    consistent = [
        trimesh.Trimesh(f.T, model.tri[:, ::-1], process=False).is_winding_consistent for f in faces
    ]
    assert binary_mesh.is_winding_consistent == all(consistent)


@pytest.mark.parametrize("n_faces", [1, 2])
def test_textured_obj(tmp_path, bump, n_faces):
    img = np.zeros((90, 160, 3), np.uint8)
    img[:, :, 0] = np.linspace(0, 255, 160)
    img[:, :, 2] = np.linspace(0, 255, 90)[:, None]
    shapes = [bump(center=(50.0 + 40 * k, 40.0)) for k in range(n_faces)]
    faces, tri, uv = [shape[0] for shape in shapes], *shapes[0][1:]
    texture = uv_tex(img, faces, tri, uv=uv, uv_h=64, uv_w=48)
    path = tmp_path / "my face.obj"
    ser_to_obj(img, faces, tri, len(img), path, uv=uv, texture=texture)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == ["my face.obj", "my_face.mtl", "my_face.png"]
    covered = texture.any(axis=2)
    np.testing.assert_array_equal(imread(tmp_path / "my_face.png")[covered], texture[covered])
    assert (tmp_path / "my_face.mtl").read_text().count("newmtl") == n_faces

    scene = trimesh.load_scene(path, process=False)
    assert len(scene.geometry) == n_faces
    assert sum(len(mesh.faces) for mesh in scene.geometry.values()) == n_faces * len(tri)
    for mesh in scene.geometry.values():
        assert mesh.is_winding_consistent
        assert (outward(mesh) > 0).all()
        assert isinstance(mesh.visual, trimesh.visual.TextureVisuals)
        # The texture, looked up as OBJ counts (from edge to edge, up), is the picture.
        image = np.asarray(mesh.visual.material.image.convert("RGB")).astype(float)
        columns = mesh.visual.uv[:, 0] * image.shape[1] - 0.5
        rows = (1 - mesh.visual.uv[:, 1]) * image.shape[0] - 0.5
        x, y = mesh.vertices[:, 0], len(img) - mesh.vertices[:, 1]
        for channel, expected in ((2, x * 255 / 159), (0, y * 255 / 89)):
            colors = map_coordinates(image[..., channel], [rows, columns], order=1, mode="nearest")
            # u = 1 takes its pixel from the padding; a pixel of the map is a step of 1.6 or 2.4.
            np.testing.assert_allclose(colors, expected, atol=2.4 + 0.5)


def test_texture_of_a_loaded_model(tmp_path, faces, model, picture):
    texture = uv_tex(picture, faces, model.carrier)
    path = tmp_path / "a.obj"
    ser_to_obj(picture, faces, model.carrier, len(picture), path, texture=texture)
    assert path.read_text().count("\nvt ") == 2 * 38_365


def test_wrong_textures_write_nothing(tmp_path, bump):
    vertices, tri, uv = bump()
    img, texture = pixels(), pixels(8, 9)
    path = tmp_path / "a.obj"
    with pytest.raises(InputError, match="uv"):
        ser_to_obj(img, [vertices], tri, 40, path, texture=texture)
    with pytest.raises(InputError, match="uv"):
        ser_to_obj(img, [vertices], tri, 40, path, texture=texture, uv=uv[:-1])
    with pytest.raises(InputError, match="side by side"):
        ser_to_obj(img, [vertices] * 2, tri, 40, path, texture=texture, uv=uv)
    with pytest.raises(InputError, match="ending in"):
        ser_to_obj(img, [vertices], tri, 40, tmp_path / "a.png", texture=texture, uv=uv)
    (tmp_path / "a.mtl").mkdir()
    with pytest.raises(InputError, match="cannot write"):
        ser_to_obj(img, [vertices], tri, 40, path, texture=texture, uv=uv)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mtl"]
