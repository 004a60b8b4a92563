"""Animated heads from tracks: times, signs, identity, files."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tddfa import FaceAligner
from tddfa.arkit52 import NAMES
from tddfa.face import Face
from tddfa.frame import Frame
from tddfa.io.pictures import imread
from tddfa.video.head_recorder import (
    HeadRecorder,
    head_place,
    numbered_heads,
    quaternions,
    translations,
)
from tests.tddfa.export.test_glb import read


@pytest.fixture(scope="module")
def pictured():
    image = imread("examples/inputs/astronaut.png")
    return image, FaceAligner()(image)[0]


def moved(face, *, turn=0.0, jaw=0.0, shape=0.0, track_id=1):
    """Return the face turned by degrees about y, with other coefficients."""
    param = face.param.copy()
    camera = param[:12].reshape(3, 4)
    camera[:, :3] = Rotation.from_euler("y", turn, degrees=True).as_matrix() @ camera[:, :3]
    param[12] += shape
    number = face.model.exp_names.index("jaw_open")
    param[52 + number] = jaw * face.model.exp_range[number, 1]
    made = face.reconstructor([param], [face.roi_box])[0]
    parts = {"reconstructor": face.reconstructor, "track_id": track_id}
    return Face(face.score, face.roi_box, param, made, image_size=face.image_size, **parts)


def record(path, pictured, faces_of, n=8):
    image, face = pictured
    recorder = HeadRecorder(path, face.model)
    times = [0.0, 0.04, 0.08, 0.2, 0.24, 0.24, 0.3, 0.5][:n]
    for index, time in enumerate(times):
        recorder.add(Frame(index, time, image, faces_of(index)))
    return recorder.write()


def test_keys_lie_at_the_videos_own_times_which_rise(tmp_path, pictured):
    face = pictured[1]
    (path,) = record(tmp_path / "h.glb", pictured, lambda i: [moved(face, jaw=i / 10)])
    document, array = read(path)
    sampler = document["animations"][0]["samplers"][2]
    np.testing.assert_allclose(array(sampler["input"]), [0, 0.04, 0.08, 0.2, 0.24, 0.3, 0.5])
    jaw = array(sampler["output"]).reshape(-1, 52)[:, NAMES.index("jawOpen")]
    assert (np.diff(jaw) > 0).all() and jaw[0] < 0.1 and jaw[-1] > 0.25


def test_a_head_that_turns_in_the_picture_turns_the_same_way(tmp_path, pictured):
    face = pictured[1]
    (path,) = record(tmp_path / "h.glb", pictured, lambda i: [moved(face, turn=5 * i)])
    document, array = read(path)
    turns = Rotation.from_quat(array(document["animations"][0]["samplers"][0]["output"]))
    nose = turns.apply([0, 0, 1])
    landmarks = moved(face, turn=35).landmarks
    in_picture = landmarks[0, 30] - landmarks[0, :17].mean()  # x is to the right in both
    assert np.sign(nose[-1, 0]) == np.sign(in_picture) and abs(nose[-1, 0]) > 0.4


def test_identity_does_not_move_with_the_frames(tmp_path, pictured):
    face = pictured[1]
    (noisy,) = record(
        tmp_path / "a.glb", pictured, lambda i: [moved(face, shape=0.5 if i % 2 else -0.5)], 4
    )
    (still,) = record(tmp_path / "b.glb", pictured, lambda i: [moved(face)], 4)
    first, second = (
        array(document["meshes"][0]["primitives"][0]["attributes"]["POSITION"])
        for document, array in map(read, (noisy, still))
    )
    assert np.abs(first - second).max() < 1e-5


def test_a_file_per_track_and_none_without_faces(tmp_path, pictured):
    face = pictured[1]
    both = record(tmp_path / "h.glb", pictured, lambda i: [moved(face), moved(face, track_id=7)])
    assert [path.name for path in both] == ["h_1.glb", "h_7.glb"]
    assert record(tmp_path / "n.glb", pictured, lambda i: []) == []
    assert not (tmp_path / "n.glb").exists()


def test_given_blendshapes_are_taken_as_they_are(tmp_path, pictured):
    from dataclasses import replace

    wanted = np.linspace(0, 1, 52, dtype=np.float32)
    face = replace(moved(pictured[1]), blendshapes=wanted)
    (path,) = record(tmp_path / "h.glb", pictured, lambda i: [face])
    document, array = read(path)
    found = array(document["animations"][0]["samplers"][2]["output"]).reshape(-1, 52)
    np.testing.assert_array_equal(found, np.tile(wanted, (len(found), 1)))


def test_quaternions_do_not_leap(pictured):
    turns = [
        Rotation.from_euler("y", angle, degrees=True).as_matrix() for angle in range(0, 720, 9)
    ]
    found = quaternions(turns)
    assert (np.sum(found[1:] * found[:-1], axis=1) > 0.9).all()


def test_nearer_is_larger_z_and_the_picture_s_right_is_x(pictured):
    face = pictured[1]
    near, far = face.param.copy(), face.param.copy()
    near[:12] *= 1.1
    far[:12] /= 1.1
    size = (512, 512)
    places = [
        head_place(Face(1, face.roi_box, param, face.landmarks), size)
        for param in (far, face.param, near)
    ]
    z = translations(np.stack(places))[:, 2]
    assert z[0] < z[1] == 0 < z[2]
    right = [value + shift for value, shift in zip(face.roi_box, (50, 0, 50, 0), strict=True)]
    beside = head_place(Face(1, right, face.param, face.landmarks), size)
    assert beside[0] > places[1][0]


def test_files_of_earlier_tracks_are_known_before_anything_is_written(tmp_path):
    for name in (
        "head_2.glb",
        "head_10.glb",
        "head.glb",
        "head_x.glb",
        "other_1.glb",
        "head_1.gltf",
    ):
        (tmp_path / name).touch()
    assert [p.name for p in numbered_heads(tmp_path / "head.glb")] == ["head_10.glb", "head_2.glb"]
    assert numbered_heads(tmp_path / "nowhere" / "head.glb") == []
