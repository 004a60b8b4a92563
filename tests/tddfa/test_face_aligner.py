"""`FaceAligner`: the same faces whichever way they are asked for, and one line for bad input."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from tddfa import Face, FaceAligner, Frame, InputError
from tddfa.config import load_config
from tddfa.face_check.checked_detector import CheckedDetector
from tddfa.io.pictures import imread
from tddfa.network_files import detector_onnx
from tddfa.pose import head_pose
from tddfa.roi import network_input, parse_roi_box_from_bbox
from tddfa.tracking.association import iou_matrix
from tddfa.tracking.settings import TrackerSettings
from tddfa.video.reader import VideoReader

BLACK = np.zeros((90, 120, 3), np.uint8)


@pytest.fixture(scope="module")
def portrait(project_root):
    return imread(project_root / "examples" / "inputs" / "astronaut.png")[:300, 80:380]


@pytest.fixture(scope="module")
def crowd(portrait):
    """Two faces of different sizes beside each other."""
    small = cv2.resize(portrait, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    return np.hstack([portrait, np.pad(small, ((0, 120), (0, 0), (0, 0)))])


def same(actual: Face, expected: Face, atol=1e-3):
    np.testing.assert_allclose(actual.landmarks, expected.landmarks, atol=atol)
    np.testing.assert_allclose(actual.param, expected.param, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(actual.box, expected.box, atol=1e-3)
    assert actual.roi_box == pytest.approx(expected.roi_box)
    assert actual.score == pytest.approx(expected.score, abs=1e-5)


def test_face_has_what_people_ask_for(pipeline, portrait):
    (face,) = pipeline.detect(portrait)
    assert face.box.shape == (4,) and 0.9 < face.score <= 1
    assert face.landmarks.shape == (3, 68) and face.param.shape == (62,)
    assert face.pose.yaw == head_pose(face.param).yaw and abs(face.pose.yaw) < 20
    assert face.track_id is None and face.image_size == portrait.shape[:2]
    n_vertices = pipeline.aligner.bfm.n_vertices
    assert face.dense is None, "vertices cost time and are made when asked for"
    assert face.vertices.shape == (3, n_vertices) and face.vertices is face.vertices
    assert face.triangles.max() == n_vertices - 1
    keypoints = pipeline.aligner.bfm.keypoints.reshape(68, 3)[:, 0] // 3
    np.testing.assert_allclose(face.vertices[:2, keypoints], face.landmarks[:2], atol=1e-3)
    assert str(face).startswith(f"Face(score={face.score:.2f}, box=[")


def test_same_as_the_parts(pipeline, crowd):
    faces = pipeline.detect(crowd)
    boxes = pipeline.detector.detect(crowd)
    looking = pipeline.picture_aligner
    rois = looking.closer(crowd, [parse_roi_box_from_bbox(box) for box in boxes])
    params = looking.regress(network_input(crowd, rois))
    dense = looking.recon_vers(list(params), rois, dense_flag=True)
    assert len(faces) == len(boxes) == 2
    for face, box, param, vertices in zip(faces, boxes, params, dense, strict=True):
        np.testing.assert_array_equal(face.box, box[:4])
        np.testing.assert_array_equal(face.param, param)
        np.testing.assert_allclose(face.vertices, vertices, atol=1e-3)


@pytest.mark.parametrize("kind", [list, tuple, iter])
def test_batch_of_pictures_of_any_size(pipeline, portrait, crowd, kind):
    pictures = [portrait, BLACK, crowd, portrait[:, ::-1]]
    detect = pipeline.detect_batch if kind is iter else pipeline.detect
    found = detect(kind(pictures))
    assert [len(faces) for faces in found] == [1, 0, 2, 1]
    for faces, picture in zip(found, pictures, strict=True):
        for actual, expected in zip(faces, pipeline.detect(picture), strict=True):
            same(actual, expected)


def test_pictures_as_one_array(pipeline, portrait):
    found = pipeline.detect(np.stack([portrait, portrait]))
    assert [len(faces) for faces in found] == [1, 1]


@pytest.mark.parametrize("nothing", [[], ()])
def test_no_pictures(pipeline, nothing):
    assert pipeline.detect(nothing) == []


def test_batch_goes_through_the_network_at_once(pipeline, crowd, monkeypatch):
    batches, forward = [], pipeline.picture_aligner.forward

    def count(crops):
        batches.append(len(crops))
        return forward(crops)

    monkeypatch.setattr(pipeline.picture_aligner, "forward", count)
    pipeline.detect([crowd, BLACK, crowd])
    # A first look at each picture's faces; then all of them, and as many mirror images.
    assert batches == [2, 2, 8]
    monkeypatch.setattr("tddfa.face_batch._BATCH", 6)
    faces = pipeline.detect([crowd, BLACK, crowd])
    assert batches[3:] == [2, 2, 6, 2]
    same(faces[2][1], pipeline.detect(crowd)[1])


def test_paths(pipeline, project_root, portrait, tmp_path):
    path = project_root / "examples" / "inputs" / "astronaut.png"
    (face,) = pipeline.detect(path)
    same(pipeline.detect(str(path))[0], face, atol=0)
    assert [len(faces) for faces in pipeline.detect([path, portrait])] == [1, 1]


@pytest.mark.parametrize("view", [lambda a: a[:, ::-1], lambda a: a[::2, ::2], np.asfortranarray])
def test_views(pipeline, portrait, view):
    picture = view(portrait)
    (actual,), (expected,) = pipeline.detect(picture), pipeline.detect(picture.copy(order="C"))
    same(actual, expected, atol=0)


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (None, "cv2.imread"),
        ("no/such.png", "no/such.png"),
        (np.zeros((4, 4), np.uint8), "uint8"),
        (np.zeros((4, 4, 4), np.uint8), "BGR"),
        (np.zeros((4, 4, 3)), "float64"),
        (np.zeros((0, 4, 3), np.uint8), "empty"),
        (7, "int"),
    ],
)
def test_no_picture(pipeline, picture, words):
    with pytest.raises(InputError, match=words) as error:
        pipeline.detect(picture)
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match=words if picture is None else "1|no/such"):
        pipeline.detect([BLACK, picture])


def test_align_at_boxes_and_landmarks(pipeline, crowd):
    faces = pipeline.detect(crowd)
    boxes = [[*face.box, face.score] for face in faces]
    for actual, expected in zip(pipeline.align(crowd, boxes), faces, strict=True):
        same(actual, expected)
    bare = pipeline.align(crowd, [face.box for face in faces])
    assert [face.score for face in bare] == [1.0, 1.0]
    again = pipeline.align(crowd, landmarks=[face.landmarks[:2] for face in faces])
    for actual, expected in zip(again, faces, strict=True):
        gap = np.linalg.norm(actual.landmarks - expected.landmarks, axis=0)[:2].mean()
        assert gap < 0.1 * expected.size
        assert iou_matrix([actual.box], [expected.box])[0, 0] > 0.5
    assert pipeline.align(crowd, []) == pipeline.align(crowd, landmarks=[]) == []


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"boxes": [[1, 2, 3, 4]], "landmarks": [np.zeros((2, 68))]},
        {"boxes": [[1, 2, 3]]},
        {"landmarks": [np.zeros((68, 2))]},
        {"boxes": [[1, 2, np.nan, 4]]},
        {"boxes": [[5, 5, 5, 5]]},
    ],
)
def test_bad_places(pipeline, portrait, arguments):
    with pytest.raises(InputError):
        pipeline.align(portrait, **arguments)


@pytest.mark.parametrize("smooth", ["none", "mean", "one_euro"])
def test_track_gives_every_frame_and_one_id(pipeline, portrait, smooth):
    pictures = [np.roll(portrait, 2 * i, axis=1) for i in range(8)]
    frames = list(pipeline.track(iter(pictures), smooth=smooth, fps=10))
    assert [frame.index for frame in frames] == list(range(8))
    assert [frame.time for frame in frames] == pytest.approx([i / 10 for i in range(8)])
    assert [[face.track_id for face in frame.faces] for frame in frames] == [[1]] * 8
    assert all(frame.faces[0].vertices.shape[0] == 3 for frame in frames)
    assert frames[0].cut and not frames[1].cut
    moved = frames[6].landmarks[0][0].mean() - frames[2].landmarks[0][0].mean()
    assert moved == pytest.approx(8, abs=4)


def test_track_a_file(pipeline, portrait, make_video, tmp_path):
    path = make_video(tmp_path / "a.mp4", [portrait] * 6, rate=5)
    frames = list(pipeline.track(path))
    with VideoReader(path) as reader:
        assert [frame.time for frame in frames] == [frame.time for frame in reader]
        assert all(len(frame.faces) == 1 for frame in frames)
    assert next(iter(pipeline.track(str(path)))).faces  # and the rest is let go


def test_track_a_folder_of_pictures(pipeline, portrait, tmp_path):
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"frame_{number:04d}.png"), portrait)
    for source in (tmp_path, tmp_path / "frame_%04d.png"):
        frames = list(pipeline.track(source, fps=10))
        assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.3])
        assert [len(frame.faces) for frame in frames] == [1] * 4


def test_track_takes_frames_and_follows_one(pipeline, crowd):
    given = [Frame(7 + i, 0.5 * i, crowd, pts=3 * i) for i in range(5)]
    frames = list(pipeline.track(given, settings=TrackerSettings(max_faces=1)))
    assert [(frame.index, frame.time, frame.pts) for frame in frames] == [
        (7 + i, 0.5 * i, 3 * i) for i in range(5)
    ]
    assert [len(frame.faces) for frame in frames] == [1] * 5


def test_track_live_waits_for_nothing(pipeline, portrait):
    def camera():
        for i in range(50):
            asked.append(i)
            yield np.roll(portrait, 2 * i, axis=1)

    asked = []
    frames = pipeline.track(camera(), wait=0)
    for _ in range(4):
        frame = next(frames)
        assert frame.index == asked[-1]
    assert frame.faces


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"smooth": "median"}, "smooth"),
        ({"fps": 0}, "fps"),
        ({"wait": -1}, "wait"),
        ({"n_pre": -1, "smooth": "mean"}, "n_pre"),
    ],
)
def test_bad_arguments_of_track(pipeline, arguments, words):
    with pytest.raises(InputError, match=words):
        pipeline.track([BLACK], **arguments)


def test_track_names_the_bad_frame(pipeline):
    with pytest.raises(InputError, match="frame 1"):
        list(pipeline.track([BLACK, None]))
    with pytest.raises(InputError, match=r"no\.mp4"):
        list(pipeline.track("no.mp4"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"backend": "tensorrt"}, "backend"),
        ({"device": "cuda"}, "device"),
        ({"backend": "torch", "device": "mps"}, "device"),
        ({"backend": "torch", "providers": ["CPUExecutionProvider"]}, "providers"),
        ({"providers": ["NoSuchProvider"]}, "NoSuchProvider"),
        ({"threads": 0}, "threads"),
        ({"detector": "haar"}, "faceboxes, faceboxes_two_scales, yunet"),
        ({"detector": 3}, "detector"),
        ({"detector": lambda image: [], "detector_settings": {"vis_thres": 1}}, "settings"),
        ({"detector_settings": {"vis_thres": 2}}, "vis_thres"),
        ({"detector_settings": {"volume": 11}}, "volume"),
        ({"config": "no/such.yml"}, "no/such.yml"),
    ],
)
def test_bad_arguments(arguments, words):
    with pytest.raises(InputError, match=words):
        FaceAligner(**arguments)


def test_settings_of_the_detector(portrait):
    strict = FaceAligner(detector_settings={"vis_thres": 1.0}, threads=1)
    assert strict.detect(portrait) == []


def test_torch_gives_the_same_faces(pipeline, crowd):
    for actual, expected in zip(
        FaceAligner(backend="torch").detect(crowd), pipeline.detect(crowd), strict=True
    ):
        np.testing.assert_allclose(actual.landmarks, expected.landmarks, atol=0.02)


def test_threads_share_one_aligner(pipeline, portrait, crowd):
    pictures = [portrait, crowd, BLACK, portrait[::-1], crowd[:, ::-1], portrait[:, ::-1]] * 4
    alone = [pipeline.detect(picture) for picture in pictures[:6]] * 4

    def work(picture):
        faces = pipeline.detect(picture)
        return [(face, face.vertices, face.visible) for face in faces]

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, pictures))
    for faces, expected in zip(together, alone, strict=True):
        assert len(faces) == len(expected)
        for (face, vertices, visible), other in zip(faces, expected, strict=True):
            np.testing.assert_array_equal(face.param, other.param)
            np.testing.assert_allclose(vertices, other.vertices, atol=1e-4)
            assert (visible == other.visible).mean() > 0.98


def test_pickled_as_its_arguments(pipeline, portrait):
    data = pickle.dumps(pipeline)
    assert len(data) < 2000, "networks are loaded anew"
    same(pickle.loads(data).detect(portrait)[0], pipeline.detect(portrait)[0])


SCRIPT = """
import sys
import tddfa
assert not {"numpy", "cv2", "onnxruntime", "torch"} & set(sys.modules), "import is not cheap"
aligner = tddfa.FaceAligner(threads=1)
faces = aligner.detect(sys.argv[1])
faces[0].visible
for frame in aligner.track([tddfa.Face and __import__("cv2").imread(sys.argv[1])] * 2):
    pass
aligner.render(frame.image, frame.faces, "3d")
print(len(faces), *[n for n in ("torch", "matplotlib", "onnx", "scipy", "av") if n in sys.modules])
"""


def test_from_any_folder_and_without_what_is_not_needed(project_root, tmp_path):
    picture = project_root / "examples" / "inputs" / "astronaut.png"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(picture)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(project_root), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1"]


def test_videos_have_a_detector_of_their_own_where_the_configuration_names_one(project_root):
    config = load_config(project_root / "configs" / "mb05_120x120.yml")
    aligner = FaceAligner(config)
    assert isinstance(aligner.detector, CheckedDetector)
    alone = aligner.tracking_detector
    assert not isinstance(alone, CheckedDetector) and aligner.tracking_detector is alone
    assert detector_onnx(config.for_tracking()).name == "FaceBoxesProd.onnx"
    assert detector_onnx(config).name == "FaceBoxesTurned.onnx"
    assert FaceAligner(config, detector=alone).tracking_detector is alone
    one = FaceAligner(config.for_tracking())
    assert one.tracking_detector is one.detector and one.check is None
    assert config.for_tracking().for_tracking() == config.for_tracking()
