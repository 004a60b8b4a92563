"""Loops that look up a picture at scattered places; see sampling.py for the contract."""

from libc.math cimport floor
from libc.stdint cimport uint8_t


cdef inline double confine(double value, double high) noexcept nogil:
    """Clip to 0..high; NaN becomes 0."""
    if not value > 0.0:
        return 0.0
    return value if value < high else high


cdef inline float mixed(
    double a, double b, double c, double d, double wx, double wy, double scale
) noexcept nogil:
    """Return the mix of the upper pixels a, b and the lower ones c, d."""
    cdef double upper = a * (1.0 - wx) + b * wx, lower = c * (1.0 - wx) + d * wx
    return <float>((upper * (1.0 - wy) + lower * wy) * scale)


def bilinear(
    const uint8_t[:, :, ::1] img,
    const float[::1] x,
    const float[::1] y,
    double scale,
    float[:, :] out,
) -> None:
    """Fill ``out`` (N, C) with the picture between its pixels, times ``scale``."""
    cdef Py_ssize_t i, k, x0, x1, y0, y1
    cdef Py_ssize_t height = img.shape[0], width = img.shape[1], channels = img.shape[2]
    cdef double px, py, wx, wy
    with nogil:
        for i in range(x.shape[0]):
            # A place beyond the border has the color of the border: clipping it is the same.
            px = confine(x[i], <double>(width - 1))
            py = confine(y[i], <double>(height - 1))
            x0 = <Py_ssize_t>px
            y0 = <Py_ssize_t>py
            x1 = x0 + 1 if x0 + 1 < width else x0
            y1 = y0 + 1 if y0 + 1 < height else y0
            wx = px - <double>x0
            wy = py - <double>y0
            if channels == 3:  # the usual number, known to the compiler
                for k in range(3):
                    out[i, k] = mixed(
                        img[y0, x0, k], img[y0, x1, k], img[y1, x0, k], img[y1, x1, k], wx, wy, scale
                    )
            else:
                for k in range(channels):
                    out[i, k] = mixed(
                        img[y0, x0, k], img[y0, x1, k], img[y1, x0, k], img[y1, x1, k], wx, wy, scale
                    )


def nearest(
    const uint8_t[:, :, ::1] img,
    const float[::1] x,
    const float[::1] y,
    uint8_t[:, ::1] out,
) -> None:
    """Fill ``out`` (N, C) with the pixel nearest to each place; ties go to the even pixel."""
    cdef Py_ssize_t i, k, column, row
    cdef double px, py
    with nogil:
        for i in range(x.shape[0]):
            px = confine(x[i], <double>(img.shape[1] - 1))
            py = confine(y[i], <double>(img.shape[0] - 1))
            column = <Py_ssize_t>floor(px + 0.5)
            row = <Py_ssize_t>floor(py + 0.5)
            if <double>column - px == 0.5 and column % 2:
                column -= 1
            if <double>row - py == 0.5 and row % 2:
                row -= 1
            for k in range(img.shape[2]):
                out[i, k] = img[row, column, k]
