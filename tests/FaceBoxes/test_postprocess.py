import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from FaceBoxes.box_coding import decode
from FaceBoxes.nms import nms
from FaceBoxes.postprocess import postprocess
from FaceBoxes.prior_box import prior_boxes
from FaceBoxes.settings import DetectorSettings
from tddfa.errors import InputError

SIZE = (97, 131)


def network_output(seed, faces):
    """Random offsets and probabilities, `faces` of them likely."""
    rng = np.random.default_rng(seed)
    count = len(prior_boxes(*SIZE))
    loc = rng.normal(size=(count, 4)).astype(np.float32)
    score = rng.uniform(0, 0.1, count)
    score[rng.permutation(count)[:faces]] = rng.uniform(0.04, 1, faces)
    return loc, np.column_stack((1 - score, score)).astype(np.float32)


def step_by_step(loc, conf, scale, settings):
    """The contract's rules in the contract's order, everything decoded."""
    boxes = decode(loc, prior_boxes(*SIZE)) * np.float32([SIZE[1], SIZE[0], SIZE[1], SIZE[0]])
    dets = np.column_stack((boxes, conf[:, 1]))
    dets = dets[dets[:, 4] > settings.confidence_threshold]
    dets = dets[np.argsort(-dets[:, 4], kind="stable")][: settings.top_k]
    dets = dets[nms(dets, settings.nms_threshold)][: settings.keep_top_k]
    dets = dets[dets[:, 4] > settings.vis_thres]
    dets[:, :4] /= np.float32(scale)
    return dets


@given(
    seed=st.integers(0, 2**32 - 1),
    faces=st.integers(0, 200),
    scale=st.sampled_from([1.0, 0.3]),
    settings=st.builds(
        DetectorSettings,
        confidence_threshold=st.sampled_from([0.05, 0.6]),
        top_k=st.sampled_from([7, 60, 5000]),
        keep_top_k=st.sampled_from([3, 20, 750]),
        nms_threshold=st.sampled_from([0.1, 0.3, 0.6]),
        vis_thres=st.sampled_from([0.0, 0.05, 0.5]),
    ),
)
def test_short_cut_gives_what_the_steps_give(seed, faces, scale, settings):
    loc, conf = network_output(seed, faces)
    result = postprocess(loc, conf, SIZE, scale, settings)
    np.testing.assert_array_equal(result, step_by_step(loc, conf, scale, settings))
    assert result.dtype == np.float32


def test_no_face_gives_an_empty_table():
    loc, conf = network_output(0, 0)
    result = postprocess(loc, conf, SIZE, 1.0, DetectorSettings())
    assert result.shape == (0, 5) and result.dtype == np.float32
    assert list(result) == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_wild_numbers_from_the_network_are_survived(bad):
    loc, conf = network_output(0, 50)
    conf[::3] = np.nan
    loc[1::3] = bad
    result = postprocess(loc, conf, SIZE, 0.5, DetectorSettings())
    assert len(result) and np.isfinite(result).all()


@pytest.mark.parametrize(("loc", "conf"), [(427, 428), (428, 427), (0, 0)])
def test_output_of_another_network_is_refused(loc, conf):
    with pytest.raises(InputError, match="not a FaceBoxes model"):
        postprocess(
            np.zeros((loc, 4), np.float32),
            np.zeros((conf, 2), np.float32),
            SIZE,
            1.0,
            DetectorSettings(),
        )
