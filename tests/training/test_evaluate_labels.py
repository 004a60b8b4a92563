"""Labels beside points that people marked."""

import csv
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.ibug68 import MEDIAPIPE
from tddfa.io.atomic import save_arrays
from tddfa.morphable_model import MorphableModel
from tddfa.pixel_frames import to_centers, turned_over
from training.dataset.crops import SQUARES
from training.evaluate_labels import evaluate, main, report
from training.evaluation.metrics import eye_corner_distance
from training.labels.pseudo_labels import Labels, landmarks
from training.mediapipe_points import N_POINTS

COLUMNS = ["file", *(f"{axis}{k}" for k in range(68) for axis in "xy")]


@pytest.fixture
def marked(packed_folder: Path, model: MorphableModel, labels: Labels, tmp_path: Path):
    """The packed set as if cut from photos, and a writer of marks that lie so far from labels."""
    data = tmp_path / "data"
    shutil.copytree(packed_folder, data)
    (data / "crops").mkdir()
    with (data / "crops" / SQUARES).open("w", newline="") as file:
        csv.writer(file).writerows([n, f"{n}.png", 0, 0, 168, 168] for n in labels.names)
    points = to_centers(turned_over(landmarks(labels, model)[:, :, :2], 168))

    def write(shift: float) -> Path:
        table = tmp_path / "marks.csv"
        with table.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(COLUMNS)
            for name, own in zip(labels.names, points, strict=True):
                rows.writerow([f"{name}.png", *np.ravel(own + np.array([shift, 0]))])
        return table

    return data, write, points


@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_distance_from_the_marks_is_found(marked, model_file: Path, shift: float) -> None:
    data, write, points = marked
    (found,) = evaluate(data, write(shift), None, model_file)
    assert found.source == "labels" and found.openings.n_faces > 40
    assert found.openings.lip_error == pytest.approx(0, abs=1e-4)
    corners = eye_corner_distance(points.transpose(0, 2, 1))
    assert found.inner == pytest.approx(float((100 * shift / corners).mean()), abs=0.02)


def test_a_mouth_half_as_open_is_told() -> None:
    marks = np.random.default_rng(0).uniform(0, 100, (3, 2, 68))
    marks[:, :, [60, 64]] = np.array([[20, 60], [50, 50]])
    for k, (up, low) in enumerate(((61, 67), (62, 66), (63, 65))):
        marks[:, 0, [up, low]] = 30 + 10 * k
        marks[:, 1, up], marks[:, 1, low] = 40, 60
    found = marks.copy()
    found[:, 1, [61, 62, 63]], found[:, 1, [65, 66, 67]] = 45, 55
    told = report("half", found, marks)
    assert told.openings.n_open_mouths == 3
    assert told.openings.open_mouth_ratio == pytest.approx(0.5)


def test_mediapipes_points_of_the_faces_it_found_are_compared(
    marked, model_file: Path, labels: Labels, tmp_path: Path
) -> None:
    data, write, points = marked
    folder = tmp_path / "points"
    folder.mkdir()
    # In another order, without the first face, nothing found in the last.
    names, own = labels.names[:0:-1], points[:0:-1]
    marks = np.full((len(names), N_POINTS, 3), 40, np.float32)
    for landmark, place in MEDIAPIPE.items():
        marks[:, place, :2] = own[:, landmark] + 0.5
    marks[0] = np.nan
    save_arrays(folder / "points_00_0000.npz", names=names, points=marks)
    whole, some = evaluate(data, write(0), folder, model_file)
    assert some.source == "MediaPipe" and np.isnan(some.inner)
    assert some.openings.n_faces == whole.openings.n_faces - 2
    assert some.openings.lip_error == pytest.approx(0, abs=1e-3)
    save_arrays(folder / "points_00_0000.npz", names=names[:0], points=marks[:0])
    assert len(evaluate(data, write(0), folder, model_file)) == 1


def test_photos_of_others_are_named(marked, model_file: Path, tmp_path: Path) -> None:
    data, _, _ = marked
    table = tmp_path / "others.csv"
    table.write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(InputError, match=r"others\.csv.*expected marks of at least one face"):
        evaluate(data, table, None, model_file)


def test_the_command_prints_a_line(marked, model_file: Path, caplog) -> None:
    data, write, _ = marked
    with caplog.at_level(logging.INFO):
        arguments = [str(data), "--annotated", str(write(0)), "--face-model", str(model_file)]
        assert main(arguments) == 0
    assert "labels: " in caplog.text and "inner points 0.00 %" in caplog.text
