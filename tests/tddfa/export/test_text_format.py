import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tddfa.errors import InputError
from tddfa.export.text_format import format_indices, format_rows

FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


def python_rows(rows, prefix="", decimals=2):
    return "".join(
        prefix + " ".join(f"{float(value):.{decimals}f}" for value in row) + "\n" for row in rows
    )


@pytest.mark.parametrize("shape", [(0, 3), (0, 1)])
def test_nothing(shape):
    assert bytes(format_rows(np.empty(shape, np.float32))) == b""
    assert bytes(format_indices(np.empty(shape, np.int32))) == b""


@pytest.mark.parametrize(
    "value",
    [
        *[0.0, -0.0, -0.001, 0.005, -0.005, 0.125, 0.375, 0.625, 2.675, 0.995, 9.995, 9.999],
        *[99.995, 99.996, -99.996, 999.99, 1e-45, 123456.79, 999999.9, 1e6, 16777216.0, 1e7],
        *[2**31, 2**32, 4.3e7, 1e8, 1e14, -1e15, 9e15, 1e16, 1e17, -3e38],
    ],
)
def test_one_number_as_python_prints_it(value):
    value = np.float32(value)
    assert bytes(format_rows([[value]])).decode() == f"{float(value):.2f}\n"


@given(st.lists(st.lists(FLOAT32, min_size=3, max_size=3), max_size=8), st.integers(1, 8))
def test_rows_as_python_prints_them(rows, decimals):
    values = np.array(rows, np.float32).reshape(-1, 3)
    text = bytes(format_rows(values, b"v ", decimals)).decode()
    assert text == python_rows(values, "v ", decimals)


@pytest.mark.parametrize("scale", [1, 100, 4000])
def test_many_numbers_of_a_mesh(scale):
    values = (np.random.default_rng(1).standard_normal((20_000, 3)) * scale).astype(np.float32)
    values[::3] = np.rint(values[::3] * 8) / 8  # exact ties: x.125, x.375, …
    assert bytes(format_rows(values)).decode() == python_rows(values)
    assert bytes(format_rows(values[::-2, ::-1])).decode() == python_rows(values[::-2, ::-1])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(value):
    with pytest.raises(InputError, match="finite"):
        format_rows([[0.0, value]])


@given(
    st.lists(st.tuples(*[st.integers(0, 2**31 - 1)] * 3), max_size=8),
    st.integers(0, 2**40),
    st.booleans(),
)
def test_indices(rows, offset, paired):
    indices = np.array(rows, np.int32).reshape(-1, 3)
    expected = ""
    for row in indices.tolist():
        numbers = [str(index + offset) for index in row]
        expected += "f " + " ".join(f"{n}/{n}" if paired else n for n in numbers) + "\n"
    assert bytes(format_indices(indices, b"f ", offset, paired)).decode() == expected


@pytest.mark.parametrize("value", [0, 9, 10, 99, 100, 999_999, 1_000_000, 2**31 - 1])
def test_index_widths(value):
    assert bytes(format_indices([[value]])) == f"{value}\n".encode()


@pytest.mark.parametrize(
    "call",
    [
        lambda: format_rows(np.zeros(3)),
        lambda: format_rows(np.zeros((2, 0))),
        lambda: format_rows([[1.0]], decimals=0),
        lambda: format_rows([[1.0]], decimals=9),
        lambda: format_indices(np.zeros(3)),
        lambda: format_indices([[-1]]),
        lambda: format_indices([[1]], offset=-1),
        lambda: format_indices([[1]], offset=10**14),
    ],
)
def test_wrong_arguments(call):
    with pytest.raises(ValueError, match="expected"):
        call()
