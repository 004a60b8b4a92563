"""Files that do not belong together are refused by name; those that do are found together."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from FaceBoxes import FaceBoxes
from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX
from tddfa import TDDFA, TDDFA_ONNX, Config, InputError, load_config
from tddfa.assets import ASSETS_VARIABLE
from tddfa.cli import run_main
from tddfa.commands import image as demo
from tddfa.face_aligner import FaceAligner
from tddfa.network_files import find_detector

pytest.importorskip("torch")

BACKENDS = [TDDFA, TDDFA_ONNX]
# As the reference's own file has them.
SIX_KEYS = """\
arch: mobilenet
widen_factor: 0.5
checkpoint_fp: weights/mb05_120x120.pth
bfm_fp: configs/bfm_noneck_v3.pkl
size: 120
num_params: 62
"""


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv(ASSETS_VARIABLE, raising=False)


@pytest.fixture
def ref(upstream, tmp_path) -> Path:
    """A copy of the reference's repository, with another face model in Basel's place."""
    folder = tmp_path / "REF"
    for source in [*upstream.glob("configs/*"), *upstream.glob("weights/*")]:
        name = source.relative_to(upstream)
        if source.name == "FaceBoxesProd.pth":
            name = "FaceBoxes" / name
        if source.name == "bfm_interpolated_from_sparse.pkl":
            name = name.with_name("bfm_noneck_v3.pkl")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(source)
    (folder / "configs" / "mb05_120x120.yml").write_text(SIX_KEYS)
    return folder


@pytest.fixture
def ours(project_root) -> dict[str, str]:
    """Keys of our x0.5 configuration, by absolute path."""
    config = load_config(project_root / "configs" / "mb05_120x120.yml")
    keys = ("checkpoint_fp", "bfm_fp", "param_mean_std_fp")
    return {key: str(config.find(key)) for key in keys} | {"widen_factor": 0.5}


@pytest.fixture
def theirs(upstream) -> dict[str, str]:
    return {
        "widen_factor": 0.5,
        "checkpoint_fp": str(upstream / "weights/mb05_120x120.pth"),
        "bfm_fp": str(upstream / "configs/bfm_interpolated_from_sparse.pkl"),
        "param_mean_std_fp": str(upstream / "configs/param_mean_std_62d_120x120.pkl"),
    }


@pytest.fixture(scope="module")
def portrait(project_root):
    return cv2.imread(str(project_root / "examples" / "inputs" / "astronaut.png"))


def assert_the_references(config: Config, ref: Path, portrait, reference_pipeline):
    for key in ("checkpoint_fp", "bfm_fp", "param_mean_std_fp"):
        assert config.find(key).is_relative_to(ref), key
    assert find_detector(config) == ref / "FaceBoxes/weights/FaceBoxesProd.pth"
    pipeline = FaceAligner(config)
    (actual,), (expected,) = pipeline(portrait), reference_pipeline(portrait)
    np.testing.assert_allclose(actual.landmarks, expected.landmarks, atol=1e-3)
    assert pipeline.aligner.tri.uv.shape == (38365, 2)


@pytest.mark.parametrize("with_assets", [False, True])
def test_a_configuration_of_the_reference(ref, with_assets, portrait, reference_pipeline):
    """Landmarks were off by 42 to 79 % of the box: our weights were found first."""
    config = load_config(ref / "configs/mb05_120x120.yml", ref if with_assets else None)
    assert_the_references(config, ref, portrait, reference_pipeline)


@pytest.mark.parametrize("place", ["assets", "variable", "working directory"])
def test_its_keys_read_by_hand(ref, place, portrait, reference_pipeline, monkeypatch):
    """As ``TDDFA(**yaml.load(...))``: the configuration's folder is not known."""
    keys = yaml.safe_load(SIX_KEYS)
    if place == "assets":
        keys["assets"] = str(ref)
    elif place == "variable":
        monkeypatch.setenv(ASSETS_VARIABLE, str(ref))
    else:
        monkeypatch.chdir(ref)
    config = Config.from_mapping(keys)
    assert_the_references(config, ref, portrait, reference_pipeline)


def test_demo(ref, tmp_path, project_root, monkeypatch, capsys):
    monkeypatch.chdir(project_root)
    arguments = ["-c", ref / "configs/mb05_120x120.yml", "--assets", ref, "--onnx"]
    arguments += ["--out", tmp_path / "o.jpg"]
    assert run_main(lambda: demo.main([str(a) for a in arguments])) == 0
    (ref / "weights/mb05_120x120.pth").unlink()  # then ours is found, and refused
    assert run_main(lambda: demo.main([str(a) for a in arguments])) == 2
    err = capsys.readouterr().err
    assert err.count("error: ") == 1
    assert "mb05_120x120.onnx" in err and "bfm_noneck_v3.pkl" in err


def test_our_configuration_copied_elsewhere(ref, tmp_path, project_root, monkeypatch):
    """What it names is only here, whatever the asset folder has under the same name."""
    monkeypatch.setenv(ASSETS_VARIABLE, str(ref))
    (tmp_path / "mine").mkdir()
    name = shutil.copy(project_root / "configs/mb05_120x120.yml", tmp_path / "mine")
    config = load_config(name)
    assert config.find("checkpoint_fp") == project_root / "weights/mb05_120x120.pth"
    TDDFA_ONNX(**vars(config))


def test_files_of_a_configuration_beside_it_come_first(tmp_path, project_root):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/mb05_120x120.pth").touch()
    name = shutil.copy(project_root / "configs/mb05_120x120.yml", tmp_path)
    assert load_config(name).find("checkpoint_fp") == tmp_path / "weights/mb05_120x120.pth"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("weights", "model", "scale", "words"),
    [
        ("ours", "theirs", "ours", ["weights/mb05", "face model", "bfm_interp"]),
        ("ours", "theirs", "theirs", ["weights/mb05", "face model", "bfm_interp"]),
        ("ours", "ours", "theirs", ["weights/mb05", "scale", "120x120.pkl"]),
        ("theirs", "ours", "ours", ["mb05_120x120", "face model", "face_model.npz"]),
        ("theirs", "ours", "theirs", ["mb05_120x120", "face model", "face_model.npz"]),
        ("theirs", "theirs", "ours", ["mb05_120x120", "scale", "param_mean_std_62d.npz"]),
    ],
)
def test_one_file_of_three_is_anothers(backend, weights, model, scale, words, ours, theirs):
    sets = {"ours": ours, "theirs": theirs}
    keys = {
        "widen_factor": 0.5,
        "checkpoint_fp": sets[weights]["checkpoint_fp"],
        "bfm_fp": sets[model]["bfm_fp"],
        "param_mean_std_fp": sets[scale]["param_mean_std_fp"],
    }
    with pytest.raises(InputError) as info:
        backend(**keys)
    assert "\n" not in str(info.value)
    for word in words:
        assert word in str(info.value)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_changed_face_model_is_another(backend, ours, tmp_path):
    """By content: the name is the same."""
    with np.load(ours["bfm_fp"]) as archive:
        arrays = {key: archive[key] for key in archive.files}
    arrays["w_exp"][30_000, 3] += 1
    np.savez(tmp_path / "face_model.npz", **arrays)
    with pytest.raises(InputError, match=r"trained for another face model.*face_model\.npz"):
        backend(**(ours | {"bfm_fp": str(tmp_path / "face_model.npz")}))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_moved_and_renamed_face_model_is_the_same(backend, ours, tmp_path):
    shutil.copy(ours["bfm_fp"], tmp_path / "x.npz")
    backend(**(ours | {"bfm_fp": str(tmp_path / "x.npz")}))


@pytest.fixture
def narrow_as_wide(ours, tmp_path) -> str:
    """Our x0.5 under x1.0's name."""
    for suffix in (".pth", ".onnx"):
        shutil.copy(Path(ours["checkpoint_fp"]).with_suffix(suffix), tmp_path / f"mb1{suffix}")
    return str(tmp_path / "mb1.pth")


@pytest.mark.parametrize("backend", BACKENDS)
def test_weights_of_another_width(backend, ours, narrow_as_wide):
    keys = ours | {"checkpoint_fp": narrow_as_wide, "widen_factor": 1}
    with pytest.raises(InputError, match=r"mb1\.(pth|onnx).*width 1.*0\.5"):
        backend(**keys)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_detector_is_no_regressor(backend, ours, project_root):
    keys = ours | {"checkpoint_fp": str(project_root / "weights/FaceBoxesProd.pth")}
    with pytest.raises(InputError, match=r"FaceBoxesProd\.(pth|onnx).*detector"):
        backend(**keys)


@pytest.mark.parametrize(("detector", "key"), [(FaceBoxes, "checkpoint"), (FaceBoxes_ONNX, "onnx")])
def test_a_regressor_is_no_detector(detector, key, ours):
    suffix = ".pth" if key == "checkpoint" else ".onnx"
    path = Path(ours["checkpoint_fp"]).with_suffix(suffix)
    with pytest.raises(InputError, match=rf"mb05_120x120\{suffix}.*FaceBoxes"):
        detector(**{f"{key}_fp": path})


def test_onnx_beside_another_checkpoint(ours, project_root, tmp_path):
    shutil.copy(project_root / "weights/mb05_120x120.pth", tmp_path / "net.pth")
    shutil.copy(project_root / "weights/mb1_120x120.onnx", tmp_path / "net.onnx")
    keys = ours | {"checkpoint_fp": str(tmp_path / "net.pth")}
    with pytest.raises(InputError, match=r"net\.onnx.*another checkpoint.*net\.pth"):
        TDDFA_ONNX(**keys)
    TDDFA(**keys)


def test_onnx_named_beside_another_checkpoint(ours, project_root):
    keys = ours | {"onnx_fp": str(project_root / "weights/mb1_120x120.onnx")}
    with pytest.raises(InputError, match=r"mb1_120x120\.onnx.*another checkpoint.*mb05"):
        TDDFA_ONNX(**keys)


def test_the_detectors_onnx_is_of_other_weights(upstream, project_root):
    config = Config(
        detector_fp=str(upstream / "weights/FaceBoxesProd.pth"),
        detector_onnx_fp=str(project_root / "weights/FaceBoxesProd.onnx"),
    )
    with pytest.raises(InputError, match=r"weights/FaceBoxesProd\.onnx.*upstream.*Prod\.pth"):
        FaceAligner(config)


def test_onnx_that_says_nothing_is_not_ours(ours, upstream, tmp_path):
    """Named by hand it is taken for the reference's; with our model that is refused."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(Path(ours["checkpoint_fp"]).with_suffix(".onnx"))
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(InputError, match=r"net\.onnx.*does not say.*face_model\.npz"):
        TDDFA_ONNX(**(ours | {"onnx_fp": str(tmp_path / "net.onnx")}))


@pytest.mark.parametrize("assets", [False, True])
@pytest.mark.parametrize("make", [TDDFA, TDDFA_ONNX, FaceBoxes, FaceBoxes_ONNX, Config])
def test_what_ships_needs_no_arguments(make, assets, ref, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(ref if assets else tmp_path / "elsewhere")
    if assets:  # and nothing of the same name is taken in its place
        monkeypatch.setenv(ASSETS_VARIABLE, str(ref))
    made = make()
    if isinstance(made, (TDDFA, TDDFA_ONNX)):
        assert made.bfm.n_vertices == 39402


def test_defaults_are_the_default_configuration(project_root):
    default = load_config(project_root / "configs/mb1_120x120.yml")
    for key in ("arch", "widen_factor", "checkpoint_fp", "bfm_fp", "param_mean_std_fp"):
        assert getattr(Config(), key) == getattr(default, key)
    # Without a file there is one detector, that of FaceBoxes() and of videos, and no check.
    assert find_detector(Config()) == find_detector(default.for_tracking())
    assert Config().face_check_fp is None
