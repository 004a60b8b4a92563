# distutils: depends = Sim3DR/_rasterize.h Sim3DR/_rasterize_loops.h
"""Z-buffer loops over the triangles; see rasterize.py for the rules and the checks.

The loops are C, in _rasterize.h: only there can they be compiled for several instruction sets. Each
call draws the rows ``first <= y < end`` alone, so that threads can share a picture; a call has
buffers of its own for their depth and what is drawn there.
"""

from libc.stdint cimport int32_t, uint8_t, uint32_t

cdef extern from "_rasterize.h":
    enum: LANES
    enum: EXTRA
    enum: RGB
    enum: GRAY
    enum: INDEX
    ctypedef struct Mesh:
        const float* vertices
        const float* reach
        const int32_t* triangles
        Py_ssize_t n_triangles
        const float* colors
    ctypedef struct Band:
        float* depth
        uint32_t* drawn
        Py_ssize_t stride
        int32_t left, right, top, bottom
    int32_t first_pixel(double, double, double) noexcept nogil
    int32_t end_pixel(double, double, double) noexcept nogil
    void fill_reach(const float*, Py_ssize_t, float*, float*) noexcept nogil
    int best_variant() noexcept nogil
    void draw_band(const Mesh*, const Band*, int, int) noexcept nogil
    void copy_band(const Band*, uint8_t*, Py_ssize_t) noexcept nogil
    void shade_band(
        const Mesh*, const Band*, Py_ssize_t, int, uint8_t*, Py_ssize_t, int
    ) noexcept nogil
    void fragments_of_band(
        const Mesh*, const Band*, int32_t*, float*, float*, Py_ssize_t, int
    ) noexcept nogil

MARGIN = LANES  # columns that the buffers have beyond the box
ROW_MARGIN = EXTRA  # rows that they have below it


def instruction_sets() -> int:
    """Return the number of variants that this machine can run; variant 0 is for any machine."""
    return best_variant() + 1


def find_reach(
    const float[:, ::1] vertices, float[:, ::1] reach, Py_ssize_t height, Py_ssize_t width
) -> tuple[int, int, int, int]:
    """Fill ``reach`` (N, 4) for the drawing functions.

    Returns left, top, right, bottom of the pixels that the finite vertices can reach.
    """
    cdef float box[4]
    if reach.shape[0] != vertices.shape[0] or reach.shape[1] != 4 or vertices.shape[1] != 3:
        raise ValueError("find_reach: shapes do not fit together")
    with nogil:
        fill_reach(&vertices[0, 0], vertices.shape[0], &reach[0, 0], box)
    return (
        first_pixel(box[0], 0, width),
        first_pixel(box[1], 0, height),
        end_pixel(-box[2], 0, width),
        end_pixel(-box[3], 0, height),
    )


def draw_colors(
    uint8_t[:, :, ::1] image,
    float[:, ::1] depth,
    uint32_t[:, ::1] drawn,
    const float[:, ::1] vertices,
    const float[:, ::1] reach,
    const int32_t[:, ::1] triangles,
    const float[:, ::1] colors,
    Py_ssize_t left,
    Py_ssize_t first,
    bint reverse,
    int variant,
) -> None:
    """Draw rows ``first .. first + len(depth) - ROW_MARGIN``; the buffers' first column is ``left``."""
    cdef Mesh mesh = Mesh(
        &vertices[0, 0], &reach[0, 0], &triangles[0, 0], triangles.shape[0], &colors[0, 0]
    )
    cdef Band band = Band(
        &depth[0, 0], &drawn[0, 0], depth.shape[1], <int32_t>left,
        <int32_t>(left + depth.shape[1] - LANES), <int32_t>first, <int32_t>(first + depth.shape[0] - EXTRA),
    )
    cdef Py_ssize_t channels = image.shape[2], row_size = image.shape[1] * channels
    cdef uint8_t* pixels = &image[0, 0, 0]
    cdef bint gray = colors.shape[1] == 1
    if reverse:
        pixels += (image.shape[0] - 1) * row_size
        row_size = -row_size
    with nogil:
        if channels == 3:
            draw_band(&mesh, &band, GRAY if gray else RGB, variant)
            copy_band(&band, pixels, row_size)
        else:
            draw_band(&mesh, &band, INDEX, variant)
            shade_band(&mesh, &band, channels, gray, pixels, row_size, variant)


def draw_fragments(
    int32_t[:, ::1] triangle,
    float[:, :, ::1] weights,
    float[:, ::1] all_depth,
    float[:, ::1] depth,
    uint32_t[:, ::1] drawn,
    const float[:, ::1] vertices,
    const float[:, ::1] reach,
    const int32_t[:, ::1] triangles,
    Py_ssize_t left,
    Py_ssize_t first,
    int variant,
) -> None:
    """Record the nearest triangle of each pixel that is covered; the rest is left alone."""
    cdef Mesh mesh = Mesh(
        &vertices[0, 0], &reach[0, 0], &triangles[0, 0], triangles.shape[0], &vertices[0, 0]
    )
    cdef Band band = Band(
        &depth[0, 0], &drawn[0, 0], depth.shape[1], <int32_t>left,
        <int32_t>(left + depth.shape[1] - LANES), <int32_t>first, <int32_t>(first + depth.shape[0] - EXTRA),
    )
    with nogil:
        draw_band(&mesh, &band, INDEX, variant)
        fragments_of_band(
            &mesh, &band, &triangle[0, 0], &weights[0, 0, 0], &all_depth[0, 0], triangle.shape[1],
            variant,
        )
