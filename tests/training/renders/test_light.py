"""Light out of panoramas."""

import numpy as np
import pytest

from tddfa.errors import InputError
from training.renders.light import directions, panorama, read_panorama, reflected, view

AXES = np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32)


def test_a_white_sky_lights_all_sides_alike():
    light = panorama("white", np.full((64, 128, 3), 2.0, np.float32))
    np.testing.assert_allclose(reflected(AXES, light.harmonics), 2, rtol=0.01)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_light_comes_from_where_it_is_bright(axis):
    ahead = directions(64, 128)
    image = np.repeat((ahead[..., axis : axis + 1] > 0.5).astype(np.float32), 3, axis=2) + 0.1
    light = panorama("lamp", image)
    shades = reflected(AXES, light.harmonics)[:, 0]
    assert shades.argmax() == axis and shades.argmin() == axis + 3
    assert light.sun[axis] > 0.9


def test_a_view_shows_what_lies_ahead():
    ahead = directions(128, 256)
    for rotation, axis in ((np.eye(3), [0, 0, -1]), (np.diag([-1.0, 1, -1]), [0, 0, 1])):
        seen = view(ahead, rotation, 9, 40)
        np.testing.assert_allclose(seen[4, 4], axis, atol=0.03)
        assert seen[0, 4, 1] > 0.2 and seen[8, 4, 1] < -0.2
    assert view(ahead, np.eye(3), 9, 40)[4, 8, 0] > 0.2


def test_a_probe_that_is_none_is_refused(tmp_path):
    pytest.importorskip("OpenEXR")
    (tmp_path / "probe.exr").write_bytes(b"no probe")
    with pytest.raises(InputError, match="light probe"):
        read_panorama(tmp_path / "probe.exr")
