"""The recipes of docs/extending.md, run as they stand there."""

import importlib
import json
import re
import sys

import cv2
import numpy as np
import pytest
import yaml

import tddfa.outputs
from tddfa import Config, FaceAligner, InputError, load_config
from tddfa.commands import image as image_command
from tddfa.commands import video as video_command
from tddfa.io.pictures import imread
from tddfa.model_files import load_face_model
from tddfa.outputs import OUTPUTS
from tddfa.params import load_parameter_scale
from tddfa.weight_labels import regressor_labels


@pytest.fixture(scope="module")
def recipes(project_root):
    """Fenced blocks of each section, by language."""
    text = (project_root / "docs" / "extending.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    return {
        section.splitlines()[0]: re.findall(r"^```(\w+)\n(.*?)^```", section, re.M | re.S)
        for section in sections
    }


def blocks(recipes, section, language):
    return [code for kind, code in recipes[section] if kind == language]


@pytest.fixture
def portrait(project_root):
    return imread(project_root / "examples" / "inputs" / "astronaut.png")[:300, 80:380]


@pytest.fixture
def new_file(tmp_path, monkeypatch):
    """Put a file into one of the packages of parts, for one test."""

    def put(package, name, code):
        folder = tmp_path / "parts"
        folder.mkdir()
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
        module = importlib.import_module(package)
        monkeypatch.setattr(module, "__path__", [*module.__path__, str(folder)])
        monkeypatch.delitem(sys.modules, f"{package}.{name}", raising=False)

    yield put
    for name in ("tddfa.detectors.skin", "tddfa.backbones.tiny"):
        sys.modules.pop(name, None)


@pytest.fixture
def new_outputs(recipes, monkeypatch):
    names: dict = {}
    for code in blocks(recipes, "An output", "python"):
        exec(code, names)
    table = {**OUTPUTS, **names["entry"], **names["file_entry"]}
    monkeypatch.setattr(tddfa.outputs, "OUTPUTS", table)
    monkeypatch.setattr(image_command, "OUTPUTS", table)


def test_output_on_the_command_line(new_outputs, portrait, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("a.png", portrait)
    arguments = ["-f", "a.png", "--onnx", "--out", "made", "--show_flag", "false"]
    assert image_command.main([*arguments, "-o", "normals", "points"]) == 0
    drawn = cv2.imread("made/a_normals.jpg")
    assert drawn.shape == portrait.shape
    nose = drawn[100:140, 130:160].reshape(-1, 3).mean(axis=0)
    assert nose[2] > 200 > 160 > nose[:2].max(), "what faces the viewer is red"
    (points,) = json.loads((tmp_path / "made" / "a_points.json").read_text())
    assert len(points) == 68
    with pytest.raises(SystemExit):
        image_command.main(["--help"])
    out = " ".join(capsys.readouterr().out.split())
    assert "normals (surface normals as colors)" in out and "points (landmarks as JSON)" in out


def test_output_in_video_and_python(new_outputs, pipeline, portrait, capsys):
    parser = video_command.video_parser("", "", smooth="none")
    assert parser.parse_args(["-f", "a.mp4", "-o", "normals"]).opt == "normals"
    for arguments, code in ((["-f", "a.mp4", "-o", "points"], 2), (["--help"], 0)):
        with pytest.raises(SystemExit) as error:
            parser.parse_args(arguments)
        assert error.value.code == code
    assert "surface normals as colors" in " ".join(capsys.readouterr().out.split())
    (face,) = pipeline.detect(portrait)
    assert (face.draw(portrait, "normals") != portrait).any()


def test_output_saves_by_extension(new_outputs, pipeline, portrait, tmp_path):
    (face,) = pipeline.detect(portrait)
    face.save(tmp_path / "a.json", portrait)
    assert len(json.loads((tmp_path / "a.json").read_text())[0]) == 68


def test_detector_for_pictures_and_video(recipes, new_file, project_root, portrait, tmp_path):
    (code,) = blocks(recipes, "A detector", "python")
    configuration = blocks(recipes, "A detector", "yaml")[0]
    new_file("tddfa.detectors", "skin", code)
    (tmp_path / "skin.yml").write_text(configuration)
    aligner = FaceAligner(tmp_path / "skin.yml")
    assert type(aligner.detector).__name__ == "SkinDetector"
    (face,) = aligner.detect(portrait)
    (expected,) = FaceAligner().detect(portrait)
    assert np.abs(face.landmarks[0].mean() - expected.landmarks[0].mean()) < 30
    frames = list(aligner.track([portrait] * 6))
    assert [[face.track_id for face in frame.faces] for frame in frames] == [[1]] * 6
    assert FaceAligner(tmp_path / "skin.yml", detector="faceboxes").config.detector == "faceboxes"
    assert aligner.detect(np.zeros_like(portrait)) == []


def test_without_the_file_there_is_no_such_detector(recipes, tmp_path):
    (tmp_path / "skin.yml").write_text(blocks(recipes, "A detector", "yaml")[0])
    with pytest.raises(InputError, match="faceboxes, faceboxes_two_scales, yunet"):
        load_config(tmp_path / "skin.yml")


def test_every_configuration_of_the_document_is_one(recipes):
    *_, yunet = blocks(recipes, "A detector", "yaml")
    assert Config.from_mapping(yaml.safe_load(yunet)).detector == "yunet"


def test_network_from_weights_to_faces(recipes, new_file, portrait, tmp_path):
    torch = pytest.importorskip("torch")
    (code,) = blocks(recipes, "A network", "python")
    new_file("tddfa.backbones", "tiny", code)
    from tddfa.backbone import build_backbone, load_backbone, recognize
    from tddfa.checkpoints import save_checkpoint
    from tddfa.export_onnx import export_onnx

    ours = load_config("configs/mb1_120x120.yml")
    parts = (
        load_face_model(ours.find("bfm_fp")),
        load_parameter_scale(ours.find("param_mean_std_fp")),
    )
    torch.manual_seed(0)
    network = build_backbone("tiny", 0.5, 62).eval()
    assert recognize(network.state_dict()) == ("tiny", 0.5, 62)
    labels = regressor_labels(*parts, network.width, network.arch)
    save_checkpoint(tmp_path / "tiny.pth", network.state_dict(), labels)
    assert type(load_backbone(tmp_path / "tiny.pth")).__name__ == "Tiny"
    assert export_onnx(tmp_path / "tiny.pth", tmp_path / "tiny.onnx") < 1e-4
    config = ours.with_values(
        arch="tiny", widen_factor=0.5, checkpoint_fp=str(tmp_path / "tiny.pth"), onnx_fp=None
    )
    found = [
        FaceAligner(config, backend=backend).detect(portrait)[0] for backend in ("onnx", "torch")
    ]
    np.testing.assert_allclose(found[0].landmarks, found[1].landmarks, atol=0.05)


def test_network_on_the_training_command_line(recipes, new_file):
    pytest.importorskip("torch")
    from training.export import main as export_main
    from training.train import build_parser

    new_file("tddfa.backbones", "tiny", blocks(recipes, "A network", "python")[0])
    (commands,) = blocks(recipes, "A network", "text")
    train, export = (line.split()[3:] for line in commands.splitlines())
    args = build_parser().parse_args(train)
    assert (args.arch, args.width) == ("tiny", 1.0)
    with pytest.raises(InputError, match="runs/tiny"):
        export_main(export)
