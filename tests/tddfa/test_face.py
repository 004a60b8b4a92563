"""One face: what it computes when asked, writes, draws, and carries into another process."""

import copy
import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest
import trimesh

from tddfa import Face, FaceAligner, Frame, InputError
from tddfa.face import dense_vertices
from tddfa.face_box import face_boxes_of, landmark_roi
from tddfa.io.pictures import imread
from tddfa.outputs import OUTPUTS, output_names


@pytest.fixture(scope="module")
def portrait(project_root):
    return imread(project_root / "examples" / "inputs" / "astronaut.png")


@pytest.fixture
def face(pipeline, portrait) -> Face:
    """A fresh one, of which nothing has been computed."""
    return pipeline.detect(portrait)[0]


def test_box_without_a_detector_is_where_it_would_be(face):
    found = replace(face, detected_box=None)
    assert found.box.tolist() == face_boxes_of(landmark_roi(face.landmarks))[0].tolist()
    inner = np.minimum(found.box, face.box)[2:] - np.maximum(found.box, face.box)[:2]
    assert np.prod(inner) > 0.6 * np.prod(face.box[2:] - face.box[:2])


def test_vertices_of_several_faces_are_made_in_one_pass(face, monkeypatch):
    calls = []
    reconstructor = face.reconstructor

    class Count:
        model = reconstructor.model

        def __call__(self, params, rois, *, dense):
            calls.append(len(params))
            return reconstructor(params, rois, dense=dense)

    others = [replace(face, reconstructor=Count()) for _ in range(3)]
    frame = Frame.still(np.zeros((4, 4, 3), np.uint8), others)
    assert len(frame.vertices) == 3 and calls == [3]
    assert frame.vertices[1] is others[1].vertices and calls == [3]
    fresh = replace(face, reconstructor=Count(), dense=None)
    np.testing.assert_allclose(dense_vertices([*others, fresh])[3], face.vertices, atol=1e-3)
    assert calls == [3, 1]


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".PLY"])
def test_save(face, portrait, tmp_path, suffix):
    path = tmp_path / f"head{suffix}"
    face.save(path, portrait)
    mesh = trimesh.load(path, process=False)
    assert len(mesh.vertices) == face.vertices.shape[1]
    np.testing.assert_allclose(mesh.vertices[:, 0], face.vertices[0], atol=0.01)
    np.testing.assert_allclose(mesh.vertices[:, 1], len(portrait) - face.vertices[1], atol=0.01)
    assert len(mesh.faces) == len(face.triangles)


def test_save_takes_colors_from_the_picture_or_is_gray(face, portrait, tmp_path):
    face.save(tmp_path / "color.obj", portrait)
    face.save(tmp_path / "gray.obj")
    for name, spread in (("color", True), ("gray", False)):
        mesh = trimesh.load(tmp_path / f"{name}.obj", process=False)
        assert (np.ptp(mesh.visual.vertex_colors[:, :3].astype(int), axis=0).max() > 9) == spread
    gray = trimesh.load(tmp_path / "gray.obj", process=False)
    np.testing.assert_allclose(gray.vertices[:, 1], len(portrait) - face.vertices[1], atol=0.01)


def test_save_with_texture_and_binary(face, portrait, tmp_path):
    face.save(tmp_path / "head.obj", portrait, texture=True)
    assert {path.suffix for path in tmp_path.iterdir()} == {".obj", ".mtl", ".png"}
    face.save(tmp_path / "a.ply", portrait)
    face.save(str(tmp_path / "b.ply"), portrait, ply_binary=True)
    assert (tmp_path / "b.ply").read_bytes().startswith(b"ply\nformat binary_little_endian")
    ascii_size = (tmp_path / "a.ply").stat().st_size
    assert (tmp_path / "b.ply").stat().st_size < ascii_size


@pytest.mark.parametrize("name", ["head.stl", "head", "head.jpg"])
def test_save_as_something_else(face, portrait, tmp_path, name):
    with pytest.raises(InputError, match=r"\.ply, \.obj") as error:
        face.save(tmp_path / name, portrait)
    assert name in str(error.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [name for name, output in OUTPUTS.items() if output.draw])
def test_draw(face, portrait, name):
    before = portrait.copy()
    drawn = face.draw(portrait, name)
    np.testing.assert_array_equal(portrait, before)
    assert drawn.dtype == np.uint8 and (drawn.shape == portrait.shape) == (name != "uv_tex")
    np.testing.assert_array_equal(drawn, FaceAligner.render(portrait, [face], name))
    if name in output_names(video=True):
        changed = np.argwhere((drawn != before).any(axis=2))
        left, top, right, bottom = face.roi_box
        assert len(changed) > 100
        assert (changed.min(axis=0) > [top - 80, left - 80]).all()
        assert (changed.max(axis=0) < [bottom + 80, right + 80]).all()


def test_render_nobody(portrait):
    drawn = FaceAligner.render(portrait, [], "3d")
    assert drawn is not portrait
    np.testing.assert_array_equal(drawn, portrait)


@pytest.mark.parametrize("name", ["4d", "obj"])
def test_no_such_picture(face, portrait, name):
    with pytest.raises(InputError, match="2d_sparse"):
        face.draw(portrait, name)


@pytest.mark.parametrize("carry", [copy.deepcopy, lambda face: pickle.loads(pickle.dumps(face))])
def test_carried_elsewhere(face, portrait, carry):
    assert len(pickle.dumps(face)) < 10_000
    there = carry(face)
    np.testing.assert_array_equal(there.landmarks, face.landmarks)
    assert there.pose.yaw == face.pose.yaw and str(there) == str(face)
    for ask in (lambda f: f.vertices, lambda f: f.visible, lambda f: f.save("a.obj")):
        with pytest.raises(InputError, match="pickled"):
            ask(there)
    _ = face.visible
    np.testing.assert_array_equal(carry(face).vertices, face.vertices)
    np.testing.assert_array_equal(carry(face).visible, face.visible)


def hidden_by_rays(vertices, triangles, points, tolerance):
    """Whether a surface lies nearer than each point (3, K) by more than the tolerance, exactly."""
    a, b, c = (vertices[:, triangles[:, i]].astype(np.float64) for i in range(3))
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    hidden = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for x, y, z in points.T:
            u = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / area
            v = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / area
            depth = a[2] + u * (b[2] - a[2]) + v * (c[2] - a[2])
            inside = (u >= 0) & (v >= 0) & (u + v <= 1)
            hidden.append(bool((depth[inside] > z + tolerance).any()))
    return np.array(hidden)


def turned(face, degrees):
    """The same head, turned about its vertical axis."""
    angle = np.radians(degrees)
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    param = face.param.copy()
    camera = param[:12].reshape(3, 4)
    camera[:, :3] = np.linalg.norm(camera[0, :3]) * turn
    model = face.reconstructor
    landmarks = model([param], [face.roi_box])[0]
    return replace(face, param=param, landmarks=landmarks, dense=None)


@pytest.mark.parametrize("degrees", [-70, -35, 0, 35, 70])
def test_visible_vertices_are_those_that_rays_reach(face, degrees):
    head = turned(face, degrees)
    vertices, triangles = head.vertices, np.asarray(head.triangles)
    sample = np.random.default_rng(0).choice(vertices.shape[1], 800, replace=False)
    extent = np.ptp(vertices[:2], axis=1).max()
    points, seen = vertices[:, sample], head.visible_vertices[sample]
    clearly = hidden_by_rays(vertices, triangles, points, 0.03 * extent)
    free = ~hidden_by_rays(vertices, triangles, points, 1e-4 * extent)
    assert clearly.sum() > 50 and free.sum() > 300
    assert seen[free].mean() > 0.95
    # What is hidden counts as seen only beside an outline, within a pixel of the drawing.
    pixel = extent / 396
    steps = pixel * np.array([[x, y, 0] for x in (-1, 0, 1) for y in (-1, 0, 1) if x or y])
    around = points[:, seen & clearly, None] + steps.T[:, None]
    hidden = hidden_by_rays(vertices, triangles, around.reshape(3, -1), 0.03 * extent)
    assert not hidden.reshape(-1, len(steps)).all(axis=1).any()


def test_visible_landmarks_of_a_turning_head(face):
    assert turned(face, 0).visible.all()
    for degrees in (45, -45):
        visible = turned(face, degrees).visible
        far, near = (range(3), range(14, 17))
        if turned(face, degrees).landmarks[2, 0] > turned(face, degrees).landmarks[2, 16]:
            far, near = near, far
        assert not visible[list(far)].any() and visible[list(near)].all()
        assert visible[27:36].sum() >= 7, "the nose"


def test_what_lies_beyond_the_picture_is_not_visible(pipeline, portrait):
    (face,) = pipeline.detect(np.ascontiguousarray(portrait[:140]))
    below = face.landmarks[1] > 139.5
    assert below.any() and not face.visible_vertices[face.vertices[1] > 140].any()


def test_visibility_does_not_depend_on_the_size(pipeline, portrait, face):
    small = cv2.resize(portrait, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    box = (face.box + 0.5) * 0.3 - 0.5
    (little,) = pipeline.align(small, [box])
    assert (little.visible_vertices == face.visible_vertices).mean() > 0.95


def test_nothing_finite(face):
    broken = replace(face, dense=np.full((3, 5), np.nan, np.float32))
    assert not broken.visible_vertices.any()
