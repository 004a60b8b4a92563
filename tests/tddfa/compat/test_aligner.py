"""The aligners under the reference's names: arguments, attributes, copies."""

import copy
import logging
import multiprocessing
import pickle

import numpy as np
import pytest

import tddfa
from TDDFA import TDDFA
from tddfa import InputError
from tddfa.compat.bfm import BFMModel
from TDDFA_ONNX import TDDFA_ONNX, _parse_param, make_abs_path, similar_transform

IMAGE = np.random.default_rng(0).integers(0, 255, (50, 70, 3), np.uint8)
BOXES = [[5, 5, 30, 40, 0.9], [-20, 10, 30, 60, 0.8]]


@pytest.fixture(scope="module", params=[TDDFA, TDDFA_ONNX])
def backend(request):
    return request.param


@pytest.fixture(scope="module")
def aligner(backend, small_config):
    return backend(**small_config)


def test_arguments_of_the_reference(backend, small_config):
    aligner = backend(
        gpu_mode=False, gpu_id=0, shape_dim=20, exp_dim=5, mode="small", **small_config
    )
    assert (aligner.gpu_mode, aligner.gpu_id, aligner.size) == (False, 0, 120)
    assert aligner.bfm.w_shp.shape[1] == 20 and aligner.bfm.w_exp_base.shape == (204, 5)


def test_keys_of_ones_own_are_named_and_ignored(backend, small_config, caplog):
    with caplog.at_level(logging.WARNING):
        backend(**small_config, my_key=1, out="folder")
    assert [r.getMessage() for r in caplog.records] == [
        "configuration: key 'my_key' is unknown and has no effect",
        "configuration: key 'out' is unknown and has no effect",
    ]
    with pytest.raises(InputError, match="unknown key"):
        tddfa.TDDFA_ONNX(**small_config, my_key=1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"size": "large"}, "size"), ({"units": "inch"}, "units"), ({"exp_dim": 0}, "exp_dim")],
)
def test_known_keys_are_checked(backend, small_config, change, reason):
    with pytest.raises(InputError, match=reason):
        backend(**(small_config | change))


def test_a_configuration_without_its_stars(backend, small_config):
    with pytest.raises(InputError, match=r"gpu_mode: .*\*\*cfg"):
        backend(small_config)
    for other in ("configs/mb1_120x120.yml", "cpu", 0.5):
        with pytest.raises(InputError, match="gpu_mode: expected true or false"):
            backend(other, **small_config)
    assert backend(np.bool_(False), **small_config).gpu_mode == 0


def test_results_are_those_of_the_new_api(backend, small_config, aligner):
    strict = getattr(tddfa, backend.__name__)(**small_config)
    params, rois = aligner(IMAGE, BOXES)
    expected, expected_rois = strict(IMAGE, BOXES)
    np.testing.assert_array_equal(params, expected)
    assert isinstance(params, list) and isinstance(rois, list) and rois == expected_rois
    for dense in (False, True):
        np.testing.assert_array_equal(
            aligner.recon_vers(params, rois, dense_flag=dense, timer_flag=True),
            strict.recon_vers(params, rois, dense),
        )


@pytest.mark.parametrize("units", [None, "basel"])
def test_reconstruction_zips_what_it_is_given(backend, small_config, units):
    aligner = backend(**small_config, units=units)
    params, rois = aligner(IMAGE, BOXES)
    expected = aligner.recon_vers(params, rois)
    for given in ((map(np.copy, params), iter(rois)), (params, (*rois, rois[0]))):
        np.testing.assert_array_equal(aligner.recon_vers(*given), expected)
    np.testing.assert_array_equal(aligner.recon_vers(params, rois[:1]), expected[:1])
    assert aligner.recon_vers([], rois) == []


def test_timer_flag(aligner, caplog):
    with caplog.at_level(logging.INFO):
        params, rois = aligner(IMAGE, BOXES, timer_flag=True)
        aligner.recon_vers(params, rois, timer_flag=True)
    assert len([r for r in caplog.records if "ms" in r.getMessage()]) == 2


def test_float_pictures(aligner):
    expected, _ = aligner(IMAGE, BOXES)
    for dtype in (np.float32, np.float64):
        np.testing.assert_array_equal(aligner(IMAGE.astype(dtype), BOXES)[0], expected)
    with pytest.raises(InputError, match="picture"):
        aligner(IMAGE[..., 0], BOXES)


def test_mean_and_std(aligner, small_config):
    with np.load(small_config["param_mean_std_fp"]) as scale:
        np.testing.assert_array_equal(aligner.param_mean, scale["mean"])
        np.testing.assert_array_equal(aligner.param_std, scale["std"])


@pytest.mark.parametrize("units", [None, "basel"])
def test_assigned_scale(backend, small_config, units):
    aligner = backend(**small_config, units=units)
    before = np.array(aligner(IMAGE, BOXES)[0])
    aligner.param_mean = aligner.param_mean + np.float32(0.25)
    aligner.param_std = list(2 * aligner.param_std)
    np.testing.assert_array_equal(copy.deepcopy(aligner).param_std, aligner.param_std)
    expected = 2 * before - (aligner.param_mean - np.float32(0.25)) + np.float32(0.25)
    np.testing.assert_allclose(aligner(IMAGE, BOXES)[0], expected, rtol=1e-4, atol=1e-3)
    for name in ("param_mean", "param_std"):
        for bad in (np.ones(61), np.full(62, np.nan)):
            with pytest.raises(InputError, match=f"{name}: expected 62 finite numbers"):
                setattr(aligner, name, bad)


def test_assigned_triangles(backend, small_config):
    aligner = backend(**small_config)
    own = aligner.tri
    aligner.tri = np.array(own)[::2]
    np.testing.assert_array_equal(aligner.tri, own[::2])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(aligner)).tri, own[::2])
    for name in ("ncc_code", "uv", "inside"):
        np.testing.assert_array_equal(getattr(aligner.tri, name), getattr(own, name))
    assert aligner.bfm.tri is own
    aligner.tri = others = own[:5]
    assert aligner.tri is others
    aligner.tri = [[0, 1, aligner.bfm.n_vertices]]
    assert aligner.tri.tolist() == [[0, 1, aligner.bfm.n_vertices]]
    assert aligner.tri.ncc_code is None and aligner.tri.uv is None and aligner.tri.inside is None
    with pytest.raises(InputError, match="tri"):
        aligner.tri = [[0, 1]]


@pytest.mark.parametrize("units", [None, "basel"])
def test_vertices_by_the_references_formula(backend, small_config, units):
    aligner = backend(**small_config, units=units)
    params, rois = aligner(IMAGE, BOXES)
    vertices = aligner.recon_vers(params, rois, dense_flag=True)
    sparse = aligner.recon_vers(params, rois)
    for param, roi, dense, landmarks in zip(params, rois, vertices, sparse, strict=True):
        linear, offset, shape, expression = _parse_param(param)
        bfm = aligner.bfm
        face = bfm.u + bfm.w_shp @ shape + bfm.w_exp @ expression
        crop = linear @ face.reshape(3, -1, order="F") + offset
        np.testing.assert_allclose(similar_transform(crop, roi, 120), dense, atol=2e-3)
        base = bfm.u_base + bfm.w_shp_base @ shape + bfm.w_exp_base @ expression
        crop = linear @ base.reshape(3, -1, order="F") + offset
        np.testing.assert_allclose(similar_transform(crop, roi, 120), landmarks, atol=2e-3)


def test_units(backend, small_config, aligner):
    basel = backend(**small_config, units="basel")
    params, rois = basel(IMAGE, BOXES)
    ours, _ = aligner(IMAGE, BOXES)
    np.testing.assert_allclose(np.array(params)[:, :3] * 1000, np.array(ours)[:, :3], rtol=1e-5)
    np.testing.assert_allclose(basel.bfm.u, aligner.bfm.u * 1000, rtol=1e-6)
    np.testing.assert_allclose(basel.param_std[:3] * 1000, aligner.param_std[:3], rtol=1e-6)
    np.testing.assert_allclose(
        basel.recon_vers(params, rois), aligner.recon_vers(ours, rois), atol=1e-3
    )


def test_network_and_transform(small_config):
    pytest.importorskip("torch")
    aligner = TDDFA(**small_config)
    crop = np.random.default_rng(3).integers(0, 255, (120, 120, 3), np.uint8)
    blob = aligner.transform(crop)
    expected = (crop.transpose(2, 0, 1).astype(np.float32) - 127.5) / 128
    np.testing.assert_allclose(blob.numpy(), expected, atol=1e-6)
    output = aligner.model(blob[None]).numpy()[0]
    np.testing.assert_allclose(output, aligner.forward(expected[None])[0], atol=1e-6)
    assert aligner.model(blob[None].requires_grad_()).requires_grad  # by the pixels, as ever


def test_attributes_of_the_onnx_class(small_config):
    aligner = TDDFA_ONNX(**small_config)
    np.testing.assert_array_equal(aligner.u_base, aligner.bfm.u_base)
    np.testing.assert_array_equal(aligner.w_shp_base, aligner.bfm.w_shp_base)
    np.testing.assert_array_equal(aligner.w_exp_base, aligner.bfm.w_exp_base)
    assert aligner.session.get_inputs()[0].name == aligner.input_name
    feeds = zip(("R", "offset", "alpha_shp", "alpha_exp"), _parse_param(np.ones(62)), strict=True)
    assert aligner.bfm_session.run(None, dict(feeds))[0].shape == (3, aligner.bfm.n_vertices)


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, copy.copy, lambda x: pickle.loads(pickle.dumps(x))]
)
@pytest.mark.parametrize("units", [None, "basel"])
def test_copies(backend, small_config, duplicate, units, caplog):
    aligner = backend(**small_config, units=units, exp_dim=4)
    twin = duplicate(aligner)
    assert not caplog.records
    assert type(twin) is backend and isinstance(twin.bfm, BFMModel)
    assert twin.bfm.w_exp.shape == aligner.bfm.w_exp.shape
    params, rois = aligner(IMAGE, BOXES)
    np.testing.assert_array_equal(twin(IMAGE, BOXES)[0], params)
    np.testing.assert_array_equal(
        twin.recon_vers(params, rois, dense_flag=True),
        aligner.recon_vers(params, rois, dense_flag=True),
    )
    np.testing.assert_array_equal(twin.tri.ncc_code, aligner.tri.ncc_code)


def test_spawned_worker(small_config):
    aligner = TDDFA_ONNX(**small_config)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        params, _ = pool.apply(aligner, (IMAGE, BOXES))
    np.testing.assert_array_equal(params, aligner(IMAGE, BOXES)[0])


def test_gpu_mode_without_a_gpu_is_a_warning_in_onnx(small_config, caplog, monkeypatch):
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with caplog.at_level(logging.WARNING):
        assert TDDFA_ONNX(gpu_mode=True, **small_config).gpu_mode
    assert "gpu_mode" in caplog.text


def test_path_beside_the_module(project_root):
    assert make_abs_path("configs") == str(project_root / "configs")
