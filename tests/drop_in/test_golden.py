"""The old names against what the reference printed: its weights, its pictures, its numbers."""

import cv2
import numpy as np
import pytest
import yaml

from FaceBoxes import FaceBoxes
from FaceBoxes.FaceBoxes_ONNX import FaceBoxes_ONNX
from TDDFA import TDDFA
from TDDFA_ONNX import TDDFA_ONNX
from utils.depth import depth
from utils.pncc import pncc
from utils.pose import P2sRt, calc_pose, matrix2angle, viz_pose
from utils.render import render
from utils.tddfa_util import _parse_param
from utils.uv import uv_tex

IMAGES = ["emma", "trump_hillary", "JianzhuGuo"]


@pytest.fixture
def assets(upstream, monkeypatch):
    monkeypatch.setenv("TDDFA_ASSETS", str(upstream))
    return upstream


@pytest.fixture
def cfg(project_root):
    text = (project_root / "configs" / "reference_mb05.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


@pytest.mark.parametrize("onnx", [False, True], ids=["pytorch", "onnx"])
@pytest.mark.parametrize("name", IMAGES)
def test_from_picture_to_pose(assets, cfg, golden, onnx, name, capsys):
    img = cv2.imread(str(assets / "images" / f"{name}.jpg"))
    data = {k.removeprefix(f"{name}_"): v for k, v in np.load(golden / "tddfa_mb05.npz").items()}
    weights = str(assets / "weights" / "FaceBoxesProd.pth")
    if onnx:
        from tddfa.onnx_cache import find_onnx

        face_boxes = FaceBoxes_ONNX(onnx_fp=find_onnx(assets / "weights" / "FaceBoxesProd.pth"))
        tddfa = TDDFA_ONNX(**cfg)
    else:
        face_boxes, tddfa = FaceBoxes(checkpoint_fp=weights), TDDFA(**cfg)
    boxes = face_boxes(img)
    np.testing.assert_allclose(boxes, np.load(golden / "faceboxes.npz")[name], atol=0.01)
    param_lst, roi_box_lst = tddfa(img, boxes)
    np.testing.assert_allclose(roi_box_lst, data["roi_box"], atol=0.01)
    ver_lst = tddfa.recon_vers(param_lst, roi_box_lst, dense_flag=False)
    np.testing.assert_allclose(ver_lst, data["sparse"], atol=0.03)
    for param, angles, scale in zip(
        param_lst, data["yaw_pitch_roll_deg"], data["scale"], strict=True
    ):
        camera, pose = calc_pose(param)
        np.testing.assert_allclose(pose, angles, atol=0.02)
        linear, offset, _, _ = _parse_param(param)
        s, rotation, translation = P2sRt(np.concatenate((linear, offset), axis=1))
        assert s == pytest.approx(scale, rel=1e-3)
        np.testing.assert_allclose(np.degrees(matrix2angle(rotation)), pose, atol=1e-4)
        np.testing.assert_allclose(camera[:, 3], translation)
    before = img.copy()
    drawn = viz_pose(img, param_lst, ver_lst, show_flag=False)
    assert np.shares_memory(drawn, img) and (img != before).any()
    printed = [
        "yaw: {:.1f}, pitch: {:.1f}, roll: {:.1f}".format(*calc_pose(param)[1])
        for param in param_lst
    ]
    assert capsys.readouterr().out.splitlines() == printed


def test_basel_model_is_in_basels_unit_already(assets, cfg):
    img = cv2.imread(str(assets / "images" / "JianzhuGuo.jpg"))
    box = [[51, 76, 359, 384, 1.0]]
    plain, basel = TDDFA_ONNX(**cfg), TDDFA_ONNX(units="basel", **cfg)
    np.testing.assert_array_equal(plain(img, box)[0], basel(img, box)[0])
    np.testing.assert_array_equal(plain.bfm.u, basel.bfm.u)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("carries_tables", [True, False])
def test_pictures(assets, cfg, golden, dtype, carries_tables):
    img = cv2.imread(str(assets / "images" / "trump_hillary.jpg")).astype(dtype)
    ver_lst = list(np.load(golden / "trump_hillary_dense.npz")["vertices"])
    tri = TDDFA_ONNX(**cfg).tri
    if not carries_tables:
        tri = np.array(tri)
    drawn = {
        "render": render(img, ver_lst, tri, alpha=0.6, show_flag=False),
        "depth": depth(img, ver_lst, tri, show_flag=False, with_bg_flag=True),
        "depth_nobg": depth(img, ver_lst, tri, show_flag=False, with_bg_flag=False),
        "pncc": pncc(img, ver_lst, tri, show_flag=False, with_bg_flag=True),
        "uv_tex": uv_tex(img, ver_lst, tri, show_flag=False),
    }
    for name, picture in drawn.items():
        expected = cv2.imread(str(golden / f"trump_hillary_{name}.png"))
        difference = np.abs(picture.astype(int) - expected).max(axis=2)
        if name == "uv_tex":  # the outline, where float32 rounding left holes in the reference's
            difference = np.delete(difference[1:], [0, 255, 256, 511], axis=1)
        assert difference.max() <= 1, name
        assert np.count_nonzero(difference) <= 1e-3 * difference.size, name


@pytest.mark.parametrize("name", IMAGES)
def test_our_scale_in_basels_unit_is_near_the_references(project_root, assets, golden, name):
    """Code that filters by s: with ``units='basel'`` faces keep the size that it expects."""
    text = (project_root / "configs" / "mb1_120x120.yml").read_text(encoding="utf-8")
    tddfa = TDDFA_ONNX(units="basel", **yaml.safe_load(text))
    img = cv2.imread(str(assets / "images" / f"{name}.jpg"))
    boxes = np.load(golden / "faceboxes.npz")[name]
    param_lst, _ = tddfa(img, boxes)
    scales = [P2sRt(param[:12].reshape(3, 4))[0] for param in param_lst]
    np.testing.assert_allclose(
        scales, np.load(golden / "tddfa_mb05.npz")[f"{name}_scale"], rtol=0.12
    )
