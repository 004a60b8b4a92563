import cv2
import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.model_files import load_face_model
from tddfa.roi import crop_img
from training.augmentation.profiling import rotation_matrix
from training.dataset.packed import open_packed
from training.dataset.split import is_held_out_crop
from training.detector import guess
from training.evaluation.predict import open_aligner, predict_faces
from training.labels.pseudo_labels import Labels, angles, landmarks, load_labels

ROI = [150.0, 40.0, 300.0, 190.0]  # around the astronaut's face


@pytest.fixture(scope="module")
def config(project_root):
    return str(project_root / "configs" / "mb05_120x120.yml")


@pytest.fixture(scope="module")
def face(project_root):
    return cv2.imread(str(project_root / "examples" / "inputs" / "astronaut.png"))


@pytest.fixture
def crops(face, tmp_path):
    """The face and its mirror image as stored crops, four of each."""
    margin = 0.2 * (ROI[2] - ROI[0])
    crop = crop_img(face, [ROI[0] - margin, ROI[1] - margin, ROI[2] + margin, ROI[3] + margin])
    crop = cv2.resize(crop, (168, 168), interpolation=cv2.INTER_AREA)
    for folder in ("as_it_is", "mirrored"):
        (tmp_path / "crops" / folder).mkdir(parents=True)
        for number in range(0, 80, 20):
            image = crop if folder == "as_it_is" else crop[:, ::-1]
            cv2.imwrite(str(tmp_path / f"crops/{folder}/{number:05d}.png"), image)
    return tmp_path / "crops"


def test_points_are_where_the_regressor_sees_them_in_the_photo(config, crops, face, project_root):
    aligner = open_aligner(config)
    labels = guess.guess_labels(aligner, crops, ["as_it_is/00000.png", "mirrored/00000.png"])
    model = load_face_model(project_root / "configs" / "face_model.npz")
    points = landmarks(labels, model)[:, :, :2]
    _, ((x, y, _),) = predict_faces(aligner, face, [ROI])
    # Pixels of the photo to edge coordinates of the canvas, y up.
    zoom = 120 / (ROI[2] - ROI[0])
    expected = np.stack([24 + zoom * (x + 0.5 - ROI[0]), 144 - zoom * (y + 0.5 - ROI[1])], axis=1)
    assert np.linalg.norm(points[0] - expected, axis=1).mean() < 1.5
    left, right = angles(labels.camera)[0]
    assert left == pytest.approx(-right, abs=6)


def test_crops_are_packed_with_what_is_held_out(config, crops, tmp_path):
    out = tmp_path / "packed"
    command = [str(crops), "--out", str(out), "-c", config, "--held-out", "2"]
    assert guess.main(command) == 0
    faces = open_packed(out)
    assert faces.detected and len(faces) == 8
    names = faces.labels.names.tolist()
    assert faces.held_out.tolist() == [is_held_out_crop(name, 2) for name in names]
    assert guess.main([*command, "--sources", "mirrored", "--every", "2", "--only-labels"]) == 0
    found = load_labels(out / "all_labels.npz").names.tolist()
    assert found == ["mirrored/00000.png", "mirrored/00040.png"]


def test_folder_without_crops_is_named(config, tmp_path):
    with pytest.raises(InputError, match="square face crops"):
        guess.main([str(tmp_path), "--out", str(tmp_path / "out"), "-c", config])


@pytest.mark.parametrize(("most", "ahead"), [(3, 0), (10, 7), (100, 97)])
def test_faces_ahead_make_room_for_turned_ones(most, ahead):
    yaw = np.zeros(101)
    yaw[[5, 50, 100]] = 40, -70, 90
    camera = np.zeros((101, 3, 4), np.float32)
    camera[:, :, :3] = [rotation_matrix(degrees, 0) for degrees in yaw]
    labels = Labels(np.arange(101).astype(str), camera, np.zeros((101, 50)), np.zeros(101))
    good = np.ones(101, bool)
    good[0] = False
    rows = guess.thinned(labels, good, most)
    assert {5, 50, 100} <= set(rows.tolist()) and 0 not in rows
    assert len(rows) == len(set(rows)) == 3 + ahead
