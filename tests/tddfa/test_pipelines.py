import argparse

import pytest

from tddfa.arguments import add_detection_arguments, add_model_arguments
from tddfa.errors import InputError
from tddfa.pipelines import build_pipeline, detector_settings, tracker_settings


def parse(*arguments):
    parser = argparse.ArgumentParser()
    add_model_arguments(parser)
    add_detection_arguments(parser)
    return parser.parse_args(arguments)


def test_nothing_given_changes_nothing():
    assert detector_settings(parse()) == {}
    assert tracker_settings(parse(), max_faces=1).high == 0.5


@pytest.mark.parametrize("onnx", [True, False])
def test_detector_gets_what_is_asked_for(onnx):
    arguments = ["--det_threshold", "0.03", "--det_size", "320x0", "--threads", "1"]
    args = parse(*arguments, *(["--onnx"] if onnx else []))
    settings = build_pipeline(args).detector.settings
    assert (settings.vis_thres, settings.max_width, settings.max_height) == (0.03, 320, None)
    assert settings.confidence_threshold <= 0.03
    assert tracker_settings(args).high == 0.03


def test_threshold_decides_what_counts(project_root):
    from tddfa.io.pictures import imread

    image = imread(project_root / "examples" / "inputs" / "astronaut.png")
    scores = []
    for threshold in ("0.01", "0.5", "0.9999"):
        pipeline = build_pipeline(parse("--onnx", "--det_threshold", threshold))
        scores.append(pipeline.detector(image)[:, 4])
    assert len(scores[0]) > len(scores[1]) == 1
    assert scores[0].min() < 0.5
    assert len(scores[2]) == 0


def test_providers_belong_to_onnx():
    with pytest.raises(InputError, match=r"--provider cuda.*--onnx"):
        build_pipeline(parse("--provider", "cuda"))
    with pytest.raises(InputError, match=r"'CUDAExecutionProvider'.*pip install onnxruntime-gpu"):
        build_pipeline(parse("--onnx", "--mode", "gpu"))
    assert build_pipeline(parse("--onnx", "--provider", "CPU")).detector is not None
