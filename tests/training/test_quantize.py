"""Quantized regressors: near the exact ones, labelled, or not written."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tddfa.config import load_config
from tddfa.errors import InputError
from tddfa.onnx_backend import TDDFA_ONNX
from tddfa.onnx_labels import read_onnx_labels
from training import quantize
from training.dataset.packed import open_packed
from training.dataset.split import is_held_out_picture

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def picture():
    return cv2.imread(str(ROOT / "examples" / "inputs" / "astronaut.png"))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory, pipeline, picture):
    """One face in several sizes, on both sides of the split."""
    folder = tmp_path_factory.mktemp("scenes")
    (folder / "images").mkdir()
    lines = ["file," + ",".join(f"x{i},y{i}" for i in range(68))]
    points = pipeline(picture)[0].landmarks[:2]
    for number in range(12):
        side = 200 + 40 * number
        name = f"{'abcdefghijkl'[number]}.png"
        cv2.imwrite(str(folder / "images" / name), cv2.resize(picture, (side, side)))
        values = (points * side / picture.shape[0]).T.ravel()
        lines.append(name + "," + ",".join(f"{value:.2f}" for value in values))
    names = [line.partition(",")[0] for line in lines[1:]]
    assert {is_held_out_picture(name) for name in names} == {False, True}
    (folder / "landmarks68.csv").write_text("\n".join(lines))
    return folder


@pytest.fixture
def checkpoint(tmp_path):
    for suffix in (".pth", ".onnx"):
        shutil.copy(ROOT / "weights" / f"mb05_120x120{suffix}", tmp_path / f"net{suffix}")
    return tmp_path / "net.pth"


@pytest.fixture(scope="module", autouse=True)
def needs_onnx():
    pytest.importorskip("onnx")


def test_near_and_labelled(scenes, checkpoint, picture):
    target = checkpoint.with_suffix(".int8.onnx")
    assert quantize.main([str(checkpoint), "--scenes", str(scenes), "--most-nme", "1"]) == 0
    assert target.stat().st_size < 0.4 * checkpoint.with_suffix(".onnx").stat().st_size
    assert read_onnx_labels(target) == read_onnx_labels(checkpoint.with_suffix(".onnx"))
    config = load_config("configs/mb05_120x120.yml").with_values(checkpoint_fp=str(checkpoint))
    exact, near = (TDDFA_ONNX(precision=p, **vars(config)) for p in ("float32", "int8"))
    box = [[150, 30, 300, 220]]
    found = [aligner.recon_vers(*aligner(picture, box))[0] for aligner in (exact, near)]
    moved = np.linalg.norm((found[1] - found[0])[:2], axis=0)
    assert 0 < moved.mean() < 2  # pixels of a face of 190


def test_all_faces_are_one_batch(scenes, checkpoint, picture):
    quantize.main([str(checkpoint), "--scenes", str(scenes), "--most-nme", "1"])
    config = load_config("configs/mb05_120x120.yml").with_values(checkpoint_fp=str(checkpoint))
    aligner = TDDFA_ONNX(precision="int8", **vars(config))
    crops = np.random.default_rng(0).random((3, 3, 120, 120), np.float32) * 2 - 1
    alone = np.concatenate([aligner.forward(crop[None]) for crop in crops])
    np.testing.assert_allclose(aligner.forward(crops), alone, atol=1e-4)


@pytest.mark.parametrize("limit", ["--most-shift", "--most-nme"])
def test_what_is_too_inaccurate_is_not_written(scenes, checkpoint, limit):
    other = {"--most-shift": "--most-nme", "--most-nme": "--most-shift"}[limit]
    with pytest.raises(InputError, match=r"net\.int8\.onnx' is not written"):
        quantize.main([str(checkpoint), "--scenes", str(scenes), limit, "-100", other, "100"])
    assert sorted(p.name for p in checkpoint.parent.iterdir()) == ["net.onnx", "net.pth"]


def test_another_checkpoints_is_refused(scenes, checkpoint):
    shutil.copy(ROOT / "weights" / "mb1_120x120.int8.onnx", checkpoint.with_suffix(".int8.onnx"))
    config = load_config("configs/mb05_120x120.yml").with_values(checkpoint_fp=str(checkpoint))
    with pytest.raises(InputError, match="made from another checkpoint"):
        TDDFA_ONNX(precision="int8", **vars(config))


def test_without_one_the_error_says_how_to_make_it(checkpoint):
    config = load_config("configs/mb05_120x120.yml").with_values(checkpoint_fp=str(checkpoint))
    with pytest.raises(InputError, match=r"python -m training\.quantize .*net\.pth"):
        TDDFA_ONNX(precision="int8", **vars(config))


def test_scenes_are_named_where_they_are_missing(checkpoint, tmp_path):
    with pytest.raises(InputError, match="landmarks68"):
        quantize.main([str(checkpoint), "--scenes", str(tmp_path)])


def test_packed_crops_give_the_ranges(scenes, checkpoint, packed_folder):
    """Whatever gives the ranges, the network stays near the exact one; another gives others."""
    written = []
    for data in ([], ["--data", str(packed_folder), "--faces", "20"]):
        limits = ["--most-nme", "3", "--most-shift", "3"]
        assert quantize.main([str(checkpoint), "--scenes", str(scenes), *limits, *data]) == 0
        written.append(checkpoint.with_suffix(".int8.onnx").read_bytes())
    assert written[0] != written[1]


def test_packed_crops_are_the_middle_of_what_may_be_trained_on(packed_folder):
    packed = open_packed(packed_folder)
    found = quantize.packed_crops([packed_folder, packed_folder], 5)
    assert len(found) == min(5, 2 * np.count_nonzero(~packed.held_out))
    middle = packed.images[:, 24:144, 24:144].transpose(0, 3, 1, 2)
    for crop in found:
        assert crop.shape == (1, 3, 120, 120)
        apart = np.abs(middle * np.float32(1 / 128) - np.float32(127.5 / 128) - crop).max((1, 2, 3))
        assert apart.min() < 1e-5
        assert not packed.held_out[apart.argmin()]


@pytest.mark.parametrize(
    ("data", "message"), [(False, "--free: expected --data"), (True, r"manifest\.csv' is missing")]
)
def test_free_asks_for_the_terms_of_the_crops(scenes, checkpoint, packed_folder, data, message):
    words = ["--data", str(packed_folder)] if data else []
    with pytest.raises(InputError, match=message):
        quantize.main([str(checkpoint), "--scenes", str(scenes), "--free", *words])
    assert not checkpoint.with_suffix(".int8.onnx").exists()


def test_free_weights_are_quantized_with_their_own_scale(scenes, tmp_path, packed_folder):
    for suffix in (".pth", ".onnx"):
        shutil.copy(ROOT / "weights" / f"free_mb05_120x120{suffix}", tmp_path / f"net{suffix}")
    words = [str(tmp_path / "net.pth"), "--scenes", str(scenes), "--data", str(packed_folder)]
    limits = ["--most-nme", "3", "--most-shift", "3", "--faces", "20"]
    with pytest.raises(InputError, match="another parameter scale"):
        quantize.main([*words, *limits])
    assert not (tmp_path / "net.int8.onnx").exists()
    assert quantize.main([*words, *limits, "-c", "configs/free_mb05.yml"]) == 0
    assert (tmp_path / "net.int8.onnx").is_file()


def test_too_few_crops_are_named(scenes, checkpoint, packed_folder):
    words = ["--scenes", str(scenes), "--data", str(packed_folder), "--faces", "2000"]
    with pytest.raises(InputError, match=r"packed.*expected 2000 crops"):
        quantize.main([str(checkpoint), *words])
