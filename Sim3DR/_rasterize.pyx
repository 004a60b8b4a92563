"""Z-buffer loops over the triangles; see rasterize.py for the rules and the checks.

Every loop draws the rows ``first_row <= y < end_row`` alone, so that threads can share a picture.
What a pixel gets depends on the pixel and the triangles only, never on the rows asked for:

- an edge function is evaluated at each pixel as ``(x - x0) * dx + row term`` in float64. Nothing is
  accumulated, so nothing drifts, and rounding keeps it monotone along the row. Hence the pixels of
  a row that pass all three tests are one run, and the search may stop at its end.
- depth and colors are linear in the same two edge functions; one division per triangle.
"""

from libc.stdint cimport int32_t, uint8_t


cdef struct Triangle:
    # inside: e_u >= 0, e_v >= 0, e_w > 0, where e_u + e_v + e_w = area and u = e_u / area
    double x0, y0
    double ux, uy, vx, vy, wx, area, inverse
    double z0, zu, zv
    int32_t i0, i1, i2
    # pixels whose centers can be inside: left <= x < right, top <= y < bottom
    Py_ssize_t left, right, top, bottom


cdef struct Row:
    double u, v, w  # the edge functions less their (x - x0) terms
    Py_ssize_t start  # no pixel left of it is inside


cdef inline Py_ssize_t clip_ceil(double value, Py_ssize_t low, Py_ssize_t high) noexcept nogil:
    """Smallest integer >= value, kept within low..high; safe for any finite value."""
    cdef Py_ssize_t whole
    if value <= <double>low:
        return low
    if value >= <double>high:
        return high
    whole = <Py_ssize_t>value  # low >= 0, so that truncation is floor
    return whole + 1 if <double>whole < value else whole


cdef inline Py_ssize_t clip_floor_end(double value, Py_ssize_t low, Py_ssize_t high) noexcept nogil:
    """One more than the largest integer <= value, kept within low..high."""
    if value < <double>low:
        return low
    if value >= <double>(high - 1):
        return high
    return <Py_ssize_t>value + 1


cdef inline bint prepare(
    const float[:, ::1] vertices,
    const int32_t[:, ::1] triangles,
    Py_ssize_t index,
    Py_ssize_t first_row,
    Py_ssize_t end_row,
    Py_ssize_t width,
    Triangle* t,
) noexcept nogil:
    """Fill in the triangle; false if it cannot cover a pixel center of these rows."""
    cdef double x0, y0, z0, x1, y1, z1, x2, y2, z2, total, low, high
    t.i0 = triangles[index, 0]
    t.i1 = triangles[index, 1]
    t.i2 = triangles[index, 2]

    y0 = vertices[t.i0, 1]
    y1 = vertices[t.i1, 1]
    y2 = vertices[t.i2, 1]
    low = y0 if y0 < y1 else y1
    low = y2 if y2 < low else low
    high = y0 if y0 > y1 else y1
    high = y2 if y2 > high else high
    # "not <" rather than ">=": false for NaN too. One that gets past is caught by the sum below.
    if not low < <double>end_row or not high >= <double>first_row:
        return False
    t.top = clip_ceil(low, first_row, end_row)
    t.bottom = clip_floor_end(high, first_row, end_row)
    if t.top >= t.bottom:
        return False

    x0 = vertices[t.i0, 0]
    x1 = vertices[t.i1, 0]
    x2 = vertices[t.i2, 0]
    low = x0 if x0 < x1 else x1
    low = x2 if x2 < low else low
    high = x0 if x0 > x1 else x1
    high = x2 if x2 > high else high
    if not low < <double>width or not high >= 0.0:
        return False
    t.left = clip_ceil(low, 0, width)
    t.right = clip_floor_end(high, 0, width)
    if t.left >= t.right:
        return False

    z0 = vertices[t.i0, 2]
    z1 = vertices[t.i1, 2]
    z2 = vertices[t.i2, 2]
    total = x0 + x1 + x2 + y0 + y1 + y2 + z0 + z1 + z2  # float32 values cannot overflow it
    if not total - total == 0.0:  # NaN or infinite
        return False

    # p = p0 + u (p2 - p0) + v (p1 - p0), by Cramer's rule
    t.ux = y1 - y0
    t.uy = x0 - x1
    t.vx = y0 - y2
    t.vy = x2 - x0
    t.wx = y2 - y1
    t.area = t.vy * t.ux - t.vx * t.uy
    if t.area < 0.0:
        t.ux, t.uy, t.vx, t.vy, t.wx = -t.ux, -t.uy, -t.vx, -t.vy, -t.wx
        t.area = -t.area
    if not t.area > 0.0:
        return False
    t.inverse = 1.0 / t.area
    t.x0 = x0
    t.y0 = y0
    t.z0 = z0
    t.zu = (z2 - z0) * t.inverse
    t.zv = (z1 - z0) * t.inverse
    return True


cdef inline void skip_to(Row* row, const Triangle* t, double term, double slope) noexcept nogil:
    """Move the start of a wide row up to just before the edge where the run can begin."""
    cdef double x
    if slope > 0.0:
        x = t.x0 - term / slope - 2.0  # 2: more than any rounding of the division can amount to
        if x > <double>row.start:
            row.start = <Py_ssize_t>x if x < <double>t.right else t.right


cdef inline Row begin_row(const Triangle* t, Py_ssize_t y) noexcept nogil:
    """Return the row's terms and the first pixel of the row that is inside, or ``right``."""
    cdef Row row
    cdef double dx, dy = <double>y - t.y0
    row.u = dy * t.uy
    row.v = dy * t.vy
    row.w = t.area - (row.u + row.v)
    row.start = t.left
    if t.right - t.left > 12:
        skip_to(&row, t, row.u, t.ux)
        skip_to(&row, t, row.v, t.vx)
        skip_to(&row, t, row.w, t.wx)
    while row.start < t.right:
        dx = <double>row.start - t.x0
        if dx * t.ux + row.u >= 0.0 and dx * t.vx + row.v >= 0.0 and dx * t.wx + row.w > 0.0:
            break
        row.start += 1
    return row


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
        clip_ceil(left, 0, width),
        clip_ceil(top, 0, height),
        clip_floor_end(right, 0, width),
        clip_floor_end(bottom, 0, height),
    )


cdef void clear(float[:, ::1] depth, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t x, y
    for y in range(first, end):
        for x in range(depth.shape[1]):
            depth[y, x] = -1e8  # part of the contract, rasterize.EMPTY_DEPTH


def draw_rgb(
    uint8_t[:, :, ::1] image,
    float[:, ::1] depth,
    const float[:, ::1] vertices,
    const int32_t[:, ::1] triangles,
    const float[:, ::1] colors,
    Py_ssize_t left,
    Py_ssize_t top,
    Py_ssize_t first_row,
    Py_ssize_t end_row,
    bint reverse,
) -> None:
    """Draw three channels. ``depth`` covers the mesh's box, whose corner is at (left, top)."""
    cdef Triangle t
    cdef Row row
    cdef Py_ssize_t index, x, y
    cdef double dx, eu, ev
    cdef float z
    cdef float* nearest
    cdef uint8_t* pixel
    cdef double r, g, b, ru, gu, bu, rv, gv, bv
    with nogil:
        clear(depth, first_row - top, end_row - top)
        for index in range(triangles.shape[0]):
            if not prepare(vertices, triangles, index, first_row, end_row, image.shape[1], &t):
                continue
            r, g, b = colors[t.i0, 0], colors[t.i0, 1], colors[t.i0, 2]
            ru = (colors[t.i2, 0] - r) * t.inverse
            gu = (colors[t.i2, 1] - g) * t.inverse
            bu = (colors[t.i2, 2] - b) * t.inverse
            rv = (colors[t.i1, 0] - r) * t.inverse
            gv = (colors[t.i1, 1] - g) * t.inverse
            bv = (colors[t.i1, 2] - b) * t.inverse
            for y in range(t.top, t.bottom):
                row = begin_row(&t, y)
                nearest = &depth[y - top, 0]
                pixel = &image[image.shape[0] - 1 - y if reverse else y, 0, 0]
                for x in range(row.start, t.right):
                    dx = <double>x - t.x0
                    eu = dx * t.ux + row.u
                    ev = dx * t.vx + row.v
                    if not (eu >= 0.0 and ev >= 0.0 and dx * t.wx + row.w > 0.0):
                        break
                    z = <float>(t.z0 + eu * t.zu + ev * t.zv)
                    if z > nearest[x - left]:
                        nearest[x - left] = z
                        # to float32 before the product: a color n/255 then gives n, not n - 1
                        pixel[3 * x] = <uint8_t><int>(255 * <float>(r + eu * ru + ev * rv))
                        pixel[3 * x + 1] = <uint8_t><int>(255 * <float>(g + eu * gu + ev * gv))
                        pixel[3 * x + 2] = <uint8_t><int>(255 * <float>(b + eu * bu + ev * bv))


def draw_gray(
    uint8_t[:, :, ::1] image,
    float[:, ::1] depth,
    const float[:, ::1] vertices,
    const int32_t[:, ::1] triangles,
    const float[:, ::1] colors,
    Py_ssize_t left,
    Py_ssize_t top,
    Py_ssize_t first_row,
    Py_ssize_t end_row,
    bint reverse,
) -> None:
    """Draw one color channel into every channel of the picture."""
    cdef Triangle t
    cdef Row row
    cdef Py_ssize_t index, x, y, k, channels = image.shape[2]
    cdef double dx, eu, ev, c, cu, cv
    cdef float z
    cdef float* nearest
    cdef uint8_t* pixel
    cdef uint8_t gray
    with nogil:
        clear(depth, first_row - top, end_row - top)
        for index in range(triangles.shape[0]):
            if not prepare(vertices, triangles, index, first_row, end_row, image.shape[1], &t):
                continue
            c = colors[t.i0, 0]
            cu = (colors[t.i2, 0] - c) * t.inverse
            cv = (colors[t.i1, 0] - c) * t.inverse
            for y in range(t.top, t.bottom):
                row = begin_row(&t, y)
                nearest = &depth[y - top, 0]
                pixel = &image[image.shape[0] - 1 - y if reverse else y, 0, 0]
                for x in range(row.start, t.right):
                    dx = <double>x - t.x0
                    eu = dx * t.ux + row.u
                    ev = dx * t.vx + row.v
                    if not (eu >= 0.0 and ev >= 0.0 and dx * t.wx + row.w > 0.0):
                        break
                    z = <float>(t.z0 + eu * t.zu + ev * t.zv)
                    if z > nearest[x - left]:
                        nearest[x - left] = z
                        gray = <uint8_t><int>(255 * <float>(c + eu * cu + ev * cv))
                        if channels == 3:
                            pixel[3 * x] = gray
                            pixel[3 * x + 1] = gray
                            pixel[3 * x + 2] = gray
                        else:
                            for k in range(channels):
                                pixel[channels * x + k] = gray


def draw_channels(
    uint8_t[:, :, ::1] image,
    float[:, ::1] depth,
    const float[:, ::1] vertices,
    const int32_t[:, ::1] triangles,
    const float[:, ::1] colors,
    Py_ssize_t left,
    Py_ssize_t top,
    Py_ssize_t first_row,
    Py_ssize_t end_row,
    bint reverse,
) -> None:
    """Draw any number of channels."""
    cdef Triangle t
    cdef Row row
    cdef Py_ssize_t index, x, y, k, channels = image.shape[2]
    cdef double dx, eu, ev, c
    cdef float z
    cdef float* nearest
    cdef uint8_t* pixel
    with nogil:
        clear(depth, first_row - top, end_row - top)
        for index in range(triangles.shape[0]):
            if not prepare(vertices, triangles, index, first_row, end_row, image.shape[1], &t):
                continue
            for y in range(t.top, t.bottom):
                row = begin_row(&t, y)
                nearest = &depth[y - top, 0]
                pixel = &image[image.shape[0] - 1 - y if reverse else y, 0, 0]
                for x in range(row.start, t.right):
                    dx = <double>x - t.x0
                    eu = dx * t.ux + row.u
                    ev = dx * t.vx + row.v
                    if not (eu >= 0.0 and ev >= 0.0 and dx * t.wx + row.w > 0.0):
                        break
                    z = <float>(t.z0 + eu * t.zu + ev * t.zv)
                    if z > nearest[x - left]:
                        nearest[x - left] = z
                        for k in range(channels):
                            c = colors[t.i0, k]
                            pixel[channels * x + k] = <uint8_t><int>(255 * <float>(
                                c
                                + eu * ((colors[t.i2, k] - c) * t.inverse)
                                + ev * ((colors[t.i1, k] - c) * t.inverse)
                            ))


def draw_fragments(
    int32_t[:, ::1] triangle_index,
    float[:, :, ::1] weights,
    float[:, ::1] depth,
    const float[:, ::1] vertices,
    const int32_t[:, ::1] triangles,
    Py_ssize_t first_row,
    Py_ssize_t end_row,
) -> None:
    """Record the nearest triangle of each pixel; fills its rows of all three arrays."""
    cdef Triangle t
    cdef Row row
    cdef Py_ssize_t index, x, y
    cdef double dx, eu, ev
    cdef float z
    with nogil:
        clear(depth, first_row, end_row)
        for y in range(first_row, end_row):
            for x in range(depth.shape[1]):
                triangle_index[y, x] = -1
                weights[y, x, 0] = 0
                weights[y, x, 1] = 0
                weights[y, x, 2] = 0
        for index in range(triangles.shape[0]):
            if not prepare(vertices, triangles, index, first_row, end_row, depth.shape[1], &t):
                continue
            for y in range(t.top, t.bottom):
                row = begin_row(&t, y)
                for x in range(row.start, t.right):
                    dx = <double>x - t.x0
                    eu = dx * t.ux + row.u
                    ev = dx * t.vx + row.v
                    if not (eu >= 0.0 and ev >= 0.0 and dx * t.wx + row.w > 0.0):
                        break
                    z = <float>(t.z0 + eu * t.zu + ev * t.zv)
                    if z > depth[y, x]:
                        depth[y, x] = z
                        triangle_index[y, x] = <int32_t>index
                        weights[y, x, 0] = <float>((t.area - eu - ev) * t.inverse)
                        weights[y, x, 1] = <float>(ev * t.inverse)
                        weights[y, x, 2] = <float>(eu * t.inverse)
