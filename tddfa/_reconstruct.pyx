# Loop of reconstruct.py: blocks of vertices go through basis and camera for one face after the
# other, so that the basis is read from memory once, and in the order in which it lies there. Four
# pages of it are read at a time: a processor fetches ahead from several faster than from one.
#
# The two inner loops are C, since only there can a compiler be asked for several versions of a
# function (AVX-512, AVX2, plain) among which the loader picks; other compilers build the plain one.
cdef extern from *:
    """
    #if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__gnu_linux__)
    #define SIMD_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
    #else
    #define SIMD_CLONES
    #endif
    #if defined(_MSC_VER)
    #define NO_ALIAS __restrict
    #else
    #define NO_ALIAS restrict
    #endif

    enum { BLOCK = 1024 }; /* most vertices of a block */

    /* Block of n vertices of one face, n <= size <= BLOCK; basis is (3, n_components, size), mean
       and out are rows of (3, n_vertices). */
    SIMD_CLONES static void reconstruct_block(
        const float* mean, const float* basis, ptrdiff_t n_vertices, const float* alpha,
        ptrdiff_t n_components, const float* camera, float* out, ptrdiff_t size, ptrdiff_t n)
    {
        float shape[3][BLOCK];
        ptrdiff_t axis, i, k;
        for (axis = 0; axis < 3; axis++) {
            float* NO_ALIAS sum = shape[axis];
            const float* NO_ALIAS b0 = basis + axis * n_components * size;
            for (i = 0; i < n; i++) sum[i] = mean[axis * n_vertices + i];
            /* Four at a time: the running sum is loaded and stored once for all of them. */
            for (k = 0; k + 4 <= n_components; k += 4, b0 += 4 * size) {
                const float* NO_ALIAS b1 = b0 + size;
                const float* NO_ALIAS b2 = b1 + size;
                const float* NO_ALIAS b3 = b2 + size;
                const float a0 = alpha[k], a1 = alpha[k + 1], a2 = alpha[k + 2], a3 = alpha[k + 3];
                for (i = 0; i < n; i++)
                    sum[i] += (a0 * b0[i] + a1 * b1[i]) + (a2 * b2[i] + a3 * b3[i]);
            }
            for (; k < n_components; k++, b0 += size) {
                const float a0 = alpha[k];
                for (i = 0; i < n; i++) sum[i] += a0 * b0[i];
            }
        }
        for (axis = 0; axis < 3; axis++) {
            const float* c = camera + 4 * axis;
            float* NO_ALIAS row = out + axis * n_vertices;
            for (i = 0; i < n; i++)
                row[i] = c[0] * shape[0][i] + c[1] * shape[1][i] + c[2] * shape[2][i] + c[3];
        }
    }
    """
    const Py_ssize_t BLOCK
    void reconstruct_block(
        const float* mean, const float* basis, Py_ssize_t n_vertices, const float* alpha,
        Py_ssize_t n_components, const float* camera, float* out, Py_ssize_t size,
        Py_ssize_t n,
    ) noexcept nogil


def reconstruct(
    const float[:, ::1] mean,
    const float[:, :, :, ::1] blocks,
    const float[:, ::1] alpha,
    const float[:, :, ::1] camera,
    float[:, :, ::1] out,
    Py_ssize_t start,
    Py_ssize_t stop,
):
    """Fill ``out`` from blocks ``start .. stop`` of vertices, which are (n, 3, K, size)."""
    cdef Py_ssize_t n_vertices = mean.shape[1], n_components = alpha.shape[1]
    cdef Py_ssize_t block, first, face, n, size = blocks.shape[3]
    if blocks.shape[1] != 3 or blocks.shape[2] != n_components or size > BLOCK:
        raise ValueError("blocks: wrong shape")
    with nogil:
        for block in range(start, stop):
            first = block * size
            n = min(size, n_vertices - first)
            for face in range(alpha.shape[0]):
                reconstruct_block(
                    &mean[0, first], &blocks[block, 0, 0, 0], n_vertices, &alpha[face, 0],
                    n_components, &camera[face, 0, 0], &out[face, 0, first], size, n,
                )
