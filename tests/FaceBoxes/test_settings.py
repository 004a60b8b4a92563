import pytest

from FaceBoxes.settings import DetectorSettings, SettingArguments
from tddfa.errors import InputError


@pytest.mark.parametrize("name", ["confidence_threshold", "vis_thres", "nms_threshold"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "0.5", None])
def test_thresholds_out_of_range_are_refused(name, value):
    with pytest.raises(InputError, match=f"^{name}: expected a number"):
        DetectorSettings(**{name: value})


@pytest.mark.parametrize("name", ["top_k", "keep_top_k", "max_height", "max_width"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "9"])
def test_counts_out_of_range_are_refused(name, value):
    with pytest.raises(InputError, match=f"^{name}: expected an integer"):
        DetectorSettings(**{name: value})


def test_only_the_size_limits_are_optional():
    DetectorSettings(max_height=None, max_width=None)
    with pytest.raises(InputError, match="top_k"):
        DetectorSettings(top_k=None)


def test_nms_needs_a_positive_threshold():
    with pytest.raises(InputError, match="nms_threshold"):
        DetectorSettings(nms_threshold=0)


def test_keyword_arguments_are_the_settings():
    assert set(SettingArguments.__annotations__) == set(DetectorSettings.__annotations__)
