"""Rows of pictures say what `FaceAligner` says of them."""

import numpy as np
import pytest

from tddfa import FaceAligner
from tddfa.io.pictures import imread
from tddfa.label.measures import sharpness
from tddfa.label.pictures import picture_rows
from tddfa.roi import network_input, parse_roi_box_from_bbox


@pytest.fixture(scope="module")
def portrait(project_root):
    return imread(project_root / "examples" / "inputs" / "astronaut.png")


@pytest.mark.parametrize("quarters", [0, 1, 2])
def test_faces_are_aligned_as_elsewhere_at_any_roll(pipeline, portrait, quarters):
    picture = np.ascontiguousarray(np.rot90(portrait, quarters))
    ((row,),) = picture_rows([({"path": "a.png"}, picture)], pipeline)
    (face,) = pipeline(picture)
    assert abs(abs(row["roll"]) - 90 * quarters) < 10
    np.testing.assert_allclose(row["landmarks"], face.landmarks.T, atol=0.05)


def test_sharpness_does_not_depend_on_how_often_faces_are_looked_at(pipeline, portrait):
    once = FaceAligner(second_look=False)
    found = [
        next(picture_rows([({"path": "a.png"}, portrait)], aligner))[0]["sharpness"]
        for aligner in (pipeline, once)
    ]
    boxes = pipeline.detector.detect(portrait)
    roi = parse_roi_box_from_bbox(boxes[0])
    assert found == pytest.approx(sharpness(network_input(portrait, [roi])) * 2)
