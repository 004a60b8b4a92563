"""Sum of the face normals around each vertex; see normals.py."""

from libc.math cimport sqrt
from libc.stdint cimport int32_t


def vertex_normals(
    const float[:, ::1] vertices,
    const int32_t[:, ::1] triangles,
    double[:, ::1] sums,
    float[:, ::1] normals,
) -> None:
    """Add the face normals into ``sums`` (zeros) and write them normalized to ``normals``."""
    cdef Py_ssize_t i, k
    cdef int32_t a, b, c
    cdef double ux, uy, uz, vx, vy, vz, nx, ny, nz, length
    with nogil:
        for i in range(triangles.shape[0]):
            a, b, c = triangles[i, 0], triangles[i, 1], triangles[i, 2]
            ux = <double>vertices[b, 0] - vertices[a, 0]
            uy = <double>vertices[b, 1] - vertices[a, 1]
            uz = <double>vertices[b, 2] - vertices[a, 2]
            vx = <double>vertices[c, 0] - vertices[a, 0]
            vy = <double>vertices[c, 1] - vertices[a, 1]
            vz = <double>vertices[c, 2] - vertices[a, 2]
            nx = uy * vz - uz * vy
            ny = uz * vx - ux * vz
            nz = ux * vy - uy * vx
            length = nx + ny + nz
            if not length - length == 0.0:  # NaN or infinite: leave the neighbors unharmed
                continue
            sums[a, 0] += nx
            sums[a, 1] += ny
            sums[a, 2] += nz
            sums[b, 0] += nx
            sums[b, 1] += ny
            sums[b, 2] += nz
            sums[c, 0] += nx
            sums[c, 1] += ny
            sums[c, 2] += nz
        for i in range(sums.shape[0]):
            nx, ny, nz = sums[i, 0], sums[i, 1], sums[i, 2]
            length = sqrt(nx * nx + ny * ny + nz * nz)
            length = 1.0 / length if length > 0.0 else 0.0
            normals[i, 0] = <float>(nx * length)
            normals[i, 1] = <float>(ny * length)
            normals[i, 2] = <float>(nz * length)
