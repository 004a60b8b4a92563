"""Both aligners against the reference's numbers, and against odd input."""

import cv2
import numpy as np
import pytest

from tddfa import TDDFA, TDDFA_ONNX, InputError, load_config
from tddfa.roi import square_around

IMAGES = ["emma", "trump_hillary", "JianzhuGuo"]


@pytest.fixture(scope="module", params=[TDDFA, TDDFA_ONNX])
def aligner(request, reference_config):
    return request.param(**vars(reference_config))


def assert_params_close(actual, expected, std):
    """Within 1e-4 relative to each parameter's size, or its spread where it is near zero."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert (np.abs(actual - expected) <= 1e-4 * np.maximum(np.abs(expected), std)).all()


@pytest.mark.parametrize("name", IMAGES)
def test_reference_numbers(aligner, golden, upstream, name):
    image = cv2.imread(str(upstream / "images" / f"{name}.jpg"))
    data = {k.removeprefix(f"{name}_"): v for k, v in np.load(golden / "tddfa_mb05.npz").items()}
    boxes = np.load(golden / "faceboxes.npz")[name]
    params, rois = aligner(image, boxes)
    np.testing.assert_allclose(rois, data["roi_box"], atol=0.01)
    assert_params_close(params, data["param"], aligner.scale.std)
    sparse = aligner.recon_vers(params, rois)
    np.testing.assert_allclose(sparse, data["sparse"], atol=0.02)
    dense = aligner.recon_vers(params, rois, dense_flag=True)
    every = np.stack(dense)[:, :, ::101]
    np.testing.assert_allclose(every, data["dense_every_101st"], atol=0.02)
    params, rois = aligner(image, sparse, crop_policy="landmark")
    np.testing.assert_allclose(rois, data["landmark_roi_box"], atol=0.01)
    assert_params_close(params, data["landmark_param"], aligner.scale.std)
    again = aligner.recon_vers(params, rois)
    np.testing.assert_allclose(again, data["landmark_sparse"], atol=0.02)


def test_the_roi_around_all_vertices_of_the_references_model_is_theirs(aligner, golden, upstream):
    image = cv2.imread(str(upstream / "images" / "trump_hillary.jpg"))
    dense = list(np.load(golden / "trump_hillary_dense.npz")["vertices"])
    _, rois = aligner(image, dense, crop_policy="landmark")
    assert rois == [square_around(vertices) for vertices in dense]


@pytest.fixture(scope="module", params=[TDDFA, TDDFA_ONNX])
def own_aligner(request, project_root):
    return request.param(**vars(load_config(project_root / "configs" / "mb05_120x120.yml")))


@pytest.fixture(scope="module")
def portrait(project_root):
    return cv2.imread(str(project_root / "examples" / "inputs" / "astronaut.png"))


def test_all_vertices_of_our_model_stand_for_the_landmarks(own_aligner, portrait):
    found = own_aligner(portrait, [[175, 60, 275, 185]])
    sparse, dense = (own_aligner.recon_vers(*found, dense_flag=flag) for flag in (False, True))
    _, expected = own_aligner(portrait, sparse, crop_policy="landmark")
    # As users pass it on: as it is, in two dimensions, averaged, as a list.
    for vertices in (dense[0], dense[0][:2], np.mean(dense * 2, axis=0), dense[0].tolist()):
        _, rois = own_aligner(portrait, [vertices], crop_policy="landmark")
        np.testing.assert_allclose(rois, expected, atol=0.01)


def test_tracking_from_all_vertices_stays_where_it_is(own_aligner, portrait):
    params, rois = own_aligner(portrait, [[175, 60, 275, 185]])
    sides = []
    for _ in range(12):
        vertices = own_aligner.recon_vers(params, rois, dense_flag=True)
        params, rois = own_aligner(portrait, vertices, crop_policy="landmark")
        sides.append(rois[0][2] - rois[0][0])
    assert max(sides[1:]) < 1.05 * min(sides[1:])


def test_dense_vertices_of_a_whole_picture(aligner, golden, upstream):
    image = cv2.imread(str(upstream / "images" / "trump_hillary.jpg"))
    boxes = np.load(golden / "faceboxes.npz")["trump_hillary"]
    dense = aligner.recon_vers(*aligner(image, boxes), dense_flag=True)
    expected = np.load(golden / "trump_hillary_dense.npz")["vertices"]
    np.testing.assert_allclose(dense, expected, atol=0.02)


@pytest.fixture(scope="module", params=[TDDFA, TDDFA_ONNX])
def small_aligner(request, small_config):
    return request.param(**small_config)


IMAGE = np.random.default_rng(0).integers(0, 255, (50, 70, 3), np.uint8)


def test_no_faces(small_aligner):
    assert small_aligner(IMAGE, []) == ([], [])
    assert small_aligner(IMAGE, np.zeros((0, 5))) == ([], [])
    assert small_aligner.recon_vers([], []) == []


def test_one_batch_equals_single_faces(small_aligner):
    boxes = [[5, 5, 30, 40, 0.9], [-20, 10, 30, 60, 0.8], [60, 40, 90, 90, 0.7]]
    together, rois = small_aligner(IMAGE, boxes)
    assert len(together) == len(rois) == 3
    for box, param in zip(boxes, together, strict=True):
        (alone,), _ = small_aligner(IMAGE, [box])
        np.testing.assert_allclose(param, alone, rtol=1e-4, atol=1e-5)


def test_both_backends_agree(small_config):
    boxes = [[5, 5, 30, 40, 0.9]]
    (torch_param,), _ = TDDFA(**small_config)(IMAGE, boxes)
    (onnx_param,), _ = TDDFA_ONNX(**small_config)(IMAGE, boxes)
    np.testing.assert_allclose(torch_param, onnx_param, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "image",
    [
        None,
        np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((0, 5, 3), np.uint8),
        np.zeros((5, 5, 3), np.float32),
    ],
)
def test_bad_picture(small_aligner, image):
    with pytest.raises(InputError, match="picture"):
        small_aligner(image, [[0, 0, 4, 4, 1]])


def test_unknown_policy(small_aligner):
    with pytest.raises(InputError, match="crop_policy"):
        small_aligner(IMAGE, [[0, 0, 4, 4, 1]], crop_policy="circle")


def test_lists_of_different_length(small_aligner):
    with pytest.raises(InputError, match="as many"):
        small_aligner.recon_vers([np.zeros(62)], [])


@pytest.mark.parametrize("backend", [TDDFA, TDDFA_ONNX])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"num_params": 72}, "72"),
        ({"checkpoint_fp": "nowhere.pth"}, "checkpoint_fp.*nowhere"),
        ({"bfm_fp": "nowhere.npz"}, "bfm_fp.*nowhere"),
        ({"unknown": 1}, "unknown key 'unknown'"),
        ({"size": "large"}, "size"),
        ({"arch": "vgg"}, "arch"),
    ],
)
def test_bad_configuration(backend, small_config, change, reason):
    with pytest.raises(InputError, match=reason):
        backend(**(small_config | change))


def test_weights_of_another_width(small_config):
    with pytest.raises(InputError, match=r"net\.pth.*width 0\.5"):
        TDDFA(**(small_config | {"widen_factor": 0.5}))


def test_unavailable_provider(small_config):
    with pytest.raises(InputError, match="NoSuchProvider"):
        TDDFA_ONNX(providers=["NoSuchProvider"], **small_config)


def test_gpu_that_is_not_there(small_config):
    torch = pytest.importorskip("torch")
    with pytest.raises(InputError, match="CUDA"):
        TDDFA(gpu_mode=True, gpu_id=torch.cuda.device_count(), **small_config)


def test_onnx_file_is_text(small_config, tmp_path):
    (tmp_path / "x.onnx").write_text("no network")
    with pytest.raises(InputError, match=r"x\.onnx"):
        TDDFA_ONNX(**small_config, onnx_fp=str(tmp_path / "x.onnx"))
