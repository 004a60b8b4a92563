/* What the variants of _rasterize_loops.h share, and the choice among them.

   The loops are compiled for several instruction sets, the machine picks at run time. All of them
   give the same bits: no product and sum is contracted to one rounding (an FMA), on any compiler.
   GCC alone builds more than the plain variant; others vectorize what they can of that one. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define FOUR_LANES
#endif

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off", "no-trapping-math")
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#endif

#if defined(__GNUC__)
#define INLINED static inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define INLINED static __forceinline
#else
#define INLINED static inline
#endif

enum {
    LANES = 4,  /* columns that the vector variants draw at once, of ROWS rows */
    FOUR = 4,   /* channels that they shade at once */
    EXTRA = 1,  /* rows that a band's buffers have below it, for those of ROWS */
    TILE = 16,  /* side of a tile; wider than nearly all triangles of a face in a photograph */
    BATCH = 64, /* triangles that are prepared at once */
};
enum { RGB, GRAY, INDEX }; /* what is drawn: three channels, one, or the triangle's number */

static const float EMPTY = -1e8f; /* part of the contract, rasterize.EMPTY_DEPTH */

typedef struct {
    const float* vertices;    /* (N, 3) */
    const float* reach;       /* (N, 4), see fill_reach */
    const int32_t* triangles; /* (M, 3) */
    ptrdiff_t n_triangles;
    const float* colors; /* (N, channels) */
} Mesh;

/* Rows top <= y < bottom of the mesh's box left <= x < right, drawn by one thread. */
typedef struct {
    float* depth;     /* (bottom - top + EXTRA, stride) */
    uint32_t* drawn;  /* likewise; red << 16 | green << 8 | blue, or the triangle's number */
    ptrdiff_t stride; /* at least right - left + LANES */
    int32_t left, right, top, bottom;
} Band;

/* Triangles prepared for drawing.

   Edge functions e_k = (x - x0) * kx + (y - y0) * ky, plus area for e_w, so that their sum is area,
   u = e_u / area and v = e_v / area. Inside: e_u >= 0, e_v >= 0, e_w > 0.
   z = z0 + e_u * zu + e_v * zv, and likewise each channel. */
typedef struct {
    int32_t index[BATCH];
    float x[3][BATCH], y[3][BATCH], z[3][BATCH], color[9][BATCH];
    double x0[BATCH], y0[BATCH], z0[BATCH], zu[BATCH], zv[BATCH];
    double ux[BATCH], uy[BATCH], vx[BATCH], vy[BATCH], wx[BATCH], wy[BATCH];
    double area[BATCH], inverse[BATCH];
    double c0[3][BATCH], cu[3][BATCH], cv[3][BATCH];
    /* pixels whose centers can be inside: left <= x < right, top <= y < bottom */
    int32_t left[BATCH], right[BATCH], top[BATCH], bottom[BATCH];
} Batch;

/* The smaller, or larger; b if either is NaN. */
INLINED double smaller(double a, double b) { return a < b ? a : b; }
INLINED double larger(double a, double b) { return a > b ? a : b; }
INLINED float smaller_float(float a, float b) { return a < b ? a : b; }
INLINED float larger_float(float a, float b) { return a > b ? a : b; }

/* Smallest integer >= value, clipped to low..high, low >= 0; safe for any value. */
INLINED int32_t first_pixel(double value, double low, double high)
{
    const double clipped = smaller(larger(value, low), high);
    const int32_t whole = (int32_t)clipped; /* rounded down */
    return whole + ((double)whole < clipped);
}

/* One more than the largest integer <= value, clipped to low..high; safe for any value. */
INLINED int32_t end_pixel(double value, double low, double high)
{
    return (int32_t)smaller(larger(value + 1.0, low), high);
}

/* trunc(255 * color); in float32, as n / 255 then gives n and not n - 1.
   Beyond 0..1 only through rounding, where a triangle is vast and thin. */
INLINED uint8_t level(double color)
{
    return (uint8_t)(int32_t)(255.0f * (float)smaller(larger(color, 0.0), 1.0));
}

/* Whether an edge function is negative on a whole tile, given relative to the first vertex.
   Rounding is monotone, hence the value at one of the corners bounds those at all pixels. */
INLINED int misses(
    double kx, double ky, double constant, double x0, double x1, double y0, double y1)
{
    return (kx > 0.0 ? x1 : x0) * kx + ((ky > 0.0 ? y1 : y0) * ky + constant) < 0.0;
}

/* What a triangle's vertices reach, four numbers each: ceil(x), ceil(y), ceil(-x), ceil(-y). Their
   smallest over the three corners bound the pixel centers in its box, at a glance: on a small face
   most triangles have none. A vertex that is not finite says "beyond", and reaches nothing. */
static const float BEYOND = 1073741824.0f; /* 2^30: whole numbers up to it fit into 32 bits */

/* Fill reach (N, 4), and box with the smallest of each of its columns. */
static void fill_reach(const float* vertices, ptrdiff_t n, float* reach, float* box)
{
#if defined(FOUR_LANES)
    const __m128 high = _mm_set1_ps(BEYOND), low = _mm_set1_ps(-BEYOND), one = _mm_set1_ps(1.0f);
    const __m128 signs = _mm_setr_ps(0.0f, 0.0f, -0.0f, -0.0f);
    __m128 least = high;
    for (ptrdiff_t i = 0; i < n; i++) {
        const __m128 point = _mm_setr_ps(vertices[3 * i], vertices[3 * i + 1], 0.0f, 0.0f);
        const __m128 ends = _mm_xor_ps(_mm_movelh_ps(point, point), signs);
        const __m128 finite = _mm_cmpeq_ps(_mm_sub_ps(ends, ends), _mm_setzero_ps());
        const __m128 both = _mm_and_ps(finite, _mm_shuffle_ps(finite, finite, 0xB1));
        const __m128 value = _mm_min_ps(_mm_max_ps(ends, low), high);
        const __m128 whole = _mm_cvtepi32_ps(_mm_cvttps_epi32(value)); /* rounded to zero */
        const __m128 up = _mm_add_ps(whole, _mm_and_ps(_mm_cmplt_ps(whole, value), one));
        const __m128 row = _mm_or_ps(_mm_and_ps(both, up), _mm_andnot_ps(both, high));
        _mm_storeu_ps(reach + 4 * i, row);
        least = _mm_min_ps(row, least);
    }
    _mm_storeu_ps(box, least);
#else
    box[0] = box[1] = box[2] = box[3] = BEYOND;
    for (ptrdiff_t i = 0; i < n; i++) {
        const float x = vertices[3 * i], y = vertices[3 * i + 1];
        const float ends[4] = {x, y, -x, -y};
        for (int k = 0; k < 4; k++) {
            const float value = larger_float(smaller_float(ends[k], BEYOND), -BEYOND);
            const float whole = (float)(int32_t)value; /* rounded to zero */
            const float up = whole < value ? whole + 1.0f : whole;
            const float row = (x - x == 0.0f) & (y - y == 0.0f) ? up : BEYOND;
            reach[4 * i + k] = row;
            box[k] = smaller_float(row, box[k]);
        }
    }
#endif
}

/* Whether a triangle's box has a pixel center within the limits: right - 1, bottom - 1, -left,
   -top. */
INLINED int reaches(const float* a, const float* b, const float* c, const float* limits)
{
#if defined(FOUR_LANES)
    const __m128 least = _mm_min_ps(_mm_min_ps(_mm_loadu_ps(a), _mm_loadu_ps(b)), _mm_loadu_ps(c));
    const __m128 gap = _mm_add_ps(least, _mm_movehl_ps(least, least)); /* ceil(low) - floor(high) */
    const __m128 misses = _mm_or_ps(_mm_cmpgt_ps(least, _mm_loadu_ps(limits)),
                                    _mm_cmpgt_ps(_mm_movelh_ps(gap, gap), _mm_setzero_ps()));
    return _mm_movemask_ps(misses) == 0;
#else
    float least[4];
    for (int k = 0; k < 4; k++) least[k] = smaller_float(smaller_float(a[k], b[k]), c[k]);
    return (least[0] <= limits[0]) & (least[1] <= limits[1]) & (least[2] <= limits[2])
        & (least[3] <= limits[3]) & (least[0] + least[2] <= 0.0f) & (least[1] + least[3] <= 0.0f);
#endif
}

#define VARIANT(name) name##_plain
#include "_rasterize_loops.h"
#undef VARIANT

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#include <immintrin.h>
#define VECTORS

#pragma GCC push_options
#pragma GCC target("avx2")
#define VARIANT(name) name##_avx2
#define ROWS 1
#include "_rasterize_loops.h"
#undef ROWS
#undef VARIANT
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx2,avx512f,avx512vl,avx512dq,avx512bw")
#define VARIANT(name) name##_avx512
#define ROWS 2
#include "_rasterize_loops.h"
#undef ROWS
#undef VARIANT
#pragma GCC pop_options

/* Number of the best variant that this machine can run: 0 is plain. */
static int best_variant(void)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2")) return 0;
    return __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512bw") ? 2 : 1;
}
#define CHOOSE(variant, name, ...) \
    ((variant) == 2 ? name##_avx512(__VA_ARGS__) \
     : (variant) == 1 ? name##_avx2(__VA_ARGS__) : name##_plain(__VA_ARGS__))
#else
static int best_variant(void) { return 0; }
#define CHOOSE(variant, name, ...) name##_plain(__VA_ARGS__)
#endif

/* Draw the band's depth and colors or, with the kind INDEX, the numbers of the nearest triangles. */
static void draw_band(const Mesh* mesh, const Band* band, int kind, int variant)
{
    CHOOSE(variant, draw_band, mesh, band, kind);
}

/* Color a band that was drawn with the kind INDEX; row y of it is at image + y * row_size. */
static void shade_band(const Mesh* mesh, const Band* band, ptrdiff_t channels, int gray,
                       uint8_t* image, ptrdiff_t row_size, int variant)
{
    CHOOSE(variant, shade_band, mesh, band, channels, gray, image, row_size);
}

/* Write triangles, weights and depth of a band that was drawn with the kind INDEX. */
static void fragments_of_band(const Mesh* mesh, const Band* band, int32_t* triangle, float* weights,
                              float* depth, ptrdiff_t width, int variant)
{
    CHOOSE(variant, fragments_of_band, mesh, band, triangle, weights, depth, width);
}

/* Copy the colors of a band into a picture of three channels. */
static void copy_band(const Band* band, uint8_t* image, ptrdiff_t row_size)
{
    for (int32_t y = band->top; y < band->bottom; y++) {
        uint8_t* out = image + y * row_size + 3 * (ptrdiff_t)band->left;
        const float* depth = band->depth + (y - band->top) * band->stride;
        const uint32_t* drawn = band->drawn + (y - band->top) * band->stride;
        for (int32_t x = 0; x < band->right - band->left; x++, out += 3)
            if (depth[x] > EMPTY) {
                out[0] = (uint8_t)drawn[x];
                out[1] = (uint8_t)(drawn[x] >> 8);
                out[2] = (uint8_t)(drawn[x] >> 16);
            }
    }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif
