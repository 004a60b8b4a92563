# distutils: depends = tddfa/drawing/_sampling.h
"""Loops that look up a picture at scattered places; see sampling.py for the contract."""

from libc.math cimport floor
from libc.stdint cimport uint8_t

cdef extern from "_sampling.h":
    void bilinear_bgr(
        const uint8_t* image, Py_ssize_t height, Py_ssize_t width, const float* x, const float* y,
        Py_ssize_t n, double scale, float* out, Py_ssize_t stride,
    ) noexcept nogil


cdef inline double confine(double value, double high) noexcept nogil:
    """Clip to 0..high; NaN becomes 0."""
    if not value > 0.0:
        return 0.0
    return value if value < high else high


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
    cdef Py_ssize_t n = x.shape[0]
    cdef double px, py, wx, wy, upper, lower
    if n == 0:
        return
    if channels == 3 and out.strides[1] == sizeof(float):
        with nogil:
            bilinear_bgr(
                &img[0, 0, 0], height, width, &x[0], &y[0], n, scale, &out[0, 0],
                out.strides[0] // <Py_ssize_t>sizeof(float),
            )
        return
    with nogil:
        for i in range(n):
            # A place beyond the border has the color of the border: clipping it is the same.
            px = confine(x[i], <double>(width - 1))
            py = confine(y[i], <double>(height - 1))
            x0 = <Py_ssize_t>px
            y0 = <Py_ssize_t>py
            x1 = x0 + 1 if x0 + 1 < width else x0
            y1 = y0 + 1 if y0 + 1 < height else y0
            wx = px - <double>x0
            wy = py - <double>y0
            for k in range(channels):
                upper = img[y0, x0, k] * (1.0 - wx) + img[y0, x1, k] * wx
                lower = img[y1, x0, k] * (1.0 - wx) + img[y1, x1, k] * wx
                out[i, k] = <float>((upper * (1.0 - wy) + lower * wy) * scale)


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
