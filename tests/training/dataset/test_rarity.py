"""Which faces are drawn more often; gaps are set, so that pose is the only other reason."""

import dataclasses

import numpy as np
import pytest

from training.dataset import rarity


def turned(labels, yaw, pitch):
    """Return the first label, looking elsewhere."""
    cy, sy, cp, sp = (f(np.radians(a)) for a in (yaw, pitch) for f in (np.cos, np.sin))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    camera = labels.camera[:1].copy()
    camera[0, :, :3] = 0.4 * about_x @ about_y
    return dataclasses.replace(labels[np.arange(1)], camera=camera)


@pytest.mark.parametrize(
    "yaw, pitch, lids, lips, weight",
    [
        (0, 0, (0.27, 0.27), 0.05, 1),
        (0, 0, (0.27, 0.06), 0.05, 9),
        (0, 0, (0.05, 0.06), 0.05, 9),
        (0, 0, (0.27, 0.27), 0.31, 2),
        (30, 0, (0.27, 0.27), 0.05, 3),
        (-30, 0, (0.27, 0.27), 0.05, 3),
        (0, 18, (0.27, 0.27), 0.05, 2),
        (0, -18, (0.06, 0.27), 0.31, 11),
    ],
)
def test_rare_faces_weigh_more(labels, model, monkeypatch, yaw, pitch, lids, lips, weight):
    monkeypatch.setattr(rarity, "lid_gap", lambda points: np.array([lids]))
    monkeypatch.setattr(rarity, "lip_gap", lambda points: np.array([lips]))
    found = rarity.draw_weights(turned(labels, yaw, pitch), model)
    np.testing.assert_array_equal(found, [weight])
