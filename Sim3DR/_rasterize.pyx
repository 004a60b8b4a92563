"""Z-buffer loops over the triangles; see rasterize.py for the rules and the checks.

Each ``draw_*`` loop draws the rows ``first_row <= y < end_row`` alone, so that threads can share a
picture. What a pixel gets depends on the pixel and the triangles, never on the rows asked for: an
edge function is evaluated at each pixel as ``(x - x0) * dx + row term`` in float64, nothing is
accumulated that could drift.

A triangle is drawn tile by tile in two steps. ``inside_pixels`` lists the pixels that are inside,
without a branch that depends on the pixel: on the small triangles of a face such a branch is a coin
toss, and its mispredictions cost more than testing the whole bounding box. The caller then tests
the depth of the listed pixels, which hardly ever fails, and colors them.
"""

from libc.stdint cimport int32_t, uint8_t

cdef enum:
    TILE = 16  # side of a tile; wider than nearly all triangles of a face in a photograph


cdef struct Triangle:
    # Edge functions e_k = (x - x0) * kx + (y - y0) * ky, plus area for e_w, so that their sum is
    # area, u = e_u / area and v = e_v / area. Inside: e_u >= 0, e_v >= 0, e_w > 0.
    double x0, y0, ux, uy, vx, vy, wx, wy, area, inverse
    double z0, zu, zv  # z = z0 + e_u * zu + e_v * zv
    int32_t i0, i1, i2
    # pixels whose centers can be inside: left <= x < right, top <= y < bottom
    Py_ssize_t left, right, top, bottom
    Py_ssize_t tile_x, tile_y  # corner of the tile to be drawn next


cdef struct Pixel:
    double u, v  # edge functions e_u, e_v
    int32_t x, y


cdef inline double smaller(double a, double b) noexcept nogil:
    """Return the smaller; b if either is NaN."""
    return a if a < b else b


cdef inline double larger(double a, double b) noexcept nogil:
    """Return the larger; b if either is NaN."""
    return a if a > b else b


cdef inline Py_ssize_t first_pixel(double value, Py_ssize_t low, Py_ssize_t high) noexcept nogil:
    """Smallest integer >= value, clipped to low..high; safe for any value."""
    cdef double clipped = smaller(larger(value, <double>low), <double>high)
    cdef Py_ssize_t whole = <Py_ssize_t>clipped  # low >= 0, hence rounded down
    return whole + (<double>whole < clipped)


cdef inline Py_ssize_t end_pixel(double value, Py_ssize_t low, Py_ssize_t high) noexcept nogil:
    """One more than the largest integer <= value, clipped to low..high; safe for any value."""
    return <Py_ssize_t>(smaller(larger(value + 1.0, <double>low), <double>high))


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
    cdef double x0, y0, z0, x1, y1, z1, x2, y2, z2, total
    t.i0 = triangles[index, 0]
    t.i1 = triangles[index, 1]
    t.i2 = triangles[index, 2]

    y0 = vertices[t.i0, 1]
    y1 = vertices[t.i1, 1]
    y2 = vertices[t.i2, 1]
    t.top = first_pixel(smaller(smaller(y0, y1), y2), first_row, end_row)
    t.bottom = end_pixel(larger(larger(y0, y1), y2), first_row, end_row)
    if t.top >= t.bottom:
        return False

    x0 = vertices[t.i0, 0]
    x1 = vertices[t.i1, 0]
    x2 = vertices[t.i2, 0]
    t.left = first_pixel(smaller(smaller(x0, x1), x2), 0, width)
    t.right = end_pixel(larger(larger(x0, x1), x2), 0, width)
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
    t.wy = x1 - x2
    t.area = t.vy * t.ux - t.vx * t.uy
    if t.area < 0.0:
        t.ux, t.uy, t.vx, t.vy = -t.ux, -t.uy, -t.vx, -t.vy
        t.wx, t.wy = -t.wx, -t.wy
        t.area = -t.area
    if not t.area > 0.0:
        return False
    t.inverse = 1.0 / t.area
    t.x0 = x0
    t.y0 = y0
    t.z0 = z0
    t.zu = (z2 - z0) * t.inverse
    t.zv = (z1 - z0) * t.inverse
    t.tile_x = t.left
    t.tile_y = t.top
    return True


cdef inline bint misses(
    double kx, double ky, double constant, double x0, double x1, double y0, double y1
) noexcept nogil:
    """Whether an edge function is negative on a whole tile, given relative to the first vertex.

    Rounding is monotone, hence the value at one of the corners bounds those at all pixels.
    """
    return (x1 if kx > 0.0 else x0) * kx + ((y1 if ky > 0.0 else y0) * ky + constant) < 0.0


cdef inline Py_ssize_t inside_pixels(Triangle* t, Pixel* pixels) noexcept nogil:
    """List the pixels inside the triangle in its next tile and move on; -1 after the last one."""
    cdef Py_ssize_t n = 0, x, y, x0 = t.tile_x, y0 = t.tile_y, x1, y1
    cdef double dx, dy, u, v, w, row_u, row_v, row_w, x_low, x_high, y_low, y_high
    if y0 >= t.bottom:
        return -1
    x1 = x0 + TILE if x0 + TILE < t.right else t.right
    y1 = y0 + TILE if y0 + TILE < t.bottom else t.bottom
    t.tile_x = x1
    if x1 == t.right:
        t.tile_x = t.left
        t.tile_y = y1

    if t.right - t.left > TILE or t.bottom - t.top > TILE:
        x_low, x_high = <double>x0 - t.x0, <double>(x1 - 1) - t.x0
        y_low, y_high = <double>y0 - t.y0, <double>(y1 - 1) - t.y0
        if (
            misses(t.ux, t.uy, 0.0, x_low, x_high, y_low, y_high)
            or misses(t.vx, t.vy, 0.0, x_low, x_high, y_low, y_high)
            or misses(t.wx, t.wy, t.area, x_low, x_high, y_low, y_high)
        ):
            return 0

    for y in range(y0, y1):
        dy = <double>y - t.y0
        row_u = dy * t.uy
        row_v = dy * t.vy
        row_w = dy * t.wy + t.area
        for x in range(x0, x1):
            dx = <double>x - t.x0
            u = dx * t.ux + row_u
            v = dx * t.vx + row_v
            w = dx * t.wx + row_w
            # written always, kept only if counted: no branch
            pixels[n].u = u
            pixels[n].v = v
            pixels[n].x = <int32_t>x
            pixels[n].y = <int32_t>y
            n += ((u if u < v else v) >= 0.0) & (w > 0.0)
    return n


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


cdef void clear(float[:, ::1] depth, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t x, y
    for y in range(first, end):
        for x in range(depth.shape[1]):
            depth[y, x] = -1e8  # part of the contract, rasterize.EMPTY_DEPTH


cdef inline uint8_t level(double color) noexcept nogil:
    """Return trunc(255 * color); in float32, as n / 255 then gives n and not n - 1."""
    cdef float scale = 255
    # Beyond 0..1 only through rounding, where a triangle is vast and thin.
    return <uint8_t><int>(scale * <float>smaller(larger(color, 0.0), 1.0))


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
    """Draw three channels. ``depth`` covers the mesh's box, whose corner is (left, top)."""
    cdef Triangle t
    cdef Pixel pixels[TILE * TILE + 1]
    cdef Pixel* p
    cdef float z
    cdef Py_ssize_t index, count, i
    cdef double r, g, b, ru, gu, bu, rv, gv, bv
    cdef uint8_t* out
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
            while True:
                count = inside_pixels(&t, pixels)
                if count < 0:
                    break
                for i in range(count):
                    p = &pixels[i]
                    z = <float>(t.z0 + p.u * t.zu + p.v * t.zv)
                    if not z > depth[p.y - top, p.x - left]:
                        continue
                    depth[p.y - top, p.x - left] = z
                    out = &image[image.shape[0] - 1 - p.y if reverse else p.y, p.x, 0]
                    out[0] = level(r + p.u * ru + p.v * rv)
                    out[1] = level(g + p.u * gu + p.v * gv)
                    out[2] = level(b + p.u * bu + p.v * bv)


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
    cdef Pixel pixels[TILE * TILE + 1]
    cdef Pixel* p
    cdef float z
    cdef Py_ssize_t index, count, i
    cdef Py_ssize_t k, channels = image.shape[2]
    cdef double c, cu, cv
    cdef uint8_t gray
    cdef uint8_t* out
    with nogil:
        clear(depth, first_row - top, end_row - top)
        for index in range(triangles.shape[0]):
            if not prepare(vertices, triangles, index, first_row, end_row, image.shape[1], &t):
                continue
            c = colors[t.i0, 0]
            cu = (colors[t.i2, 0] - c) * t.inverse
            cv = (colors[t.i1, 0] - c) * t.inverse
            while True:
                count = inside_pixels(&t, pixels)
                if count < 0:
                    break
                for i in range(count):
                    p = &pixels[i]
                    z = <float>(t.z0 + p.u * t.zu + p.v * t.zv)
                    if not z > depth[p.y - top, p.x - left]:
                        continue
                    depth[p.y - top, p.x - left] = z
                    out = &image[image.shape[0] - 1 - p.y if reverse else p.y, p.x, 0]
                    gray = level(c + p.u * cu + p.v * cv)
                    if channels == 3:
                        out[0] = gray
                        out[1] = gray
                        out[2] = gray
                    else:
                        for k in range(channels):
                            out[k] = gray


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
    cdef Pixel pixels[TILE * TILE + 1]
    cdef Pixel* p
    cdef float z
    cdef Py_ssize_t index, count, i
    cdef Py_ssize_t k, channels = image.shape[2]
    cdef double c, cu, cv
    cdef uint8_t* out
    with nogil:
        clear(depth, first_row - top, end_row - top)
        for index in range(triangles.shape[0]):
            if not prepare(vertices, triangles, index, first_row, end_row, image.shape[1], &t):
                continue
            while True:
                count = inside_pixels(&t, pixels)
                if count < 0:
                    break
                for i in range(count):
                    p = &pixels[i]
                    z = <float>(t.z0 + p.u * t.zu + p.v * t.zv)
                    if not z > depth[p.y - top, p.x - left]:
                        continue
                    depth[p.y - top, p.x - left] = z
                    out = &image[image.shape[0] - 1 - p.y if reverse else p.y, p.x, 0]
                    for k in range(channels):
                        c = colors[t.i0, k]
                        cu = (colors[t.i2, k] - c) * t.inverse
                        cv = (colors[t.i1, k] - c) * t.inverse
                        out[k] = level(c + p.u * cu + p.v * cv)


def draw_fragments(
    int32_t[:, ::1] triangle_index,
    float[:, :, ::1] weights,
    float[:, ::1] depth,
    const float[:, ::1] vertices,
    const int32_t[:, ::1] triangles,
    Py_ssize_t first_row,
    Py_ssize_t end_row,
) -> None:
    """Record the nearest triangle of each pixel; ``weights`` comes in as zeros."""
    cdef Triangle t
    cdef Pixel pixels[TILE * TILE + 1]
    cdef Pixel* p
    cdef float z
    cdef Py_ssize_t index, count, i
    cdef Py_ssize_t x, y
    with nogil:
        clear(depth, first_row, end_row)
        for y in range(first_row, end_row):
            for x in range(depth.shape[1]):
                triangle_index[y, x] = -1
        for index in range(triangles.shape[0]):
            if not prepare(vertices, triangles, index, first_row, end_row, depth.shape[1], &t):
                continue
            while True:
                count = inside_pixels(&t, pixels)
                if count < 0:
                    break
                for i in range(count):
                    p = &pixels[i]
                    z = <float>(t.z0 + p.u * t.zu + p.v * t.zv)
                    if not z > depth[p.y, p.x]:
                        continue
                    depth[p.y, p.x] = z
                    triangle_index[p.y, p.x] = <int32_t>index
                    weights[p.y, p.x, 0] = <float>((t.area - p.u - p.v) * t.inverse)
                    weights[p.y, p.x, 1] = <float>(p.v * t.inverse)
                    weights[p.y, p.x, 2] = <float>(p.u * t.inverse)
