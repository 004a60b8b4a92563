# Loop of reconstruct.py: blocks of vertices that stay in the first-level cache go through basis
# and camera for one face after the other, so that the basis is read from memory once.
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

    enum { BLOCK = 1024 };

    /* shape[i] = mean[i] + sum over k of alpha[k] * basis[k * stride + i] */
    SIMD_CLONES static void mix_components(
        const float* NO_ALIAS mean, const float* NO_ALIAS basis, ptrdiff_t stride,
        const float* NO_ALIAS alpha, ptrdiff_t n_components, float* NO_ALIAS shape, ptrdiff_t n)
    {
        ptrdiff_t i, k = 0;
        for (i = 0; i < n; i++) shape[i] = mean[i];
        /* Four at a time: the running sum is loaded and stored once for all of them. */
        for (; k + 4 <= n_components; k += 4) {
            const float* NO_ALIAS b0 = basis + k * stride;
            const float* NO_ALIAS b1 = b0 + stride;
            const float* NO_ALIAS b2 = b1 + stride;
            const float* NO_ALIAS b3 = b2 + stride;
            const float a0 = alpha[k], a1 = alpha[k + 1], a2 = alpha[k + 2], a3 = alpha[k + 3];
            for (i = 0; i < n; i++)
                shape[i] += (a0 * b0[i] + a1 * b1[i]) + (a2 * b2[i] + a3 * b3[i]);
        }
        for (; k < n_components; k++) {
            const float* NO_ALIAS b0 = basis + k * stride;
            const float a0 = alpha[k];
            for (i = 0; i < n; i++) shape[i] += a0 * b0[i];
        }
    }

    /* Vertices first .. first + n of one face; all arrays are (..., 3, n_vertices). */
    SIMD_CLONES static void reconstruct_block(
        const float* mean, const float* basis, ptrdiff_t n_vertices, const float* alpha,
        ptrdiff_t n_components, const float* camera, float* out, ptrdiff_t first, ptrdiff_t n)
    {
        float shape[3][BLOCK];
        ptrdiff_t axis, i;
        for (axis = 0; axis < 3; axis++) {
            const ptrdiff_t at = axis * n_vertices + first;
            mix_components(mean + at, basis + at, 3 * n_vertices, alpha, n_components,
                           shape[axis], n);
        }
        for (axis = 0; axis < 3; axis++) {
            const float* c = camera + 4 * axis;
            float* NO_ALIAS row = out + axis * n_vertices + first;
            for (i = 0; i < n; i++)
                row[i] = c[0] * shape[0][i] + c[1] * shape[1][i] + c[2] * shape[2][i] + c[3];
        }
    }
    """
    const Py_ssize_t BLOCK
    void reconstruct_block(
        const float* mean, const float* basis, Py_ssize_t n_vertices, const float* alpha,
        Py_ssize_t n_components, const float* camera, float* out, Py_ssize_t first, Py_ssize_t n,
    ) noexcept nogil


def reconstruct(
    const float[:, ::1] mean,
    const float[:, :, ::1] basis,
    const float[:, ::1] alpha,
    const float[:, :, ::1] camera,
    float[:, :, ::1] out,
    Py_ssize_t start,
    Py_ssize_t stop,
):
    """Fill ``out[:, :, start:stop]``."""
    cdef Py_ssize_t n_faces = alpha.shape[0], n_components = alpha.shape[1]
    cdef Py_ssize_t first = start, face, n
    with nogil:
        while first < stop:
            n = min(BLOCK, stop - first)
            for face in range(n_faces):
                reconstruct_block(
                    &mean[0, 0], &basis[0, 0, 0], mean.shape[1], &alpha[face, 0], n_components,
                    &camera[face, 0, 0], &out[face, 0, 0], first, n,
                )
            first += n
