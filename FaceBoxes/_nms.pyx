"""Loop of greedy non-maximum suppression; `FaceBoxes.nms` checks and prepares the arrays."""


def suppress(
    const float[:, ::1] boxes,
    const float[::1] areas,
    double threshold,
    Py_ssize_t limit,
    unsigned char[::1] suppressed,
    Py_ssize_t[::1] kept,
):
    """Write the rows of `boxes` (n, 4), sorted by falling score, that survive into `kept`.

    Return their number, at most `limit`. `suppressed` (n,) must come in as zeros.
    """
    cdef Py_ssize_t i, j, n = boxes.shape[0], count = 0
    cdef float x1, y1, x2, y2, area, width, height, overlap
    with nogil:
        for i in range(n):
            if suppressed[i]:
                continue
            if count == limit:
                break
            kept[count] = i
            count += 1
            x1 = boxes[i, 0]
            y1 = boxes[i, 1]
            x2 = boxes[i, 2]
            y2 = boxes[i, 3]
            area = areas[i]
            for j in range(i + 1, n):
                width = (x2 if x2 < boxes[j, 2] else boxes[j, 2]) - (
                    x1 if x1 > boxes[j, 0] else boxes[j, 0]) + 1
                if width <= 0:
                    continue
                height = (y2 if y2 < boxes[j, 3] else boxes[j, 3]) - (
                    y1 if y1 > boxes[j, 1] else boxes[j, 1]) + 1
                if height <= 0:
                    continue
                # Both boxes have positive sides here, or they would not overlap.
                overlap = width * height
                if overlap / (area + areas[j] - overlap) >= threshold:
                    suppressed[j] = 1
    return count
