"""Detectors: what the protocol promises, whoever keeps it."""

import threading
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX
from tddfa import Config, FaceAligner, InputError
from tddfa.detector import Detector, DetectorBase, as_boxes, as_detector
from tddfa.detectors import build_detector
from tddfa.io.pictures import imread
from tddfa.plugins import part_names
from tddfa.roi import network_input
from tddfa.runtime import Runtime

FACE = (60, 40, 140, 150)


@pytest.fixture(scope="module")
def portrait(project_root):
    return imread(project_root / "examples" / "inputs" / "astronaut.png")[:300, 80:380]


@pytest.fixture(scope="module")
def faceboxes():
    return FaceBoxes_ONNX(num_threads=1)


class BlueBlob(DetectorBase):
    """Finds the bounding box of blue; the score is how blue it is."""

    def detect(self, image, *, least_score=None, coarse=False):
        blue = (image[..., 0] > 128) & (image[..., 2] < 100)
        if not blue.any():
            return np.zeros((0, 5), np.float32)
        y, x = np.nonzero(blue)
        score = image[blue][:, 0].mean() / 255
        boxes = np.float32([[x.min(), y.min(), x.max() + 1, y.max() + 1, score]])
        return boxes if score >= (least_score or 0.5) else boxes[:0]


def blue_picture():
    image = np.full((200, 220, 3), 90, np.uint8)
    image[FACE[1] : FACE[3], FACE[0] : FACE[2]] = (230, 60, 60)
    return image


def test_names():
    assert part_names("tddfa.detectors") == ["faceboxes", "faceboxes_two_scales", "yunet"]


def test_detect_is_the_call(faceboxes, portrait):
    np.testing.assert_array_equal(faceboxes.detect(portrait), faceboxes(portrait))
    assert isinstance(faceboxes, Detector)


@pytest.mark.parametrize("score", [0.06, 0.5, 0.9, 1.0])
def test_least_score(faceboxes, portrait, score):
    boxes = faceboxes.detect(portrait, least_score=score)
    assert (boxes[:, 4] > score).all()
    assert len(boxes) == 0 if score == 1 else len(boxes) >= 1
    assert faceboxes.settings.vis_thres == 0.5, "the detector's own threshold stays"


def test_coarse_search_finds_a_large_face_in_a_large_picture(faceboxes, portrait):
    large = cv2.resize(portrait, (1500, 1500), interpolation=cv2.INTER_CUBIC)
    fine, coarse = faceboxes.detect(large), faceboxes.detect(large, coarse=True)
    np.testing.assert_allclose(coarse[0, :4], fine[0, :4], atol=0.05 * 1500)


def test_crops_with_and_without_a_face(faceboxes, portrait):
    (box,) = faceboxes.detect(portrait)[:, :4]
    side = 1.4 * (box[3] - box[1])
    center = (box[:2] + box[2:]) / 2
    rois = [[*(center - side / 2), *(center + side / 2)], [0, 220, 80, 300]]
    crops = network_input(portrait, rois, 120)
    places = np.float32([[(box[0] - rois[0][0]) / side, 0.14, (box[2] - rois[0][0]) / side, 0.86]])
    places = np.repeat(places, 2, axis=0)
    scores = faceboxes.score_crops(crops, places)
    assert scores.shape == (2,) and scores[0] > 0.8 and scores[1] < 0.2
    elsewhere = faceboxes.score_crops(crops[:1], np.float32([[0.7, 0.7, 1, 1]]))
    assert elsewhere[0] < 0.1
    assert faceboxes.score_crops(crops[:0], places[:0]).shape == (0,)


@pytest.mark.parametrize("kind", [lambda d: d, lambda d: as_detector(d.detect)])
def test_inherited_check_searches_the_crop(kind):
    image, detector = blue_picture(), kind(BlueBlob())
    rois = [[30, 20, 170, 160], [150, 100, 220, 170]]
    crops = network_input(image, rois, 120)
    place = (np.float32(FACE) - [30, 20, 30, 20]) / 140
    scores = detector.score_crops(crops, np.stack([place, place]))
    assert scores == pytest.approx([230 / 255, 0], abs=0.02)
    off = detector.score_crops(crops[:1], place[None] * 0.3)
    assert off[0] == 0


@pytest.mark.parametrize("detector", [BlueBlob(), BlueBlob().detect], ids=["object", "function"])
def test_any_detector_serves_pictures_and_video(detector):
    aligner = FaceAligner(detector=detector, threads=1)
    (face,) = aligner.detect(blue_picture())
    assert face.box.tolist() == list(FACE) and face.score == pytest.approx(230 / 255)
    assert aligner.detect(np.zeros((90, 90, 3), np.uint8)) == []
    assert len(list(aligner.track([blue_picture()] * 4))) == 4


def test_function_that_gives_no_scores():
    aligner = FaceAligner(detector=lambda image: [list(FACE)], threads=1)
    assert [face.score for face in aligner.detect(blue_picture())] == [1.0]


def test_detector_that_only_keeps_the_protocol(portrait):
    """Without a base class and `scan`: tracking asks once it knows the places."""
    asked = []

    class Foreign:
        def detect(self, image, *, least_score=None, coarse=False):
            return np.float32([[100, 65, 188, 174, 0.9]])

        def score_crops(self, crops, places):
            asked.append((crops.shape, places))
            return np.full(len(crops), 0.8, np.float32)

    aligner = FaceAligner(detector=Foreign(), threads=1)
    assert aligner.detector.__class__ is Foreign
    frames = list(aligner.track([portrait] * 5))
    assert [[face.track_id for face in frame.faces] for frame in frames] == [[1]] * 5
    shape, place = asked[-1]
    assert shape == (1, 3, 120, 120) and place.shape == (1, 4)
    assert (place[0, 2:] - place[0, :2] > 0.4).all() and abs(place).max() < 1.2


@pytest.mark.parametrize(
    ("boxes", "shape"),
    [([], (0, 5)), (np.zeros((0, 5)), (0, 5)), ([1, 2, 3, 4], (1, 5)), (np.ones((3, 5)), (3, 5))],
)
def test_boxes(boxes, shape):
    rows = as_boxes(boxes)
    assert rows.shape == shape and rows.dtype == np.float32


@pytest.mark.parametrize("boxes", [[[1, 2, 3]], np.ones((2, 2, 5)), [[1, 2, np.inf, 4]]])
def test_bad_boxes(boxes):
    with pytest.raises(InputError, match="boxes"):
        as_boxes(boxes)


@pytest.fixture
def yunet(monkeypatch, tmp_path):
    """YuNet around a network that reports what it is told, in OpenCV's layout."""
    log = SimpleNamespace(rows=[], sizes=[], thresholds=[], busy=0)

    class Fake:
        @staticmethod
        def create(model, config, size, score, nms, top_k):
            if "broken" in model:
                raise cv2.error("cannot parse")
            return Fake()

        def setInputSize(self, size):
            log.busy += 1
            log.sizes.append(size)

        def setScoreThreshold(self, value):
            log.thresholds.append(value)

        def detect(self, image):
            assert log.busy == 1, "two threads at once"
            assert (image.shape[1], image.shape[0]) == log.sizes[-1]
            log.busy -= 1
            rows = [(x, y, w, h, *[0] * 10, s) for x, y, w, h, s in log.rows]
            return len(rows), np.float32(rows) if rows else None

    monkeypatch.setattr(cv2, "FaceDetectorYN", Fake, raising=False)
    path = tmp_path / "yunet.onnx"
    path.write_bytes(b"-")
    config = Config(detector="yunet", detector_onnx_fp=str(path))
    return build_detector(config, Runtime()), log


def test_yunet_boxes(yunet):
    detector, log = yunet
    assert detector.detect(blue_picture()).shape == (0, 5)
    log.rows = [(5, 6, 10, 20, 0.7), (60, 40, 80, 110, 1.02)]
    boxes = detector.detect(blue_picture())
    np.testing.assert_allclose(boxes, [[60, 40, 140, 150, 1], [5, 6, 15, 26, 0.7]], atol=1e-5)
    assert log.sizes[-1] == (220, 200) and log.thresholds[-1] == 0.6
    detector.detect(blue_picture(), least_score=0.1)
    assert log.thresholds[-1] == 0.1


@pytest.mark.parametrize(("coarse", "size"), [(False, (720, 720)), (True, (360, 360))])
def test_yunet_shrinks_large_pictures(yunet, coarse, size):
    detector, log = yunet
    log.rows = [(36, 36, 72, 72, 0.9)]
    boxes = detector.detect(np.zeros((1440, 1440, 3), np.uint8), coarse=coarse)
    assert log.sizes == [size]
    scale = 1440 / size[0]
    np.testing.assert_allclose(boxes[0, :4], np.float32([36, 36, 108, 108]) * scale)


def test_yunet_in_threads(yunet):
    detector, log = yunet
    log.rows = [(1, 1, 9, 9, 0.9)]
    threads = [
        threading.Thread(target=lambda: [detector.detect(blue_picture()) for _ in range(20)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(log.sizes) == 80 and log.busy == 0


def test_yunet_without_its_file(tmp_path, yunet):
    with pytest.raises(InputError, match="face_detection_yunet"):
        FaceAligner(Config(), detector="yunet")
    with pytest.raises(InputError, match=r"detector_onnx_fp.*no\.onnx"):
        build_detector(Config(detector="yunet", detector_onnx_fp="no.onnx"), Runtime())
    (tmp_path / "broken.onnx").write_bytes(b"-")
    config = Config(detector="yunet", detector_onnx_fp=str(tmp_path / "broken.onnx"))
    with pytest.raises(InputError, match=r"broken\.onnx"):
        build_detector(config, Runtime())
    with pytest.raises(InputError, match="volume"):
        build_detector(config, Runtime(), volume=3)


def test_yunet_on_a_real_file(project_root, portrait):
    """OpenCV Zoo's weights are not part of the project; put them into weights/ to run this."""
    paths = sorted((project_root / "weights").glob("face_detection_yunet*.onnx"))
    if not paths:
        pytest.skip("weights/face_detection_yunet*.onnx is absent")
    config = Config(detector="yunet", detector_onnx_fp=str(paths[0]))
    (box,) = build_detector(config, Runtime()).detect(portrait)
    assert box[:4] == pytest.approx([100, 65, 188, 174], abs=20)
