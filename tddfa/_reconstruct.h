/* Vertices of several faces from a basis of 16-bit integers; see _reconstruct.pyx.

   The loops are written in vectors of VECTOR vertices. GCC and Clang have them as types for any
   processor, and GCC builds the function for several instruction sets, among which the loader
   picks; other compilers see plain loops over as many numbers. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__gnu_linux__)
#define SIMD_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SIMD_CLONES
#endif
#if defined(_MSC_VER)
#define NO_ALIAS __restrict
#define INLINED static __forceinline
#elif defined(__GNUC__)
#define NO_ALIAS restrict
#define INLINED static inline __attribute__((always_inline))
#else
#define NO_ALIAS restrict
#define INLINED static inline
#endif

enum {
    TILE = 64,       /* vertices of a tile, two cache lines of the basis */
    VECTOR = 16,     /* vertices that are summed at once */
    PAIR = 2 * VECTOR, /* vertices of one cache line: VECTOR of 32 bits, two vertices in each */
    GROUP = 8,       /* faces that share what is read of a tile */
};

/* sums[face][0 .. N·PAIR) = mean + Σ_k weights[face][k] · basis[k] of F faces, with the sums in
   registers; the rows of the basis are TILE / 2 apart, those of the sums `stride`. Vertex i of a
   pair lies in the low half of number i, vertex VECTOR + i in the high half: two shifts widen it,
   where any other order would need the halves of a vector moved. */
#if defined(__GNUC__)
typedef int32_t Ints __attribute__((vector_size(4 * VECTOR)));
typedef float Floats __attribute__((vector_size(4 * VECTOR)));

/* What comes next is asked for while this is summed up: with several faces a processor has too much
   to do to look that far ahead, and would wait for memory two thirds of the time. */
#define DEFINE_SUM(F, N) \
    INLINED void sum_##F##x##N(const float* mean, const int32_t* basis, const float* weights, \
        ptrdiff_t n_components, float* sums, ptrdiff_t stride) \
    { \
        const ptrdiff_t next = n_components * (TILE / 2); \
        Floats sum[F][2 * N]; \
        int f, j; \
        ptrdiff_t k; \
        for (f = 0; f < F; f++) memcpy(sum[f], mean, sizeof sum[f]); \
        for (k = 0; k < n_components; k++, basis += TILE / 2) { \
            for (j = 0; j < N; j++) { \
                Ints both; \
                Floats low, high; \
                __builtin_prefetch(basis + j * VECTOR + next); \
                memcpy(&both, basis + j * VECTOR, sizeof both); \
                low = __builtin_convertvector((both << 16) >> 16, Floats); \
                high = __builtin_convertvector(both >> 16, Floats); \
                for (f = 0; f < F; f++) { \
                    sum[f][2 * j] += low * weights[f * n_components + k]; \
                    sum[f][2 * j + 1] += high * weights[f * n_components + k]; \
                } \
            } \
        } \
        for (f = 0; f < F; f++) memcpy(sums + f * stride, sum[f], sizeof sum[f]); \
    }
#else
#define DEFINE_SUM(F, N) \
    INLINED void sum_##F##x##N(const float* mean, const int32_t* basis, const float* weights, \
        ptrdiff_t n_components, float* sums, ptrdiff_t stride) \
    { \
        float sum[F][2 * N][VECTOR]; \
        int f, i, j; \
        ptrdiff_t k; \
        for (f = 0; f < F; f++) memcpy(sum[f], mean, sizeof sum[f]); \
        for (k = 0; k < n_components; k++, basis += TILE / 2) { \
            for (f = 0; f < F; f++) { \
                const float weight = weights[f * n_components + k]; \
                for (j = 0; j < N; j++) { \
                    const int32_t* both = basis + j * VECTOR; \
                    for (i = 0; i < VECTOR; i++) \
                        sum[f][2 * j][i] += weight * (float)(int16_t)(both[i] & 0xffff); \
                    for (i = 0; i < VECTOR; i++) \
                        sum[f][2 * j + 1][i] += weight * (float)(both[i] >> 16); \
                } \
            } \
        } \
        for (f = 0; f < F; f++) memcpy(sums + f * stride, sum[f], sizeof sum[f]); \
    }
#endif
DEFINE_SUM(8, 1)
DEFINE_SUM(4, 1)
DEFINE_SUM(2, 2)
DEFINE_SUM(1, 2)

/* Tiles first .. last of at most GROUP faces. mean is (tiles, 3, TILE), basis (tiles, 3, K, TILE / 2),
   weights (3, n_faces, K), cameras (n_faces, 3, 4), out (n_faces, 3, n_vertices). */
SIMD_CLONES static void reconstruct_tiles(
    const float* mean, const int32_t* basis, ptrdiff_t n_components, const float* weights,
    ptrdiff_t n_faces, const float* cameras, float* out, ptrdiff_t n_vertices, ptrdiff_t first,
    ptrdiff_t last)
{
    float sums[GROUP][3][TILE];
    const ptrdiff_t stride = 3 * TILE;
    ptrdiff_t tile, axis, face, i, j;
    for (tile = first; tile < last; tile++) {
        const ptrdiff_t start = tile * TILE;
        const ptrdiff_t n = n_vertices - start < TILE ? n_vertices - start : TILE;
        for (axis = 0; axis < 3; axis++) {
            const float* m = mean + (3 * tile + axis) * TILE;
            const int32_t* b = basis + (3 * tile + axis) * n_components * (TILE / 2);
            const float* w = weights + axis * n_faces * n_components;
            for (face = 0; n_faces - face >= 8; face += 8)
                for (j = 0; j < TILE; j += PAIR)
                    sum_8x1(m + j, b + j / 2, w + face * n_components, n_components,
                        &sums[face][axis][j], stride);
            for (; n_faces - face >= 4; face += 4)
                for (j = 0; j < TILE; j += PAIR)
                    sum_4x1(m + j, b + j / 2, w + face * n_components, n_components,
                        &sums[face][axis][j], stride);
            for (; n_faces - face >= 2; face += 2)
                sum_2x2(m, b, w + face * n_components, n_components, sums[face][axis], stride);
            for (; n_faces - face >= 1; face += 1)
                sum_1x2(m, b, w + face * n_components, n_components, sums[face][axis], stride);
        }
        for (face = 0; face < n_faces; face++) {
            const float* NO_ALIAS x = sums[face][0];
            const float* NO_ALIAS y = sums[face][1];
            const float* NO_ALIAS z = sums[face][2];
            for (axis = 0; axis < 3; axis++) {
                const float* c = cameras + 12 * face + 4 * axis;
                const float c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3];
                float* NO_ALIAS row = out + (3 * face + axis) * n_vertices + start;
                for (i = 0; i < n; i++) row[i] = c0 * x[i] + c1 * y[i] + c2 * z[i] + c3;
            }
        }
    }
}
