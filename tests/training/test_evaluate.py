import json

import numpy as np
import pytest

from tddfa.errors import InputError
from training import evaluate
from training.evaluation.benchmark_sets import best_box, load_annotated, load_ground_truth
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
