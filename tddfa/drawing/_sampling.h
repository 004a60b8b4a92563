/* A picture of three channels between its pixels; see _sampling.pyx.

   Every step is rounded as in the plain loop, no product and sum to one: AVX2 without FMA gives the
   same bits. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))

/* Three channels of a pixel, read as four bytes unless that is beyond the picture's end. */
AVX2 static inline __attribute__((always_inline)) __m256d pixel(
    const uint8_t* at, const uint8_t* end)
{
    int32_t bytes = 0;
    if (__builtin_expect(end - at >= 4, 1)) memcpy(&bytes, at, 4);
    else memcpy(&bytes, at, 3);
    return _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(bytes)));
}
#endif

static inline double confined(double value, double high)
{
    if (!(value > 0.0)) return 0.0;
    return value < high ? value : high;
}

/* A place in the picture: four pixels around it, and how near the right and lower ones are. */
typedef struct {
    const uint8_t *a, *b, *c, *d;
    double wx, wy;
} Place;

static inline Place place(const uint8_t* image, ptrdiff_t height, ptrdiff_t width, float x, float y)
{
    const double px = confined(x, (double)(width - 1)), py = confined(y, (double)(height - 1));
    const ptrdiff_t x0 = (ptrdiff_t)px, y0 = (ptrdiff_t)py;
    const ptrdiff_t right = x0 + 1 < width ? 3 : 0;
    const uint8_t* a = image + 3 * (y0 * width + x0);
    const uint8_t* c = y0 + 1 < height ? a + 3 * width : a;
    const Place found = {a, a + right, c, c + right, px - (double)x0, py - (double)y0};
    return found;
}

#if defined(AVX2)
AVX2 static void bilinear_avx2(
    const uint8_t* image, ptrdiff_t height, ptrdiff_t width, const float* x, const float* y,
    ptrdiff_t n, double scale, float* out, ptrdiff_t stride)
{
    const uint8_t* end = image + 3 * height * width;
    for (ptrdiff_t i = 0; i < n; i++, out += stride) {
        const Place p = place(image, height, width, x[i], y[i]);
        const __m256d right = _mm256_set1_pd(p.wx), left = _mm256_set1_pd(1.0 - p.wx);
        const __m256d upper = _mm256_add_pd(_mm256_mul_pd(pixel(p.a, end), left),
                                            _mm256_mul_pd(pixel(p.b, end), right));
        const __m256d lower = _mm256_add_pd(_mm256_mul_pd(pixel(p.c, end), left),
                                            _mm256_mul_pd(pixel(p.d, end), right));
        const __m256d both = _mm256_add_pd(_mm256_mul_pd(upper, _mm256_set1_pd(1.0 - p.wy)),
                                           _mm256_mul_pd(lower, _mm256_set1_pd(p.wy)));
        const __m128 mixed = _mm256_cvtpd_ps(_mm256_mul_pd(both, _mm256_set1_pd(scale)));
        _mm_storel_pi((__m64*)out, mixed);
        _mm_store_ss(out + 2, _mm_movehl_ps(mixed, mixed));
    }
}
#endif

/* out[i * stride .. + 3) from the picture (height, width, 3) at x[i], y[i], times scale. */
static void bilinear_bgr(
    const uint8_t* image, ptrdiff_t height, ptrdiff_t width, const float* x, const float* y,
    ptrdiff_t n, double scale, float* out, ptrdiff_t stride)
{
#if defined(AVX2)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) {
        bilinear_avx2(image, height, width, x, y, n, scale, out, stride);
        return;
    }
#endif
    for (ptrdiff_t i = 0; i < n; i++, out += stride) {
        const Place p = place(image, height, width, x[i], y[i]);
        for (int k = 0; k < 3; k++) {
            const double upper = p.a[k] * (1.0 - p.wx) + p.b[k] * p.wx;
            const double lower = p.c[k] * (1.0 - p.wx) + p.d[k] * p.wx;
            out[k] = (float)((upper * (1.0 - p.wy) + lower * p.wy) * scale);
        }
    }
}
