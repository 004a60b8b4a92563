import numpy as np
import pytest

from training.labels.agreement import (
    HALVED,
    LEAST,
    USUAL_DISTANCE,
    USUAL_SPREAD,
    YAWS,
    label_weights,
)


def test_the_usual_disagreement_weighs_the_same_at_any_yaw():
    yaw = np.array(YAWS) * np.resize([1, -1], len(YAWS))
    unknown = np.full(len(yaw), np.nan)
    weights = label_weights(yaw, np.array(USUAL_SPREAD), unknown, np.zeros(len(yaw)))
    np.testing.assert_allclose(weights, 1 / (1 + 1 / HALVED**2), rtol=1e-6)


def test_weights_fall_with_either_disagreement_and_stop():
    n, yaw = 50, np.zeros(50)
    away = np.linspace(0, 60, n)
    by_spread = label_weights(yaw, away, yaw, np.ones(n))
    by_distance = label_weights(yaw, None, away, np.ones(n))
    for weights in (by_spread, by_distance):
        assert weights[0] == 1 and weights[-1] == np.float32(LEAST)
        assert (np.diff(weights) <= 0).all()
    both = label_weights(yaw, away, away, np.ones(n))
    np.testing.assert_array_equal(both, np.minimum(by_spread, by_distance))


@pytest.mark.parametrize("share, expected", [(1.0, 0.5), (0.0, 1.0)])
def test_points_weigh_by_their_share(share, expected):
    distance = np.array([HALVED * USUAL_DISTANCE[0]])
    weight = label_weights(np.zeros(1), None, distance, np.array([share]))
    assert weight[0] == pytest.approx(expected)
