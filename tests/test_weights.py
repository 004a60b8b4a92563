"""The weights that ship: they are what their cards say, and they work without any other file."""

import hashlib
import re
from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from tddfa import load_config
from tddfa.arguments import DEFAULT_CONFIG
from tddfa.checkpoints import load_labels
from tddfa.face_aligner import FaceAligner
from tddfa.model_files import load_face_model
from tddfa.onnx_labels import is_made_from, read_onnx_labels
from tddfa.params import load_parameter_scale
from tddfa.tracking.tracker import FaceTracker
from tddfa.video.reader import VideoReader
from tddfa.weight_labels import file_sha256, regressor_labels
from training.provenance.entry import LABEL, PICTURE
from training.provenance.rules import require_free

# Of all networks together, twice each: for PyTorch and for ONNX Runtime. The package has a limit of
# 100 MB at its index.
MOST_BYTES = 85e6
FREE = pytest.mark.parametrize("name", ["free", "free-small"])


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


@pytest.mark.parametrize("name", ["mb1_120x120", "mb05_120x120", "free_mb1", "free_mb05"])
def test_weights_say_what_they_were_trained_for(project_root, name):
    config = load_config(project_root / "configs" / f"{name}.yml")
    model = load_face_model(config.find("bfm_fp"))
    scale = load_parameter_scale(config.find("param_mean_std_fp"))
    checkpoint = config.find("checkpoint_fp")
    labels = regressor_labels(model, scale, config.widen_factor)
    assert load_labels(checkpoint) == labels
    onnx_labels = read_onnx_labels(checkpoint.with_suffix(".onnx"))
    assert onnx_labels == replace(labels, checkpoint=file_sha256(checkpoint))


@pytest.mark.parametrize("name", ["mb1_120x120", "mb05_120x120", "free_mb1"])
def test_quantized_weights_are_near_the_exact_ones(project_root, face, name):
    config = project_root / "configs" / f"{name}.yml"
    checkpoint = load_config(config).find("checkpoint_fp")
    onnx_labels = [read_onnx_labels(checkpoint.with_suffix(s)) for s in (".onnx", ".int8.onnx")]
    assert onnx_labels[0] == onnx_labels[1]
    exact, near = (
        FaceAligner(config, precision=p, second_look=False)(face)[0] for p in ("float32", "int8")
    )
    moved = np.linalg.norm((near.landmarks - exact.landmarks)[:2], axis=0)
    crop = 120 / (exact.roi_box[2] - exact.roi_box[0])
    assert 0 < moved.mean() * crop < 0.3


def test_the_detectors_onnx_says_what_it_was_made_from(project_root):
    checkpoint = project_root / "weights" / "FaceBoxesProd.pth"
    assert is_made_from(checkpoint.with_suffix(".onnx"), checkpoint)
    assert read_onnx_labels(checkpoint.with_suffix(".onnx")).network == "faceboxes"


def test_pytorch_and_onnx_agree(project_root, pipeline, face):
    other = FaceAligner(project_root / DEFAULT_CONFIG, backend="torch")
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


def weights_of(config):
    """Return the weights that a configuration names."""
    keys = [field.name for field in fields(config) if field.name.endswith("_fp")]
    found = {key: config.find_if_set(key) for key in keys}
    return {key: path for key, path in found.items() if path and path.suffix == ".pth"}


@FREE
def test_free_weights_come_from_nothing_that_binds(name):
    weights = weights_of(load_config(name))
    assert {"checkpoint_fp", "detector_fp", "face_check_fp"} <= weights.keys()
    for path in weights.values():
        entries = require_free([], [("--init", path)])
        assert sum(entry.kind == PICTURE for entry in entries) > 6000
        others = {e.name for e in entries if e.kind == LABEL and e.source != "this project"}
        assert others == {"face_landmarker.task"}


@FREE
def test_free_weights_share_no_file_with_others(name):
    free, others = load_config(name), [load_config(name) for name in ("default", "small")]
    theirs = {path for config in others for path in weights_of(config).values()}
    assert not theirs & set(weights_of(free).values())
    assert free.for_tracking() == free  # videos are searched by the same detector
    assert free.find("param_mean_std_fp") not in {c.find("param_mean_std_fp") for c in others}


@FREE
@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_free_weights_align_a_portrait(face, backend, name):
    found = FaceAligner(name, backend=backend)(face)[0]  # the surest: it sees things, too
    assert max(abs(found.pose.yaw), abs(found.pose.pitch), abs(found.pose.roll)) < 20
    seen = [found.landmarks[:2, part].mean(axis=1) for part in (slice(36, 42), slice(42, 48))]
    truth = np.array([[203.0, 100.8], [247.5, 103.3]])
    assert np.linalg.norm(seen - truth, axis=1).max() < 0.15 * np.linalg.norm(truth[1] - truth[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["d12", "d18"])
def test_the_weights_that_ship_follow_a_moving_face_throughout(shared, pipeline, name):
    """Laughing, with eyes shut and turned: none of it may look implausible."""
    tracker = FaceTracker(pipeline.tracking_detector, pipeline.aligner)
    with VideoReader(shared / "videos" / f"{name}.mp4") as reader:
        found = [tracker(picture.image) for picture in reader]
    assert len(found) > 150
    assert {tuple(face.track_id for face in faces) for faces in found[4:]} == {(1,)}
