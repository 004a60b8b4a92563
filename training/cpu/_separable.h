/* Loops of separable.py, for activations kept as float32 and as bfloat16.

   Pictures lie channels last, (n, height, width, c), so that the innermost loop of everything runs
   over adjacent channels and any compiler vectorizes it. Arithmetic is float32 throughout. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* GCC on Linux builds several versions of a function, among which the loader picks. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__gnu_linux__)
#define SIMD_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define INLINED static inline __attribute__((always_inline))
#else
#define SIMD_CLONES
#define INLINED static inline
#endif
#if defined(_MSC_VER)
#define NO_ALIAS __restrict
#else
#define NO_ALIAS restrict
#endif

/* No two arrays of the loop that follows overlap: compilers see that for few arrays by themselves. */
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define INDEPENDENT _Pragma("GCC ivdep")
#elif defined(_MSC_VER)
#define INDEPENDENT __pragma(loop(ivdep))
#else
#define INDEPENDENT
#endif

enum {
    TAPS = 9,   /* of a 3x3 kernel */
    LANES = 16, /* channels that are convolved together; c is a multiple of it */
};

/* Sizes of a depthwise convolution. */
typedef struct {
    ptrdiff_t n, height, width, c, stride, out_height, out_width;
} Shape;

/* Batch normalization of a layer's input: value * scale + shift, and what it was made of. */
typedef struct {
    const float *scale, *shift, *mean;
} Norm;

INLINED float load_f32(const float* p) { return *p; }
INLINED void store_f32(float* p, float value) { *p = value; }

/* bfloat16 is the upper half of a float32; to the nearest, ties to even. */
INLINED float load_bf16(const uint16_t* p)
{
    uint32_t bits = (uint32_t)*p << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

INLINED void store_bf16(uint16_t* p, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    *p = (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/* Add float sums of a row to the double sums of the batch: a float alone would lose digits. */
INLINED void flush(double* NO_ALIAS total, float* NO_ALIAS part, ptrdiff_t count)
{
    ptrdiff_t i;
    for (i = 0; i < count; i++) {
        total[i] += part[i];
        part[i] = 0;
    }
}

#define T float
#define LOAD load_f32
#define STORE store_f32
#define NAME(name) name##_f32
#include "_separable_loops.h"
#undef T
#undef LOAD
#undef STORE
#undef NAME

#define T uint16_t
#define LOAD load_bf16
#define STORE store_bf16
#define NAME(name) name##_bf16
#include "_separable_loops.h"
