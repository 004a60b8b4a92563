# distutils: depends = tddfa/_reconstruct.h
"""Loops of reconstruct.py.

The basis lies in tiles of vertices, within a tile by axis and component: one pass over it goes
through memory in order, and what is read of a tile serves all faces of a group out of the nearest
cache. It is bound by memory for one face and by arithmetic for many, hence 16-bit integers that are
widened in registers, and sums that stay there.
"""

from libc.stdint cimport int32_t

cdef extern from "_reconstruct.h":
    enum: TILE
    enum: GROUP
    void reconstruct_tiles(
        const float* mean, const int32_t* basis, Py_ssize_t n_components, const float* weights,
        Py_ssize_t n_faces, const float* cameras, float* out, Py_ssize_t n_vertices,
        Py_ssize_t first, Py_ssize_t last,
    ) noexcept nogil

TILE_SIZE = TILE
GROUP_SIZE = GROUP


def reconstruct(
    const float[:, :, ::1] mean,
    const int32_t[:, :, :, ::1] tiles,
    const float[:, :, ::1] weights,
    const float[:, :, ::1] cameras,
    float[:, :, ::1] out,
    Py_ssize_t first,
    Py_ssize_t last,
) -> None:
    """Fill ``out`` (n, 3, N) from tiles ``first .. last``, which are (tiles, 3, K, TILE / 2),
    two 16-bit numbers in each 32, see _reconstruct.h.

    ``mean`` is (tiles, 3, TILE), ``weights`` (3, n, K), n at most GROUP.
    """
    cdef Py_ssize_t n_faces = out.shape[0], n_components = tiles.shape[2]
    if (
        not 0 < n_faces <= GROUP or mean.shape[2] != TILE or tiles.shape[3] != TILE // 2
        or tiles.shape[1] != 3 or mean.shape[1] != 3 or mean.shape[0] != tiles.shape[0]
        or weights.shape[0] != 3 or weights.shape[1] != n_faces or out.shape[1] != 3
        or weights.shape[2] != n_components or cameras.shape[0] != n_faces
        or cameras.shape[1] != 3 or cameras.shape[2] != 4 or not 0 <= first <= last
        or last > tiles.shape[0] or out.shape[2] > tiles.shape[0] * TILE or n_components == 0
    ):
        raise ValueError("reconstruct: shapes do not fit together")
    if first == last or out.shape[2] == 0:
        return
    with nogil:
        reconstruct_tiles(
            &mean[0, 0, 0], &tiles[0, 0, 0, 0], n_components, &weights[0, 0, 0], n_faces,
            &cameras[0, 0, 0], &out[0, 0, 0], out.shape[2], first, last,
        )
