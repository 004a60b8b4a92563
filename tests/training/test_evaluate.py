import json

import cv2
import numpy as np
import pytest

from tddfa.errors import InputError
from training import evaluate
from training.evaluation.benchmark_sets import (
    best_box,
    load_annotated,
    load_ground_truth,
    with_found_rois,
)
from training.evaluation.predict import open_aligner


def test_protocol_gives_the_figures_known_for_the_reference(shared, upstream, tmp_path):
    aligner = open_aligner("configs/reference_mb05.yml", assets=str(upstream))
    faces = load_ground_truth(shared / "aflw2000_val199")
    report = evaluate.measure_landmarks(aligner, faces, tmp_path)
    assert [round(mean, 2) for mean in report["bins"]] == [2.88, 3.59, 4.15]
    assert round(report["mean_of_bins"], 2) == 3.54
    assert round(report["mean_of_bins_without_shift"], 2) == 3.41
    np.testing.assert_allclose(report["shift"], [-0.77, -0.95], atol=0.005)
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".npz"}


def test_command_line_writes_a_report(shared, upstream, tmp_path, capsys):
    small = tmp_path / "set"
    (small / "images").mkdir(parents=True)
    with np.load(shared / "aflw2000_val199" / "ground_truth.npz") as data:
        np.savez(small / "ground_truth.npz", **{key: data[key][:3] for key in data.files})
        for name in data["names"][:3]:
            source = shared / "aflw2000_val199" / "images" / str(name)
            (small / "images" / str(name)).write_bytes(source.read_bytes())
    out = tmp_path / "out"
    config = ["-c", "configs/reference_mb05.yml", "--assets", str(upstream)]
    assert evaluate.main([*config, "--aflw", str(small), "--out", str(out)]) == 0
    assert json.loads((out / "report.json").read_text())["aflw"]["faces"] == 3
    assert "mean_of_bins" in capsys.readouterr().out


@pytest.fixture
def two_faces(project_root, pipeline, tmp_path):
    """Two pictures of one face with its truth: the portrait, and one in which nobody finds it."""
    picture = cv2.imread(str(project_root / "examples" / "inputs" / "astronaut.png"))
    (face,) = pipeline(picture)
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), picture)
    cv2.imwrite(str(tmp_path / "images" / "b.png"), 0 * picture)
    np.savez(
        tmp_path / "ground_truth.npz",
        names=["a.png", "b.png"],
        pts68=np.stack([face.landmarks] * 2),
        roi_box=np.array([[160.0, 60.0, 300.0, 200.0]] * 2, np.float32),
        abs_yaw_deg=np.zeros(2, np.float32),
    )
    return tmp_path


def test_rois_of_found_faces_are_the_detectors(two_faces, pipeline):
    given = load_ground_truth(two_faces)
    found = with_found_rois(given, pipeline.tracking_detector)
    assert given.missed is None and found.missed == 1
    assert np.abs(found.rois[0] - given.rois[0]).max() > 2
    np.testing.assert_array_equal(found.rois[1], given.rois[1])


@pytest.mark.parametrize("roi", ["detector", "landmarks"])
def test_a_set_with_rois_is_measured_from_a_detectors_boxes_as_well(two_faces, roi):
    out = two_faces / "out"
    assert evaluate.main(["--aflw", str(two_faces), "--roi", roi, "--out", str(out)]) == 0
    report = json.loads((out / "report.json").read_text())
    assert "missed" not in report["aflw"]
    assert report.get("aflw, found", {}).get("missed") == (1 if roi == "detector" else None)


def test_a_second_look_is_measured_where_there_is_one(two_faces, upstream):
    faces = load_ground_truth(two_faces)
    once, twice = (
        evaluate.measure_landmarks(open_aligner("default", second_look=second), faces, None)
        for second in (False, True)
    )
    assert once["bins"][0] != twice["bins"][0]
    with pytest.raises(InputError, match="symmetric"):
        open_aligner("configs/reference_mb05.yml", assets=str(upstream), second_look=True)


@pytest.mark.parametrize("loader", [load_ground_truth, load_annotated])
def test_folder_without_truth_is_named(loader, tmp_path):
    with pytest.raises(InputError, match=str(tmp_path)):
        loader(tmp_path)


def test_crops_need_points(tmp_path):
    with pytest.raises(InputError, match="--points"):
        evaluate.main(["--crops", str(tmp_path)])


def test_best_box_is_that_of_the_face():
    points = np.array([[10.0, 20.0], [10.0, 20.0]])
    boxes = np.array([[50, 50, 60, 60, 0.9], [9, 9, 21, 21, 0.8]])
    assert best_box(points, boxes)[4] == 0.8
    assert best_box(points, boxes[:1]) is None
    assert best_box(points, boxes[:0]) is None


def test_the_quantized_network_is_measured_as_such(project_root):
    config = project_root / "configs/mb05_120x120.yml"
    image = np.random.default_rng(0).integers(0, 256, (200, 200, 3)).astype(np.uint8)
    exact, rough = (
        open_aligner(config, precision=precision).align_rois(image, [[20, 20, 180, 180]])
        for precision in ("float32", "int8")
    )
    difference = np.abs(exact - rough) / np.abs(exact).max()
    assert 1e-7 < difference.max() < 0.1
