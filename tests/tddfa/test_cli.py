import logging

import pytest

from tddfa.arguments import positive_int, true_or_false
from tddfa.cli import run_main
from tddfa.errors import InputError


def raising(error):
    def main():
        raise error

    return main


def test_success(capsys):
    assert run_main(lambda: 0) == 0
    assert capsys.readouterr() == ("", "")


def test_bad_input_is_one_line(capsys):
    assert run_main(raising(InputError("x.jpg: bad\n  reason"))) == 2
    assert capsys.readouterr() == ("", "error: x.jpg: bad reason\n")


def test_interrupt(capsys):
    assert run_main(raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_defects_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        run_main(raising(ZeroDivisionError()))


def test_libraries_stay_quiet():
    run_main(lambda: 0)
    assert not logging.getLogger("some.library").isEnabledFor(logging.INFO)
    assert logging.getLogger("tddfa.x").isEnabledFor(logging.INFO)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False), ("1", True)])
def test_true_or_false(text, value):
    assert true_or_false(text) is value


@pytest.mark.parametrize(
    ("parse", "text"), [(true_or_false, "maybe"), (positive_int, "0"), (positive_int, "-3")]
)
def test_argument_errors(parse, text):
    import argparse

    with pytest.raises(argparse.ArgumentTypeError, match=text):
        parse(text)
