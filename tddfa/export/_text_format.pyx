"""Number-to-text loops; see text_format.py for the contract and the checks."""

from libc.math cimport copysign, rint
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef enum:
    ENTRY = 32  # bytes of an entry in the table of index texts

cdef const char* PAIRS = (
    b"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    b"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    b"8081828384858687888990919293949596979899"
)


cdef inline Py_ssize_t count_digits(uint64_t value) noexcept nogil:
    cdef Py_ssize_t count = 1
    cdef uint64_t power = 10
    while value >= power and count < 19:
        power *= 10
        count += 1
    return count


cdef inline void put_digits(uint8_t* end, uint64_t value, Py_ssize_t count) noexcept nogil:
    """Write the last ``count`` digits of the value so that they finish before ``end``."""
    cdef uint32_t low
    while count > 8:
        end -= 2
        memcpy(end, PAIRS + 2 * (value % 100), 2)
        value //= 100
        count -= 2
    low = <uint32_t>value  # at most eight digits: 32-bit division is faster
    while count >= 2:
        end -= 2
        memcpy(end, PAIRS + 2 * (low % 100), 2)
        low //= 100
        count -= 2
    if count:
        (end - 1)[0] = <uint8_t>(48 + low % 10)


cdef inline uint8_t* put_integer(uint8_t* out, uint64_t value) noexcept nogil:
    cdef Py_ssize_t count = count_digits(value)
    put_digits(out + count, value, count)
    return out + count


cdef inline uint8_t* put_fixed(
    uint8_t* out, double value, int decimals, double scale, uint64_t unit
) noexcept nogil:
    """Write with ``decimals`` digits after the point; ``scale`` and ``unit`` are 10**decimals.

    A float32 times 10**decimals is exact in float64, so that rounding it to the even neighbor is
    the correct rounding that Python's ``'%.2f'`` does.
    """
    cdef uint64_t scaled
    if copysign(1.0, value) < 0.0:
        out[0] = b"-"
        out += 1
        value = -value
    scaled = <uint64_t><int64_t>rint(value * scale)
    out = put_integer(out, scaled // unit)
    out[0] = b"."
    put_digits(out + 1 + decimals, scaled % unit, decimals)
    return out + 1 + decimals


def write_rows(
    const float[:, ::1] values, const uint8_t[::1] prefix, int decimals, uint8_t[::1] buffer
) -> int:
    """Write one line per row into a buffer that is large enough; return the length."""
    cdef uint8_t* out = &buffer[0]
    cdef uint8_t* start = out
    cdef double scale = 1.0
    cdef uint64_t unit = 1
    cdef Py_ssize_t i, j, k
    for k in range(decimals):
        scale *= 10.0
        unit *= 10
    with nogil:
        for i in range(values.shape[0]):
            for k in range(prefix.shape[0]):
                out[k] = prefix[k]
            out += prefix.shape[0]
            for j in range(values.shape[1]):
                # The usual case apart, so that the compiler divides by a constant.
                if decimals == 2:
                    out = put_fixed(out, values[i, j], 2, 100.0, 100)
                else:
                    out = put_fixed(out, values[i, j], decimals, scale, unit)
                out[0] = b" "
                out += 1
            (out - 1)[0] = b"\n"
    return out - start


def write_indices(
    const int64_t[::1] numbers,
    const int32_t[:, ::1] rows,
    const uint8_t[::1] prefix,
    bint paired,
    uint8_t[:, ::1] table,
    uint8_t[::1] buffer,
) -> int:
    """Write ``numbers[index]`` for each index, one line per row; return the length.

    A mesh names each vertex six times: its text is made once, in ``table`` (len(numbers), 32),
    whose last byte is the text's length, and copied from there in one piece of constant size.
    """
    cdef uint8_t* out = &buffer[0]
    cdef uint8_t* start = out
    cdef uint8_t* entry
    cdef uint8_t* end
    cdef Py_ssize_t i, j, k
    with nogil:
        for i in range(numbers.shape[0]):
            entry = &table[i, 0]
            end = put_integer(entry, <uint64_t>numbers[i])
            if paired:
                end[0] = b"/"
                end = put_integer(end + 1, <uint64_t>numbers[i])
            end[0] = b" "
            entry[ENTRY - 1] = <uint8_t>(end + 1 - entry)
        for i in range(rows.shape[0]):
            for k in range(prefix.shape[0]):
                out[k] = prefix[k]
            out += prefix.shape[0]
            for j in range(rows.shape[1]):
                entry = &table[rows[i, j], 0]
                memcpy(out, entry, ENTRY)
                out += entry[ENTRY - 1]
            (out - 1)[0] = b"\n"
    return out - start
