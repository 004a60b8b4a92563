import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from FaceBoxes.box_coding import decode
from FaceBoxes.network import FaceBoxesNet, load_network
from FaceBoxes.onnx_detector import FaceBoxes_ONNX
from FaceBoxes.prior_box import prior_boxes
from tddfa.errors import InputError
from tddfa.model_files import load_face_model
from tddfa.roi import parse_roi_box_from_bbox
from training.dataset.packed import open_packed
from training.dataset.split import is_held_out_picture
from training.detector import boxes, compose, crowd, decoys, evaluate, sources, train
from training.detector import picture as pictures
from training.detector.faces import labelled_faces
from training.detector.loss import hard_negatives, multibox_loss
from training.detector.picture import ComposeSettings, Picture
from training.detector.settings import DetectorTrainSettings
from training.export import export
from training.labels.pseudo_labels import landmarks
from training.provenance.entry import PICTURE, Entry, read_manifest, write_manifest
from training.provenance.rules import beside

NONE = np.zeros((0, 4), np.float32)


def rows(*values):
    return np.array(values, np.float32).reshape(-1, 4)


def test_box_of_roi_inverts_the_roi_of_a_box():
    box = boxes.box_around([60, 70], 100)
    found = boxes.box_of_roi(parse_roi_box_from_bbox(box))
    np.testing.assert_allclose(found, box, atol=0.5)
    width, height = box[2:] - box[:2]
    assert width + height == pytest.approx(200) and width / height == pytest.approx(0.76)


def test_overlaps_of_nothing_itself_and_a_half():
    first = rows([0, 0, 10, 10])
    found = boxes.overlaps(first, rows([20, 0, 30, 10], [0, 0, 10, 10], [0, 0, 5, 10]))
    np.testing.assert_allclose(found, [[0, 1, 0.5]])
    assert boxes.overlaps(first, NONE).shape == (1, 0)


def test_merging_keeps_what_the_detector_missed():
    given, found = rows([0, 0, 10, 10], [50, 50, 60, 60]), rows([1, 1, 11, 11])
    assert len(boxes.merge(given, found)) == 2
    assert len(boxes.merge(given, NONE)) == 2
    assert len(boxes.merge(NONE, found)) == 1


@pytest.mark.parametrize("side", [8, 20, 50, 110, 260])
def test_each_face_has_an_anchor_that_decodes_to_it(side):
    face = rows([60, 40, 60 + side, 40 + side])
    classes, offsets = boxes.match(face, NONE, (384, 384))
    assert (classes == 1).sum() >= 1
    chosen = classes == 1
    decoded = decode(offsets[chosen], prior_boxes(384, 384)[chosen]) * 384
    np.testing.assert_allclose(decoded, np.repeat(face, chosen.sum(), 0), atol=1e-2)


def test_doubtful_places_count_neither_way_unless_a_face_is_there():
    place = rows([100, 100, 228, 228])
    classes, _ = boxes.match(NONE, place, (384, 384))
    assert (classes == -1).any() and not (classes == 1).any()
    classes, _ = boxes.match(place, place, (384, 384))
    assert (classes == 1).any()
    assert not boxes.match(NONE, NONE, (384, 384))[0].any()


def test_hard_negatives_are_the_worst_and_seven_for_each_face():
    classes = torch.zeros(2, 100, dtype=torch.long)
    classes[0, :4], classes[0, 4] = 1, -1
    surprise = torch.arange(200.0).reshape(2, 100)
    chosen = hard_negatives(surprise, classes)
    assert chosen[0].sum() == 28 and chosen[0, -28:].all()
    assert chosen[1].sum() == 16 and not (chosen & (classes != 0)).any()


def test_perfect_answers_cost_next_to_nothing_and_ignored_anchors_nothing():
    classes = torch.zeros(1, 50, dtype=torch.long)
    classes[0, :3], classes[0, 3:6] = 1, -1
    offsets = torch.randn(1, 50, 4)
    conf = torch.zeros(1, 50, 2)
    conf[0, :, 0], conf[0, :3, 0], conf[0, :3, 1] = 20, 0, 20
    assert multibox_loss(offsets, conf, classes, offsets)[0] < 1e-6
    conf[0, 3:6] = torch.tensor([-50.0, 50.0])
    assert multibox_loss(offsets + (classes == -1)[..., None], conf, classes, offsets)[0] < 1e-6
    conf[0, 10] = torch.tensor([0.0, 9.0])
    assert multibox_loss(offsets, conf, classes, offsets)[0] > 1


def test_batch_without_a_face_has_a_finite_loss():
    classes = torch.zeros(2, 50, dtype=torch.long)
    total, parts = multibox_loss(
        torch.randn(2, 50, 4), torch.randn(2, 50, 2), classes, torch.zeros(2, 50, 4)
    )
    assert torch.isfinite(total) and parts["boxes"] == 0


def marked(size=200):
    """A picture with a white square as its face."""
    image = np.full((size, size, 3), 30, np.uint8)
    image[60:100, 80:120] = 255
    return Picture(image, rows([80, 60, 120, 100]), NONE)


def test_boxes_move_with_their_picture():
    picture = marked()
    for seed in range(20):
        moved = pictures.part_of_photo(picture, picture.faces, 256, np.random.default_rng(seed))
        for left, top, right, bottom in moved.faces.tolist():
            white = moved.image[:, :, 0] > 140
            inner = white[
                max(0, round(top) + 3) : round(bottom) - 3,
                max(0, round(left) + 3) : round(right) - 3,
            ]
            assert inner.all()
            assert white.sum() <= (right - left + 3) * (bottom - top + 3)


def test_small_faces_and_those_outside_become_doubtful():
    faces = rows([0, 0, 8, 8], [-60, 0, -20, 40], [10, 10, 50, 50])
    found = pictures.sorted_out(Picture(np.zeros((100, 100, 3), np.uint8), faces, NONE))
    assert found.faces.tolist() == [[10, 10, 50, 50]]
    assert len(found.doubtful) == 2


def test_pasted_face_lies_in_its_box_and_hides_what_is_below():
    crop = np.zeros((168, 168, 3), np.uint8)
    own = np.round(boxes.box_of_roi([24, 24, 144, 144])).astype(int)
    crop[own[1] : own[3], own[0] : own[2]] = 255
    center, whole = np.array([100.0, 80.0], np.float32), np.ones((168, 168), np.float32)
    picture = crowd.paste(marked(), crop, [84, 84, 120], 60.0, center, 0.0, whole)
    box = boxes.box_around(center, 60)
    np.testing.assert_allclose(picture.faces, [box])
    assert len(picture.doubtful) == 1
    white = np.argwhere(picture.image[:, :, 0] > 127)
    np.testing.assert_allclose(white.min(axis=0), box[[1, 0]], atol=1.5)
    np.testing.assert_allclose(white.max(axis=0), box[[3, 2]], atol=1.5)


@pytest.fixture
def folders(tmp_path):
    """Scenes with one annotated face each, and negatives."""
    scenes, negatives = tmp_path / "scenes", tmp_path / "negatives"
    (scenes / "images").mkdir(parents=True)
    negatives.mkdir()
    header = ["file"] + [f"{axis}{k}" for k in range(68) for axis in "xy"]
    lines = [",".join(header)]
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    for i in range(12):
        cv2.imwrite(str(scenes / f"images/p{i}x.png"), np.full((200, 220, 3), 20 * i, np.uint8))
        cv2.imwrite(str(negatives / f"n{i}x.png"), np.full((150, 130, 3), 99, np.uint8))
        points = np.stack([100 + 40 * np.cos(angle), 110 + 40 * np.sin(angle)], 1)
        lines.append(",".join([f"p{i}x.png", *(f"{v:.2f}" for v in points.ravel())]))
    (scenes / "landmarks68.csv").write_text("\n".join(lines))
    return scenes, negatives


def face_box():
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    return boxes.box_of_landmarks(np.stack([100 + 40 * np.cos(angle), 110 + 40 * np.sin(angle)]))


def test_sources_keep_faces_and_doubts(folders, tmp_path):
    scenes, _ = folders

    def detector(picture):
        return np.array([[0, 0, 30, 30, 0.9], [150, 150, 190, 190, 0.3]], np.float32)

    table = scenes / "landmarks68.csv"
    found = sources.find_boxes(scenes / "images", detector, table)
    sources.save_boxes(tmp_path / "boxes.npz", found)
    back = sources.load_boxes(tmp_path / "boxes.npz")
    assert back.names == found.names and len(back.names) == 12
    np.testing.assert_allclose(back.faces[3], [face_box(), [0, 0, 30, 30]], atol=1e-3)
    np.testing.assert_allclose(back.doubtful[3], [[150, 150, 190, 190]])
    with pytest.raises(InputError, match="other"):
        sources.load_boxes(tmp_path / "other.npz")


def test_pictures_known_to_hold_no_face_need_no_detector(folders, tmp_path):
    _, negatives = folders
    out = tmp_path / "empty.npz"
    assert sources.main([str(negatives), "--empty", "--out", str(out)]) == 0
    found = sources.load_boxes(out)
    assert len(found.names) == 12 and not any(map(len, [*found.faces, *found.doubtful]))
    with pytest.raises(InputError, match="--empty"):
        sources.main([str(negatives), "--empty", "--landmarks", "x.csv", "--out", str(out)])


def test_packed_crops_say_where_their_faces_are(packed_folder, model_file, tmp_path):
    out, known = tmp_path / "crops.npz", open_packed(packed_folder)
    folder = tmp_path / "crops"
    folder.mkdir()
    words = ["--labels", str(packed_folder), "--face-model", str(model_file), "--out", str(out)]
    assert sources.main([str(folder), *words]) == 0
    found = sources.load_boxes(out)
    assert found.names == known.labels.names.tolist()
    points = landmarks(known.labels, load_face_model(model_file))
    for box, face in zip(found.faces, points, strict=True):
        (x, y), (left, top, right, bottom) = face[:, :2].mean(axis=0), box[0]
        assert left < x < right and top < y < bottom
    assert not beside(out).exists()  # as the packed set has none: --free is to refuse them


def test_empty_pictures_are_wholly_so(folders):
    _, negatives = folders
    source = compose.Source(negatives, sources.no_boxes(negatives), empty=True)
    picture, _ = source.draw(0.5, np.random.default_rng(0))
    assert picture.empty.tolist() == [[0, 0, 130, 150]]


def test_measurement_counts_recall_mistakes_and_overlap(folders):
    scenes, negatives = folders
    held = [i for i in range(12) if is_held_out_picture(f"p{i}x.png")]
    assert held

    def perfect(picture):
        is_scene = picture.shape[0] == 200
        return np.array([[*face_box(), 0.9]], np.float32) if is_scene else np.zeros((0, 5))

    def careless(picture):
        shifted = face_box() + np.array([6, 0, 6, 0])
        blind = picture[0, 0, 0] == 20 * held[0]
        return np.zeros((0, 5)) if blind else np.array([[*shifted, 0.9], [0, 0, 9, 9, 0.8]])

    report = evaluate.measure(careless, perfect, scenes, negatives)
    assert report.reference_recall == 1 and report.reference_false_positives == 0
    assert report.recall == pytest.approx(1 - 1 / len(held))
    assert report.false_positives == 2
    assert 0.8 < report.mean_overlap < 0.95 or len(held) == 1


@pytest.mark.slow
def test_training_goes_on_and_its_weights_load(folders, packed_folder, tmp_path):
    scenes, negatives = folders
    empty = sources.no_boxes(negatives)
    some = [np.zeros((0, 4), np.float32)] * 12
    for folder, name, faces in (
        (scenes / "images", "scenes", [face_box()[None]] * 12),
        (negatives, "negatives", some),
    ):
        names = sorted(path.name for path in folder.iterdir())
        sources.save_boxes(tmp_path / f"{name}.npz", sources.BoxedPictures(names, faces, some))
    one = sources.BoxedPictures([train.trained_on(empty).names[0]], [rows([5, 5, 50, 50])], [NONE])
    sources.save_boxes(tmp_path / "decoys.npz", one)
    command = [
        "--scenes", str(scenes / "images"), "--scene-boxes", str(tmp_path / "scenes.npz"),
        "--negatives", str(negatives), "--negative-boxes", str(tmp_path / "negatives.npz"),
        "--crops", str(packed_folder), "--out", str(tmp_path / "run"), "--batch-size", "2",
        "--workers", "0", "--log-every", "1", "--empty", str(negatives),
        "--empty-decoys", str(tmp_path / "decoys.npz"), "--set", "size=128",
    ]  # fmt: skip
    assert train.main([*command, "--samples", "4"]) == 0
    assert train.main([*command, "--samples", "8"]) == 0
    network = load_network(tmp_path / "run/weights.pth")
    assert isinstance(network, FaceBoxesNet)
    state = torch.load(tmp_path / "run/state.pt", weights_only=True)
    assert state["step"] == 4
    files = export(tmp_path / "run", "small", tmp_path / "out", tmp_path / "out")
    assert [path.name for path in files] == ["small.pth", "small.onnx"]
    assert FaceBoxes_ONNX(onnx_fp=files[1])(np.zeros((64, 64, 3), np.uint8)).shape[1] == 5
    with pytest.raises(InputError, match="multiple of 128"):
        train.main([*command[:-1], "size=100"])


@pytest.mark.slow
def test_free_training_of_crops_and_empty_pictures_alone(folders, packed_folder, tmp_path):
    _, negatives = folders
    data = shutil.copytree(packed_folder, tmp_path / "crops")
    write_manifest(data, [Entry(PICTURE, "set/00000.webp", "CC0-1.0")])
    (negatives / "manifest.csv").write_text(
        "file,licence\n" + "".join(f"n{i}x.png,MIT\n" for i in range(12))
    )
    weights, decoys = "weights/FaceBoxesProd.pth", tmp_path / "decoys.npz"
    boxes_of = tmp_path / "empty.npz"
    assert sources.main([str(negatives), "--empty", "--out", str(boxes_of)]) == 0
    sources.save_boxes(decoys, sources.load_boxes(boxes_of))
    write_manifest(beside(decoys), read_manifest(beside(boxes_of)))
    command = [
        "--free", "--crops", str(data), "--empty", str(negatives), "--empty-decoys", str(decoys),
        "--out", str(tmp_path / "run"), "--batch-size", "2", "--workers", "0", "--samples", "4",
        "--set", "size=128",
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"--teacher .*FaceBoxesProd.pth': no manifest says"):
        train.main([*command, "--teacher", weights])
    assert train.main(command) == 0
    entries = read_manifest(tmp_path / "run")
    assert len(entries) == 14 and all(entry.licence for entry in entries)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "--negatives: expected them, or --empty"),
        ({"scenes": Path("a")}, "--scenes: expected --scene-boxes"),
        ({"negative_boxes": Path("a")}, "--negatives: expected --negative-boxes"),
        ({"empty": Path("a"), "free": True}, "--free: expected --empty-decoys"),
        ({"empty": Path("a"), "free": True, "rare_crops": Path("a")}, "--free: expected no --rare"),
    ],
)
def test_pictures_and_boxes_that_belong_together(given, message):
    nothing = dict.fromkeys(("scenes", "scene_boxes", "negatives", "negative_boxes"))
    with pytest.raises(InputError, match=message):
        DetectorTrainSettings(**(nothing | given), crops=(), out=Path("x"))


def test_same_number_gives_the_same_picture(folders, packed_folder):
    scenes, _ = folders
    names = [f"p{i}x.png" for i in range(12)]
    pictures = sources.BoxedPictures(names, [face_box()[None]] * 12, [NONE] * 12)
    source = compose.Source(scenes / "images", pictures)
    composer = compose.Composer(
        source, [source, source], labelled_faces(packed_folder, 100), ComposeSettings(size=256), 0
    )
    for index in range(6):
        first, again = composer(index), composer(index)
        assert (first.image == again.image).all() and (first.faces == again.faces).all()
        assert first.image.shape == (256, 256, 3) and first.image.dtype == np.uint8


def test_decoys_are_finds_that_overlap_nothing_known(folders):
    _, negatives = folders
    names = [f"n{i}x.png" for i in range(12)]
    face, doubt = rows([0, 0, 20, 20]), rows([100, 100, 120, 120])
    known = sources.BoxedPictures(names, [face] * 12, [doubt] * 12)
    strange = [60, 60, 90, 90, 0.4]

    def detector(picture):
        return np.array(
            [[1, 1, 21, 21, 0.9], strange, [101, 101, 121, 121, 0.6], [5, 70, 30, 90, 0.05]],
            np.float32,
        )

    found = decoys.find_decoys(negatives, known, detector)
    assert found.names == [name for name in names if not is_held_out_picture(name)]
    assert all((boxes == rows(strange[:4])).all() for boxes in found.faces)
    none = decoys.find_decoys(negatives, known, lambda picture: np.zeros((0, 5), np.float32))
    assert none.names == []


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_decoys_are_drawn_as_often_as_asked(folders, share):
    _, negatives = folders
    names = [f"n{i}x.png" for i in range(12)]
    plain = sources.BoxedPictures(names, [NONE] * 12, [NONE] * 12)
    place = rows([60, 60, 90, 90])
    source = compose.Source(negatives, plain, sources.BoxedPictures(names[:1], [place], [NONE]))
    drawn = [source.draw(share, np.random.default_rng(seed)) for seed in range(8)]
    assert all(len(around) == share for _, around in drawn)
    assert all(len(picture.faces) == 0 for picture, _ in drawn)


def test_masks_spare_the_black_border_and_show_the_face():
    for seed in range(20):
        mask = crowd.draw_mask(np.array([0, 40, 168, 150]), np.random.default_rng(seed))
        assert not mask[:40].any() and not mask[150:].any()
        assert mask[84, 84] > 0.9 and 0 <= mask.min() <= mask.max() <= 1


def test_command_line_and_python_ask_for_the_same():
    names = ("scenes", "scene_boxes", "negatives", "negative_boxes", "out")
    line = [part for name in names for part in (f"--{name.replace('_', '-')}", name)]
    found = train.settings_of(train.build_parser().parse_args([*line, "--crops", "crops"]))
    paths = {name: Path(name) for name in names}
    assert found == DetectorTrainSettings(**paths, crops=(Path("crops"),))


def test_size_that_the_network_cannot_take():
    paths = {name: Path("x") for name in ("scenes", "scene_boxes", "negatives", "negative_boxes")}
    with pytest.raises(InputError, match="size: expected a multiple of 128, got 100"):
        DetectorTrainSettings(
            **paths, crops=(), out=Path("x"), composition=ComposeSettings(size=100)
        )
