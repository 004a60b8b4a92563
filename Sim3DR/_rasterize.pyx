# distutils: depends = Sim3DR/_rasterize.h Sim3DR/_rasterize_loops.h
"""Z-buffer loops over the triangles; see rasterize.py for the rules and the checks.

The loops are C, in _rasterize.h: only there can they be compiled for several instruction sets. Each
call draws the rows ``first <= y < end`` alone, so that threads can share a picture; a call has
buffers of its own for their depth and what is drawn there.
"""

from libc.stdint cimport int32_t, uint8_t, uint32_t

cdef extern from "_rasterize.h":
    enum: LANES
    enum: RGB
    enum: GRAY
    enum: INDEX
    ctypedef struct Mesh:
        const float* vertices
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


def instruction_sets() -> int:
    """Return the number of variants that this machine can run; variant 0 is for any machine."""
    return best_variant() + 1


def mesh_box(
    const float[:, ::1] vertices, Py_ssize_t height, Py_ssize_t width
) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the pixels that the finite vertices can reach."""
    cdef double x, y, left = width, top = height, right = -1.0, bottom = -1.0
    cdef Py_ssize_t i
    with nogil:
        for i in range(vertices.shape[0]):
            x = vertices[i, 0]
            y = vertices[i, 1]
            if x - x == 0.0 and y - y == 0.0:
                left = x if x < left else left
                right = x if x > right else right
                top = y if y < top else top
                bottom = y if y > bottom else bottom
    return (
        first_pixel(left, 0, width),
        first_pixel(top, 0, height),
        end_pixel(right, 0, width),
        end_pixel(bottom, 0, height),
    )


def draw_colors(
    uint8_t[:, :, ::1] image,
    float[:, ::1] depth,
    uint32_t[:, ::1] drawn,
    const float[:, ::1] vertices,
    const int32_t[:, ::1] triangles,
    const float[:, ::1] colors,
    Py_ssize_t left,
    Py_ssize_t first,
    bint reverse,
    int variant,
) -> None:
    """Draw rows ``first .. first + len(depth)``; the buffers' first column is ``left``."""
    cdef Mesh mesh = Mesh(&vertices[0, 0], &triangles[0, 0], triangles.shape[0], &colors[0, 0])
    cdef Band band = Band(
        &depth[0, 0], &drawn[0, 0], depth.shape[1], <int32_t>left,
        <int32_t>(left + depth.shape[1] - LANES), <int32_t>first, <int32_t>(first + depth.shape[0]),
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
    const int32_t[:, ::1] triangles,
    Py_ssize_t left,
    Py_ssize_t first,
    int variant,
) -> None:
    """Record the nearest triangle of each pixel that is covered; the rest is left alone."""
    cdef Mesh mesh = Mesh(&vertices[0, 0], &triangles[0, 0], triangles.shape[0], &vertices[0, 0])
    cdef Band band = Band(
        &depth[0, 0], &drawn[0, 0], depth.shape[1], <int32_t>left,
        <int32_t>(left + depth.shape[1] - LANES), <int32_t>first, <int32_t>(first + depth.shape[0]),
    )
    with nogil:
        draw_band(&mesh, &band, INDEX, variant)
        fragments_of_band(
            &mesh, &band, &triangle[0, 0], &weights[0, 0, 0], &all_depth[0, 0], triangle.shape[1],
            variant,
        )
