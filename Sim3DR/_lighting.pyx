"""Light at each vertex; see lighting.py for the formulas."""

from libc.math cimport sqrt

cdef double INFINITE = float("inf")


cdef inline double clip(double value) noexcept nogil:
    """Clip to [0, 1]; NaN is 0."""
    if not value > 0.0:
        return 0.0
    return value if value < 1.0 else 1.0


cdef inline double inverse_length(double x, double y, double z) noexcept nogil:
    cdef double square = x * x + y * y + z * z
    return 1.0 / sqrt(square) if square > 0.0 else 0.0


cdef inline double power(double base, int exponent) noexcept nogil:
    """``base ** exponent`` by squaring, exponent >= 1."""
    cdef double result = 1.0
    while True:
        if exponent & 1:
            result *= base
        exponent >>= 1
        if exponent == 0:
            return result
        base *= base


def light_vertices(
    const float[:, ::1] vertices,
    const float[:, ::1] normals,
    const double[::1] light_pos,
    const double[::1] view_pos,
    int exponent,
    const double[::1] ambient,
    const double[::1] directional,
    const double[::1] specular,
    float[:, ::1] light,
) -> None:
    """Write the light of each vertex to ``light`` (N, C); the other colors have C channels."""
    cdef Py_ssize_t i, k
    cdef double value, largest = 0.0, scale
    cdef double low[3]
    cdef double high[3]
    cdef double vx, vy, vz, nx, ny, nz, lx, ly, lz, ex, ey, ez, c, q, length
    cdef bint viewed_from_light = True  # as by default: one square root less
    for k in range(3):
        if light_pos[k] != view_pos[k]:
            viewed_from_light = False
    with nogil:
        for k in range(3):
            low[k] = INFINITE
            high[k] = -INFINITE
        for i in range(vertices.shape[0]):
            for k in range(3):
                value = vertices[i, k]
                if value - value == 0.0:
                    low[k] = value if value < low[k] else low[k]
                    high[k] = value if value > high[k] else high[k]
        for k in range(3):
            if high[k] - low[k] > largest:
                largest = high[k] - low[k]
        scale = 1.0 / largest if largest > 0.0 else 0.0

        for i in range(vertices.shape[0]):
            vx = (2.0 * vertices[i, 0] - low[0] - high[0]) * scale
            vy = (2.0 * vertices[i, 1] - low[1] - high[1]) * scale
            vz = (2.0 * vertices[i, 2] - low[2] - high[2]) * scale
            nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]

            lx, ly, lz = light_pos[0] - vx, light_pos[1] - vy, light_pos[2] - vz
            length = inverse_length(lx, ly, lz)
            lx, ly, lz = lx * length, ly * length, lz * length
            c = nx * lx + ny * ly + nz * lz
            q = 0.0
            if c != 0.0:
                ex, ey, ez = lx, ly, lz
                if not viewed_from_light:
                    ex, ey, ez = view_pos[0] - vx, view_pos[1] - vy, view_pos[2] - vz
                    length = inverse_length(ex, ey, ez)
                    ex, ey, ez = ex * length, ey * length, ez * length
                q = (
                    power(ex * (2.0 * c * nx - lx), exponent)
                    + power(ey * (2.0 * c * ny - ly), exponent)
                    + power(ez * (2.0 * c * nz - lz), exponent)
                )
            c = clip(c)
            q = clip(q)
            for k in range(light.shape[1]):
                light[i, k] = <float>clip(ambient[k] + directional[k] * c + specular[k] * q)
