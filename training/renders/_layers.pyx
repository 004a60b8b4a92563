"""Blend textured, transparent triangles over a picture, far ones first; see layers.py."""

from libc.math cimport ceil, floor
from libc.stdint cimport int32_t, uint8_t


def blend_triangles(
    const float[:, ::1] points,
    const int32_t[:, ::1] triangles,
    const float[:, :, ::1] uv,
    const float[:, ::1] light,
    const uint8_t[:, :, ::1] texture,
    const float[:, ::1] depth,
    float slack,
    float[:, :, ::1] color,
    float[:, ::1] cover,
):
    """Draw triangles in their order, each pixel as color * (1 - a) + light * texture * a."""
    cdef Py_ssize_t height = depth.shape[0], width = depth.shape[1]
    cdef Py_ssize_t rows = texture.shape[0], columns = texture.shape[1]
    cdef Py_ssize_t t, x, y, x0, x1, y0, y1, u0, v0, u1, v1, k
    cdef int32_t a, b, c
    cdef double ax, ay, bx, by, cx, cy, area, wa, wb, wc, z, u, v, fu, fv, alpha, value, lit
    cdef double w00, w01, w10, w11
    with nogil:
        for t in range(triangles.shape[0]):
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            ax, ay = points[a, 0], points[a, 1]
            bx, by = points[b, 0], points[b, 1]
            cx, cy = points[c, 0], points[c, 1]
            area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
            if area == 0 or area != area:
                continue
            x0 = <Py_ssize_t>max(0.0, ceil(min(ax, min(bx, cx))))
            x1 = <Py_ssize_t>min(width - 1.0, floor(max(ax, max(bx, cx))))
            y0 = <Py_ssize_t>max(0.0, ceil(min(ay, min(by, cy))))
            y1 = <Py_ssize_t>min(height - 1.0, floor(max(ay, max(by, cy))))
            for y in range(y0, y1 + 1):
                for x in range(x0, x1 + 1):
                    wb = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
                    wc = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
                    wa = 1 - wb - wc
                    if wa < 0 or wb < 0 or wc < 0:
                        continue
                    z = wa * points[a, 2] + wb * points[b, 2] + wc * points[c, 2]
                    if z < depth[y, x] - slack:
                        continue
                    u = wa * uv[t, 0, 0] + wb * uv[t, 1, 0] + wc * uv[t, 2, 0]
                    v = wa * uv[t, 0, 1] + wb * uv[t, 1, 1] + wc * uv[t, 2, 1]
                    u = min(max(u * columns - 0.5, 0.0), columns - 1.0)
                    v = min(max((1 - v) * rows - 0.5, 0.0), rows - 1.0)
                    u0, v0 = <Py_ssize_t>u, <Py_ssize_t>v
                    u1, v1 = min(u0 + 1, columns - 1), min(v0 + 1, rows - 1)
                    fu, fv = u - u0, v - v0
                    w00, w01 = (1 - fu) * (1 - fv), fu * (1 - fv)
                    w10, w11 = (1 - fu) * fv, fu * fv
                    alpha = (
                        w00 * texture[v0, u0, 3] + w01 * texture[v0, u1, 3]
                        + w10 * texture[v1, u0, 3] + w11 * texture[v1, u1, 3]
                    ) / 255
                    if alpha <= 0.004:
                        continue
                    for k in range(3):
                        value = (
                            w00 * texture[v0, u0, k] + w01 * texture[v0, u1, k]
                            + w10 * texture[v1, u0, k] + w11 * texture[v1, u1, k]
                        ) / 255
                        lit = wa * light[a, k] + wb * light[b, k] + wc * light[c, k]
                        color[y, x, k] = <float>(
                            color[y, x, k] * (1 - alpha) + lit * value * value * alpha
                        )
                    cover[y, x] = <float>(cover[y, x] + (1 - cover[y, x]) * alpha)
