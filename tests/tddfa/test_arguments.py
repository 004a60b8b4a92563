import argparse

import pytest

from tddfa.arguments import (
    add_detection_arguments,
    add_model_arguments,
    picture_size,
    positive_int,
    score,
    whole_number,
)
from tddfa.assets import DEFAULT_CONFIG


def parse(*arguments):
    parser = argparse.ArgumentParser()
    add_model_arguments(parser)
    add_detection_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("640", (640, 640)),
        ("1080x720", (1080, 720)),
        ("640X480", (640, 480)),
        ("0", (None, None)),
        ("0x720", (None, 720)),
    ],
)
def test_picture_size(text, size):
    assert picture_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "640x", "-1", "1.5", "640x480x3", "1" * 5000, "²"])
def test_what_is_no_size(text):
    with pytest.raises(argparse.ArgumentTypeError, match="WIDTHxHEIGHT"):
        picture_size(text)


@pytest.mark.parametrize("text", ["", "a", "-0.1", "1.01", "nan", "inf"])
def test_what_is_no_score(text):
    with pytest.raises(argparse.ArgumentTypeError, match="0 to 1"):
        score(text)


@pytest.mark.parametrize("text", ["", "a", "0", "-3", "1.5", "nan"])
def test_what_is_no_positive_integer(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"an integer from 1 up, got '{text}'"):
        positive_int(text)


@pytest.mark.parametrize("text", ["", "a", "1.5"])
def test_what_is_no_integer(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"an integer, got '{text}'"):
        whole_number(text)
    assert whole_number("-3") == -3


def test_weights_by_name_are_a_configuration():
    assert parse("--weights", "small").config == "configs/mb05_120x120.yml"
    assert parse("--weights", "free").config == "configs/free_mb1.yml"
    assert parse("--weights", "free-small").config == "configs/free_mb05.yml"
    assert parse("--weights", "default").config == DEFAULT_CONFIG
    assert parse().config == parse("-c", DEFAULT_CONFIG).config == DEFAULT_CONFIG


@pytest.mark.parametrize("words", [("--weights", "none"), ("--weights", "small", "-c", "x.yml")])
def test_weights_that_are_none_and_two_configurations_are_refused(words, capsys):
    with pytest.raises(SystemExit) as end:
        parse(*words)
    assert end.value.code == 2
    assert "--weights" in capsys.readouterr().err
