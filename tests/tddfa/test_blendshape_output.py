"""Blendshapes of an aligner: asked for or not, by the head or by the fit, in every path."""

import json
import logging
import pickle

import numpy as np
import pytest

from tddfa import FaceAligner, load_config
from tddfa.arkit52 import NAMES, mirrored
from tddfa.errors import InputError
from tddfa.io.pictures import imread
from tddfa.io.report import face_record

PICTURE = "examples/inputs/astronaut.png"
CONFIGS = ("configs/mb1_120x120.yml", "configs/mb05_120x120.yml")


@pytest.fixture(scope="module")
def image():
    return imread(PICTURE)


@pytest.fixture(scope="module", params=CONFIGS)
def pair(request):
    return FaceAligner(request.param), FaceAligner(request.param, blendshapes=True)


def test_they_are_there_only_where_asked_for_and_change_nothing_else(pair, image):
    plain, asked = (aligner.detect(image)[0] for aligner in pair)
    assert plain.blendshapes is None and "blendshapes" not in face_record(plain)
    np.testing.assert_allclose(asked.param, plain.param, atol=1e-3)
    values = asked.blendshapes
    assert values.shape == (52,) and values.dtype == np.float32
    assert values.min() >= 0 and values.max() <= 1
    assert values[NAMES.index("tongueOut")] < 1e-4
    assert list(face_record(asked)["blendshapes"]) == list(NAMES)


def test_the_portrait_smiles_with_open_eyes(pair, image):
    values = dict(zip(NAMES, pair[1].detect(image)[0].blendshapes.tolist(), strict=True))
    assert min(values["mouthSmileLeft"], values["mouthSmileRight"]) > 0.5
    assert max(values["eyeBlinkLeft"], values["eyeBlinkRight"]) < 0.3
    assert values["mouthFrownLeft"] < 0.2


def test_a_mirror_swaps_left_and_right(pair, image):
    values = pair[1].detect(image)[0].blendshapes
    swapped = pair[1].detect(np.ascontiguousarray(image[:, ::-1]))[0].blendshapes
    partner = [NAMES.index(mirrored(name)) for name in NAMES]
    assert np.abs(values - swapped[partner]).mean() < 0.05


def test_several_faces_and_none(pair, image):
    aligner = pair[1]
    both = np.hstack([image, image[:, ::-1]])
    assert all(face.blendshapes.shape == (52,) for face in aligner.detect(both))
    assert aligner.detect(np.zeros((200, 200, 3), np.uint8)) == []
    assert aligner.aligner.regress_all(np.zeros((0, 3, 120, 120), np.float32)).blendshapes is None


def test_pytorch_gives_the_same(image):
    pytest.importorskip("torch")
    found = [
        FaceAligner(backend=backend, blendshapes=True).detect(image)[0].blendshapes
        for backend in ("onnx", "torch")
    ]
    np.testing.assert_allclose(*found, atol=1e-3)


def test_tracks_have_them_smoothed(pair, image):
    copy = pickle.loads(pickle.dumps(pair[1]))
    steps = {}
    for smooth in ("none", "mean", "one_euro"):
        frames = list(copy.track([image] * 6, smooth=smooth))
        rows = np.stack([face.blendshapes for frame in frames for face in frame.faces])
        assert rows.shape == (6, 52) and rows.min() >= 0 and rows.max() <= 1
        steps[smooth] = np.abs(np.diff(rows, axis=0)).max()
    # The face itself stands still: what moves is the ROI, until it has settled.
    assert 0 < steps["one_euro"] < steps["none"] and steps["mean"] < steps["none"]


def test_without_a_head_they_are_fitted_and_it_is_said(image, caplog):
    config = load_config(CONFIGS[0]).with_values(blendshapes_fp=None)
    with caplog.at_level(logging.WARNING):
        aligner = FaceAligner(config, blendshapes=True)
    assert "blendshapes_fp" in caplog.text
    values = aligner.detect(image)[0].blendshapes
    assert values.shape == (52,) and values[NAMES.index("mouthSmileLeft")] > 0.1


def test_another_regressors_head_is_refused():
    config = load_config(CONFIGS[0]).with_values(
        blendshapes_fp="weights/mb05_120x120_blendshapes.pth"
    )
    with pytest.raises(InputError, match="other features"):
        FaceAligner(config, blendshapes=True)
    FaceAligner(config)  # nobody asked for it
    pytest.importorskip("torch")
    with pytest.raises(InputError, match="other features"):
        FaceAligner(config, blendshapes=True, backend="torch")


def test_weights_that_are_no_head():
    pytest.importorskip("torch")
    config = load_config(CONFIGS[0]).with_values(blendshapes_fp="weights/mb1_120x120.pth")
    with pytest.raises(InputError, match="other features"):
        FaceAligner(config, blendshapes=True, backend="torch")


def test_other_face_models_have_none(shared):
    with pytest.raises(InputError, match="open face model"):
        FaceAligner("configs/reference_mb05.yml", assets=shared / "upstream", blendshapes=True)


def test_the_report_of_pictures_has_them(tmp_path):
    from tddfa.commands.image import main

    target = tmp_path / "faces.json"
    arguments = ["-f", PICTURE, "-o", "pose", "--json", target, "--out", tmp_path / "p.jpg"]
    assert main([str(a) for a in [*arguments, "--show_flag", "false"]], "tddfa image") == 0
    (face,) = json.loads(target.read_text())["pictures"][0]["faces"]
    assert face["blendshapes"]["mouthSmileLeft"] > 0.5


def test_records_of_a_video_have_them_if_asked(tmp_path, image):
    from tddfa.commands.video import main
    from tddfa.io.pictures import imwrite

    film = tmp_path / "film"
    film.mkdir()
    for number in range(3):
        imwrite(film / f"frame_{number:04d}.png", image)
    found = {}
    for flags in ((), ("--blendshapes",)):
        target = tmp_path / f"faces{len(flags)}.jsonl"
        out = tmp_path / f"out{len(flags)}.mp4"
        arguments = ["-f", film, "--save_params", target, "--out", out, *flags]
        assert main([str(a) for a in arguments], "tddfa video") == 0
        found[flags] = [json.loads(line) for line in target.read_text().splitlines()]
    assert all("blendshapes" not in row for row in found[()])
    assert [list(row["blendshapes"]) for row in found["--blendshapes",]] == [list(NAMES)] * 3


def test_a_video_is_told_where_they_would_go(tmp_path):
    from tddfa.commands.video import main

    with pytest.raises(InputError, match="--save_params"):
        main(["-f", PICTURE, "--blendshapes", "--out", str(tmp_path / "o.mp4")], "tddfa video")


def test_tables_have_the_column_if_asked(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    from tddfa.label.places import Folder
    from tddfa.label.shards import LabelSettings, write_shard
    from tddfa.label.sources import find_sources

    sources, place = find_sources([PICTURE]), Folder(tmp_path)
    for asked in (False, True):
        aligner = FaceAligner(blendshapes=asked)
        settings = LabelSettings(visibility=False, blendshapes=asked)
        write_shard(place, f"{asked}.parquet", sources, aligner, settings)
        table = parquet.read_table(tmp_path / f"{asked}.parquet")
        assert ("blendshapes" in table.column_names) == asked
    (values,) = table.column("blendshapes").to_pylist()
    assert len(values) == 52 and values[NAMES.index("mouthSmileLeft")] > 0.5
