import numpy as np
import pytest

from tddfa.compat.units import basel_factor, rescale_camera, to_basel_units
from tddfa.pickles import load_arrays
from tddfa.pose import head_pose


def test_only_the_linear_part_is_rescaled():
    params = np.random.default_rng(0).normal(size=(4, 62)).astype(np.float32)
    out = to_basel_units(params)
    camera, before = out[:, :12].reshape(-1, 3, 4), params[:, :12].reshape(-1, 3, 4)
    np.testing.assert_allclose(camera[..., :3] * 1000, before[..., :3], rtol=1e-6)
    np.testing.assert_array_equal(camera[..., 3], before[..., 3])
    np.testing.assert_array_equal(out[:, 12:], params[:, 12:])
    np.testing.assert_allclose(rescale_camera(out, 1e-3), params, rtol=1e-6)


def test_angles_stay():
    param = np.random.default_rng(1).normal(size=62)
    ours, basel = head_pose(param), head_pose(to_basel_units(param))
    np.testing.assert_allclose(
        [ours.yaw, ours.pitch, ours.roll], [basel.yaw, basel.pitch, basel.roll], atol=1e-3
    )
    assert ours.scale == pytest.approx(1000 * basel.scale, rel=1e-5)


def test_what_unit_a_face_model_has(project_root, upstream):
    with np.load(project_root / "configs" / "face_model.npz") as archive:
        assert basel_factor(archive["u"]) == 1000
    basel = load_arrays(upstream / "configs" / "bfm_interpolated_from_sparse.pkl")
    assert basel_factor(basel["u"]) == 1
