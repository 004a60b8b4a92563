"""The weights that ship: they are what their cards say, and they work without any other file."""

import hashlib
import re

import cv2
import numpy as np
import pytest

from tddfa import load_config
from tddfa.arguments import DEFAULT_CONFIG
from tddfa.pipeline import Pipeline
from tddfa.tracking.tracker import FaceTracker
from tddfa.video.reader import VideoReader

MOST_BYTES = 60e6


@pytest.fixture(scope="module")
def face(project_root):
    return cv2.imread(str(project_root / "examples" / "inputs" / "astronaut.png"))


def test_cards_name_every_file_with_its_hash(project_root):
    text = (project_root / "weights" / "README.md").read_text(encoding="utf-8")
    named = dict(re.findall(r"\| `([\w/.]+)` \|[^|]*\| `([0-9a-f]{64})` \|", text))
    shipped = [*project_root.glob("weights/**/*.pth"), *project_root.glob("weights/**/*.onnx")]
    names = {path.relative_to(project_root).as_posix() for path in shipped}
    assert names and names <= named.keys()
    for name, digest in named.items():
        assert hashlib.sha256((project_root / name).read_bytes()).hexdigest() == digest, name
    assert sum(path.stat().st_size for path in shipped) < MOST_BYTES


def test_pytorch_and_onnx_agree(project_root, pipeline, face):
    other = Pipeline.from_config(load_config(project_root / DEFAULT_CONFIG))
    (first,), (second,) = pipeline(face), other(face)
    np.testing.assert_allclose(first.box, second.box, atol=0.05)
    np.testing.assert_allclose(first.landmarks, second.landmarks, atol=0.1)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("size", [256, 512, 900])
def test_a_portrait_is_aligned_at_any_size(pipeline, face, size, mirrored):
    picture = cv2.resize(face[:, ::-1] if mirrored else face, (size, size))
    (found,) = pipeline(picture)
    assert found.score > 0.7
    assert max(abs(found.pose.yaw), abs(found.pose.pitch), abs(found.pose.roll)) < 12
    # Read off the enlarged portrait: the middle of both eyes and of the mouth's opening.
    truth = np.array([[203.0, 100.8], [247.5, 103.3], [223.3, 145.5]])
    if mirrored:
        truth[:, 0] = 511 - truth[[1, 0, 2], 0]
    points = found.landmarks[:2].T / size * 512
    seen = [points[36:42].mean(axis=0), points[42:48].mean(axis=0), points[60:68].mean(axis=0)]
    eyes_apart = np.linalg.norm(truth[1] - truth[0])
    assert np.linalg.norm(seen - truth, axis=1).max() < 0.1 * eyes_apart


@pytest.mark.parametrize("level", [0, 90, 255])
def test_nothing_is_found_in_nothing(pipeline, level):
    assert pipeline(np.full((300, 400, 3), level, np.uint8)) == []
    noise = np.random.default_rng(level).integers(0, 256, (300, 400, 3)).astype(np.uint8)
    assert pipeline(noise) == []


@pytest.mark.parametrize("name", ["d12", "d18"])
def test_the_weights_that_ship_follow_a_moving_face_throughout(shared, pipeline, name):
    """Laughing, with eyes shut and turned: none of it may look implausible."""
    tracker = FaceTracker.from_pipeline(pipeline)
    with VideoReader(shared / "videos" / f"{name}.mp4") as reader:
        found = [tracker(picture.image) for picture in reader]
    assert len(found) > 150
    assert {tuple(face.track_id for face in faces) for faces in found[4:]} == {(1,)}
