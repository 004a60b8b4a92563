# Loops of separable.py. Activations are float32, or bfloat16 seen as uint16.
from libc.stdint cimport uint16_t

import numpy as np

ctypedef fused activation:
    float
    uint16_t

cdef extern from "_separable.h":
    ctypedef struct Shape:
        Py_ssize_t n, height, width, c, stride, out_height, out_width
    ctypedef struct Norm:
        const float* scale
        const float* shift
        const float* mean
    void moments_f32(const float*, Py_ssize_t, Py_ssize_t, double*, float*) noexcept nogil
    void moments_bf16(const uint16_t*, Py_ssize_t, Py_ssize_t, double*, float*) noexcept nogil
    void normalize_f32(const float*, Norm, float*, Py_ssize_t, Py_ssize_t) noexcept nogil
    void normalize_bf16(const uint16_t*, Norm, uint16_t*, Py_ssize_t, Py_ssize_t) noexcept nogil
    void gradient_moments_f32(
        const float*, const float*, Norm, Py_ssize_t, Py_ssize_t, double*, float*
    ) noexcept nogil
    void gradient_moments_bf16(
        const uint16_t*, const uint16_t*, Norm, Py_ssize_t, Py_ssize_t, double*, float*
    ) noexcept nogil
    void denormalize_f32(
        const float*, float*, Norm, const float*, const float*, const float*, Py_ssize_t,
        Py_ssize_t,
    ) noexcept nogil
    void denormalize_bf16(
        const uint16_t*, uint16_t*, Norm, const float*, const float*, const float*, Py_ssize_t,
        Py_ssize_t,
    ) noexcept nogil
    void depthwise_f32(
        const float*, Norm, const float*, float*, Shape, double*, float*
    ) noexcept nogil
    void depthwise_bf16(
        const uint16_t*, Norm, const float*, uint16_t*, Shape, double*, float*
    ) noexcept nogil
    void depthwise_back_f32(
        const float*, Norm, const float*, const float*, float*, double*, Shape, double*, float*
    ) noexcept nogil
    void depthwise_back_bf16(
        const uint16_t*, Norm, const float*, const uint16_t*, uint16_t*, double*, Shape, double*,
        float*,
    ) noexcept nogil


cdef Norm as_norm(const float[:, ::1] norm) noexcept nogil:
    return Norm(&norm[0, 0], &norm[1, 0], &norm[2, 0])


def moments(const activation[:, ::1] raw, double[:, ::1] total):
    cdef Py_ssize_t rows = raw.shape[0], c = raw.shape[1]
    cdef float[::1] part = np.empty(2 * c, np.float32)
    with nogil:
        if activation is float:
            moments_f32(&raw[0, 0], rows, c, &total[0, 0], &part[0])
        else:
            moments_bf16(&raw[0, 0], rows, c, &total[0, 0], &part[0])


def normalize(const activation[:, ::1] raw, const float[:, ::1] norm, activation[:, ::1] value):
    cdef Py_ssize_t rows = raw.shape[0], c = raw.shape[1]
    with nogil:
        if activation is float:
            normalize_f32(&raw[0, 0], as_norm(norm), &value[0, 0], rows, c)
        else:
            normalize_bf16(&raw[0, 0], as_norm(norm), &value[0, 0], rows, c)


def gradient_moments(
    const activation[:, ::1] raw, const activation[:, ::1] gradient, const float[:, ::1] norm,
    double[:, ::1] total,
):
    cdef Py_ssize_t rows = raw.shape[0], c = raw.shape[1]
    cdef float[::1] part = np.empty(2 * c, np.float32)
    with nogil:
        if activation is float:
            gradient_moments_f32(
                &raw[0, 0], &gradient[0, 0], as_norm(norm), rows, c, &total[0, 0], &part[0]
            )
        else:
            gradient_moments_bf16(
                &raw[0, 0], &gradient[0, 0], as_norm(norm), rows, c, &total[0, 0], &part[0]
            )


def denormalize(
    const activation[:, ::1] raw, activation[:, ::1] gradient, const float[:, ::1] norm,
    const float[:, ::1] terms,
):
    cdef Py_ssize_t rows = raw.shape[0], c = raw.shape[1]
    with nogil:
        if activation is float:
            denormalize_f32(
                &raw[0, 0], &gradient[0, 0], as_norm(norm), &terms[0, 0], &terms[1, 0],
                &terms[2, 0], rows, c,
            )
        else:
            denormalize_bf16(
                &raw[0, 0], &gradient[0, 0], as_norm(norm), &terms[0, 0], &terms[1, 0],
                &terms[2, 0], rows, c,
            )


def depthwise(
    const activation[:, :, :, ::1] raw, const float[:, ::1] norm, const float[:, ::1] weight,
    Py_ssize_t stride, activation[:, :, :, ::1] out, double[:, ::1] total,
):
    cdef Shape s = Shape(
        raw.shape[0], raw.shape[1], raw.shape[2], raw.shape[3], stride, out.shape[1], out.shape[2]
    )
    cdef float[::1] buffer = np.zeros((3 * (s.width + 2) + 2) * s.c, np.float32)
    with nogil:
        if activation is float:
            depthwise_f32(
                &raw[0, 0, 0, 0], as_norm(norm), &weight[0, 0], &out[0, 0, 0, 0], s, &total[0, 0],
                &buffer[0],
            )
        else:
            depthwise_bf16(
                &raw[0, 0, 0, 0], as_norm(norm), &weight[0, 0], &out[0, 0, 0, 0], s, &total[0, 0],
                &buffer[0],
            )


def depthwise_back(
    const activation[:, :, :, ::1] raw, const float[:, ::1] norm, const float[:, ::1] weight,
    Py_ssize_t stride, const activation[:, :, :, ::1] out_gradient,
    activation[:, :, :, ::1] gradient, double[:, ::1] weight_gradient, double[:, ::1] total,
):
    cdef Shape s = Shape(
        raw.shape[0], raw.shape[1], raw.shape[2], raw.shape[3], stride, out_gradient.shape[1],
        out_gradient.shape[2],
    )
    cdef float[::1] buffer = np.zeros((6 * (s.width + 2) + 11) * s.c, np.float32)
    with nogil:
        if activation is float:
            depthwise_back_f32(
                &raw[0, 0, 0, 0], as_norm(norm), &weight[0, 0], &out_gradient[0, 0, 0, 0],
                &gradient[0, 0, 0, 0], &weight_gradient[0, 0], s, &total[0, 0], &buffer[0],
            )
        else:
            depthwise_back_bf16(
                &raw[0, 0, 0, 0], as_norm(norm), &weight[0, 0], &out_gradient[0, 0, 0, 0],
                &gradient[0, 0, 0, 0], &weight_gradient[0, 0], s, &total[0, 0], &buffer[0],
            )
