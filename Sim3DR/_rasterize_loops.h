/* The loops over triangles and pixels; _rasterize.h includes this once for each instruction set.

   An edge function is evaluated at each pixel as (x - x0) * kx + row term in float64, nothing is
   accumulated that could drift: what a pixel gets depends on the pixel and the triangles, never on
   the band. Triangles are prepared many at a time, which compilers vectorize, and drawn in their
   order. */

/* Copy the corners of the batch's first n triangles. */
INLINED void VARIANT(gather)(Batch* b, const Mesh* mesh, int n)
{
    for (int k = 0; k < n; k++) {
        const int32_t* corners = mesh->triangles + 3 * (ptrdiff_t)b->index[k];
        for (int i = 0; i < 3; i++) {
            const float* p = mesh->vertices + 3 * (ptrdiff_t)corners[i];
            b->x[i][k] = p[0];
            b->y[i][k] = p[1];
            b->z[i][k] = p[2];
        }
    }
}

/* Prepare n triangles; those that cannot cover a pixel center get no rows. */
INLINED void VARIANT(prepare)(Batch* b, const Band* band, int n)
{
    const double left = band->left, right = band->right, top = band->top, bottom = band->bottom;
    for (int k = 0; k < n; k++) {
        const double x0 = b->x[0][k], x1 = b->x[1][k], x2 = b->x[2][k];
        const double y0 = b->y[0][k], y1 = b->y[1][k], y2 = b->y[2][k];
        const double z0 = b->z[0][k], z1 = b->z[1][k], z2 = b->z[2][k];
        /* p = p0 + u (p2 - p0) + v (p1 - p0), by Cramer's rule */
        const double ux = y1 - y0, uy = x0 - x1, vx = y0 - y2, vy = x2 - x0;
        const double twice = vy * ux - vx * uy, sign = twice < 0.0 ? -1.0 : 1.0;
        const double area = twice * sign, inverse = 1.0 / area;
        const int32_t end = end_pixel(larger(larger(y0, y1), y2), top, bottom);
        /* NaN or infinite if a corner is not finite: float32 values cannot overflow it */
        const double total = x0 + x1 + x2 + y0 + y1 + y2 + z0 + z1 + z2;
        b->left[k] = first_pixel(smaller(smaller(x0, x1), x2), left, right);
        b->right[k] = end_pixel(larger(larger(x0, x1), x2), left, right);
        b->top[k] = first_pixel(smaller(smaller(y0, y1), y2), top, bottom);
        b->bottom[k] = ((total - total == 0.0) & (area > 0.0)) ? end : 0;
        b->x0[k] = x0;
        b->y0[k] = y0;
        b->z0[k] = z0;
        b->ux[k] = ux * sign;
        b->uy[k] = uy * sign;
        b->vx[k] = vx * sign;
        b->vy[k] = vy * sign;
        b->wx[k] = (y2 - y1) * sign;
        b->wy[k] = (x1 - x2) * sign;
        b->area[k] = area;
        b->inverse[k] = inverse;
        b->zu[k] = (z2 - z0) * inverse;
        b->zv[k] = (z1 - z0) * inverse;
    }
    /* Most triangles of a small face have a box of one pixel or two, and miss their centers. */
    for (int k = 0; k < n; k++) {
        const double x_low = b->left[k] - b->x0[k], x_high = (b->right[k] - 1) - b->x0[k];
        const double y_low = b->top[k] - b->y0[k], y_high = (b->bottom[k] - 1) - b->y0[k];
        const int missed = misses(b->ux[k], b->uy[k], 0.0, x_low, x_high, y_low, y_high)
            | misses(b->vx[k], b->vy[k], 0.0, x_low, x_high, y_low, y_high)
            | misses(b->wx[k], b->wy[k], b->area[k], x_low, x_high, y_low, y_high);
        b->bottom[k] = missed ? 0 : b->bottom[k];
    }
}

/* Prepare the colors of the triangles that are left of n; the others' are what was there before. */
INLINED void VARIANT(prepare_colors)(Batch* b, const Mesh* mesh, int n, int channels)
{
    for (int k = 0; k < n; k++) {
        const int32_t* corners = mesh->triangles + 3 * (ptrdiff_t)b->index[k];
        if (b->top[k] >= b->bottom[k]) continue;
        for (int i = 0; i < 3; i++) {
            const float* color = mesh->colors + channels * (ptrdiff_t)corners[i];
            for (int c = 0; c < channels; c++) b->color[3 * i + c][k] = color[c];
        }
    }
    for (int c = 0; c < channels; c++)
        for (int k = 0; k < n; k++) {
            const double c0 = b->color[c][k];
            b->c0[c][k] = c0;
            b->cu[c][k] = (b->color[6 + c][k] - c0) * b->inverse[k];
            b->cv[c][k] = (b->color[3 + c][k] - c0) * b->inverse[k];
        }
}

#ifdef VECTORS

#define SIZE (LANES * ROWS)
typedef double VARIANT(Doubles) __attribute__((vector_size(8 * SIZE)));
typedef int64_t VARIANT(Longs) __attribute__((vector_size(8 * SIZE)));
typedef float VARIANT(Floats) __attribute__((vector_size(4 * SIZE)));
typedef int32_t VARIANT(Ints) __attribute__((vector_size(4 * SIZE)));
#define Doubles VARIANT(Doubles)
#define Longs VARIANT(Longs)
#define Floats VARIANT(Floats)
#define Ints VARIANT(Ints)

/* level() of channel c of triangle k */
INLINED void VARIANT(levels)(
    const Batch* b, int k, int c, const Doubles* u, const Doubles* v, Ints* out)
{
    const Floats nothing = {0.0f}, most = nothing + 255.0f;
    Floats f = most * __builtin_convertvector(b->c0[c][k] + *u * b->cu[c][k] + *v * b->cv[c][k],
                                              Floats);
    Ints mask = f > 0.0f; /* clipped after scaling: rounding is monotone */
    f = (Floats)(mask & (Ints)f);
    mask = f < most;
    f = (Floats)((mask & (Ints)f) | (~mask & (Ints)most));
    *out = __builtin_convertvector(f, Ints);
}

/* Load LANES numbers of 32 bits of each of ROWS rows, and store them; never through memory, where
   halves that have just been stored are slow to be read as a whole. */
INLINED void VARIANT(load)(Ints* block, const char* at, ptrdiff_t row)
{
#if ROWS == 1
    memcpy(block, at, sizeof *block);
    (void)row;
#else
    const __m256i first = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i*)at));
    *block = (Ints)_mm256_inserti128_si256(
        first, _mm_loadu_si128((const __m128i*)(at + row)), 1);
#endif
}
INLINED void VARIANT(store)(Ints block, char* at, ptrdiff_t row)
{
#if ROWS == 1
    memcpy(at, &block, sizeof block);
    (void)row;
#else
    _mm_storeu_si128((__m128i*)at, _mm256_castsi256_si128((__m256i)block));
    _mm_storeu_si128((__m128i*)(at + row), _mm256_extracti128_si256((__m256i)block, 1));
#endif
}

/* Draw triangle k on some pixels of its box, LANES columns of ROWS rows at once, without any branch
   that depends on a pixel: on the small triangles of a face such a branch is a coin toss. */
INLINED void VARIANT(draw_part)(
    const Batch* b, int k, const Band* band, int32_t left, int32_t right, int32_t top,
    int32_t bottom, int kind)
{
    const double x0 = b->x0[k], y0 = b->y0[k], z0 = b->z0[k], zu = b->zu[k], zv = b->zv[k];
    const double ux = b->ux[k], uy = b->uy[k], vx = b->vx[k], vy = b->vy[k];
    const double wx = b->wx[k], wy = b->wy[k], area = b->area[k];
    const Doubles none = {0.0}, nothing = none - 1e8; /* EMPTY */
#if ROWS == 1
    const Doubles columns = {0.0, 1.0, 2.0, 3.0}, rows = none;
#else
    const Doubles columns = {0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 2.0, 3.0};
    const Doubles rows = {0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0};
#endif
    const ptrdiff_t stride = 4 * band->stride; /* bytes */
    for (int32_t x = left; x < right; x += LANES) {
        const Doubles column = (double)x + columns, dx = column - x0;
        const Doubles part_u = dx * ux, part_v = dx * vx, part_w = dx * wx;
        const Longs within = column < (double)right;
        ptrdiff_t at = (top - band->top) * stride + 4 * (ptrdiff_t)(x - band->left);
        for (int32_t y = top; y < bottom; y += ROWS, at += ROWS * stride) {
            const Doubles row = (double)y + rows, dy = row - y0;
            const Doubles u = part_u + dy * uy, v = part_v + dy * vy;
            const Doubles w = part_w + (dy * wy + area), depth = z0 + u * zu + v * zv;
            const Longs inside = within & (row < (double)bottom) & (u >= 0.0) & (v >= 0.0)
                & (w > 0.0);
            const Floats z = __builtin_convertvector(
                (Doubles)((inside & (Longs)depth) | (~inside & (Longs)nothing)), Floats);
            Ints old, before, value, more, nearer;
            if (kind == INDEX) {
                value = (Ints){0} + b->index[k];
            } else {
                VARIANT(levels)(b, k, 0, &u, &v, &value);
                if (kind == GRAY) value *= 0x010101;
            }
            if (kind == RGB) {
                VARIANT(levels)(b, k, 1, &u, &v, &more);
                value |= more << 8;
                VARIANT(levels)(b, k, 2, &u, &v, &more);
                value |= more << 16;
            }
            VARIANT(load)(&old, (const char*)band->depth + at, stride);
            VARIANT(load)(&before, (const char*)band->drawn + at, stride);
            nearer = z > (Floats)old;
            old = (nearer & (Ints)z) | (~nearer & old);
            before = (nearer & value) | (~nearer & before);
            VARIANT(store)(old, (char*)band->depth + at, stride);
            VARIANT(store)(before, (char*)band->drawn + at, stride);
        }
    }
}

#undef SIZE
#undef Doubles
#undef Longs
#undef Floats
#undef Ints

#else

/* Draw triangle k on some pixels of its box in two steps. The first lists the pixels that are
   inside, without a branch: on the small triangles of a face such a branch is a coin toss, and its
   mispredictions cost more than testing the whole box. The second tests the depth of the listed
   pixels, which hardly ever fails, and colors them. */
INLINED void VARIANT(draw_part)(
    const Batch* b, int k, const Band* band, int32_t left, int32_t right, int32_t top,
    int32_t bottom, int kind)
{
    struct {
        double u, v;
        ptrdiff_t at;
    } pixels[TILE * TILE + 1];
    const double x0 = b->x0[k], y0 = b->y0[k], z0 = b->z0[k], zu = b->zu[k], zv = b->zv[k];
    const double ux = b->ux[k], uy = b->uy[k], vx = b->vx[k], vy = b->vy[k];
    const double wx = b->wx[k], wy = b->wy[k], area = b->area[k];
    int n = 0;
    for (int32_t y = top; y < bottom; y++) {
        const double dy = (double)y - y0;
        const double row_u = dy * uy, row_v = dy * vy, row_w = dy * wy + area;
        const ptrdiff_t row = (y - band->top) * band->stride - band->left;
        for (int32_t x = left; x < right; x++) {
            const double dx = (double)x - x0;
            const double u = dx * ux + row_u, v = dx * vx + row_v, w = dx * wx + row_w;
            /* written always, kept only if counted */
            pixels[n].u = u;
            pixels[n].v = v;
            pixels[n].at = row + x;
            n += (smaller(u, v) >= 0.0) & (w > 0.0);
        }
    }
    for (int i = 0; i < n; i++) {
        const double u = pixels[i].u, v = pixels[i].v;
        const ptrdiff_t at = pixels[i].at;
        const float z = (float)(z0 + u * zu + v * zv);
        uint32_t value;
        if (!(z > band->depth[at])) continue;
        if (kind == INDEX) {
            value = (uint32_t)b->index[k];
        } else {
            value = level(b->c0[0][k] + u * b->cu[0][k] + v * b->cv[0][k]);
            if (kind == GRAY) value *= 0x010101;
        }
        if (kind == RGB) {
            value |= (uint32_t)level(b->c0[1][k] + u * b->cu[1][k] + v * b->cv[1][k]) << 8;
            value |= (uint32_t)level(b->c0[2][k] + u * b->cu[2][k] + v * b->cv[2][k]) << 16;
        }
        band->depth[at] = z;
        band->drawn[at] = value;
    }
}

#endif

INLINED void VARIANT(draw_batch)(Batch* b, const Mesh* mesh, const Band* band, int n, int kind)
{
    const int channels = kind == RGB ? 3 : kind == GRAY;
    VARIANT(gather)(b, mesh, n);
    VARIANT(prepare)(b, band, n);
    if (channels) VARIANT(prepare_colors)(b, mesh, n, channels);
    for (int k = 0; k < n; k++) {
        const int32_t left = b->left[k], right = b->right[k], top = b->top[k];
        const int32_t bottom = b->bottom[k];
        if (left >= right || top >= bottom) continue;
        if (right - left <= TILE && bottom - top <= TILE) {
            VARIANT(draw_part)(b, k, band, left, right, top, bottom, kind);
            continue;
        }
        for (int32_t y = top, y1; y < bottom; y = y1) {
            y1 = bottom - y > TILE ? y + TILE : bottom;
            for (int32_t x = left, x1; x < right; x = x1) {
                x1 = right - x > TILE ? x + TILE : right;
                const double x_low = x - b->x0[k], x_high = (x1 - 1) - b->x0[k];
                const double y_low = y - b->y0[k], y_high = (y1 - 1) - b->y0[k];
                if (misses(b->ux[k], b->uy[k], 0.0, x_low, x_high, y_low, y_high)
                    || misses(b->vx[k], b->vy[k], 0.0, x_low, x_high, y_low, y_high)
                    || misses(b->wx[k], b->wy[k], b->area[k], x_low, x_high, y_low, y_high))
                    continue;
                VARIANT(draw_part)(b, k, band, x, x1, y, y1, kind);
            }
        }
    }
}

INLINED void VARIANT(draw_kind)(const Mesh* mesh, const Band* band, int kind)
{
    Batch batch;
    /* A trifle wider than the band, as not every whole number is a float32. */
    const float limits[4] = {
        (float)((band->right - 1) * (1.0 + 1e-7)), (float)((band->bottom - 1) * (1.0 + 1e-7)),
        (float)(band->left * (1e-7 - 1.0)), (float)(band->top * (1e-7 - 1.0)),
    };
    const ptrdiff_t size = band->stride * (band->bottom - band->top + EXTRA);
    int n = 0;
    for (ptrdiff_t i = 0; i < size; i++) band->depth[i] = EMPTY;
    for (ptrdiff_t i = 0; i < mesh->n_triangles; i++) {
        const int32_t* corners = mesh->triangles + 3 * i;
        /* written always, kept only if counted: no branch. NaN is sorted out later. */
        batch.index[n] = (int32_t)i;
        n += reaches(mesh->reach + 4 * (ptrdiff_t)corners[0],
                     mesh->reach + 4 * (ptrdiff_t)corners[1],
                     mesh->reach + 4 * (ptrdiff_t)corners[2], limits);
        if (n == BATCH) {
            VARIANT(draw_batch)(&batch, mesh, band, n, kind);
            n = 0;
        }
    }
    VARIANT(draw_batch)(&batch, mesh, band, n, kind);
}

static void VARIANT(draw_band)(const Mesh* mesh, const Band* band, int kind)
{
    if (kind == RGB) VARIANT(draw_kind)(mesh, band, RGB);
    else if (kind == GRAY) VARIANT(draw_kind)(mesh, band, GRAY);
    else VARIANT(draw_kind)(mesh, band, INDEX);
}

/* Prepare the triangles that are nearest at the next pixels of a row, at most BATCH of them.
   Lists their columns and returns their number; *x is where to go on. */
INLINED int VARIANT(next_pixels)(
    Batch* b, int32_t* column, const Mesh* mesh, const Band* band, int32_t y, int32_t* x)
{
    const ptrdiff_t at = (y - band->top) * band->stride - band->left;
    int n = 0;
    for (; *x < band->right && n < BATCH; ++*x) {
        b->index[n] = (int32_t)band->drawn[at + *x];
        column[n] = *x;
        n += band->depth[at + *x] > EMPTY;
    }
    VARIANT(gather)(b, mesh, n);
    VARIANT(prepare)(b, band, n);
    return n;
}

#ifdef VECTORS
/* level() of FOUR channels of a pixel with weights u and v times `inverse` */
INLINED void VARIANT(four_levels)(
    const float* color0, const float* color1, const float* color2, double u, double v,
    double inverse, uint8_t* out)
{
    typedef double Doubles __attribute__((vector_size(8 * FOUR)));
    typedef float Floats __attribute__((vector_size(4 * FOUR)));
    typedef int32_t Ints __attribute__((vector_size(4 * FOUR)));
    typedef uint8_t Bytes __attribute__((vector_size(FOUR)));
    const Floats most = {255.0f, 255.0f, 255.0f, 255.0f};
    /* GCC would convert the halves one by one, hence intrinsics */
    const Doubles c0 = (Doubles)_mm256_cvtps_pd(_mm_loadu_ps(color0));
    const Doubles c1 = (Doubles)_mm256_cvtps_pd(_mm_loadu_ps(color1));
    const Doubles c2 = (Doubles)_mm256_cvtps_pd(_mm_loadu_ps(color2));
    const Doubles color = c0 + u * ((c2 - c0) * inverse) + v * ((c1 - c0) * inverse);
    Floats f = most * (Floats)_mm256_cvtpd_ps((__m256d)color);
    Ints mask;
    Bytes levels;
    mask = f > 0.0f;
    f = (Floats)(mask & (Ints)f);
    mask = f < most;
    f = (Floats)((mask & (Ints)f) | (~mask & (Ints)most));
    levels = __builtin_convertvector(__builtin_convertvector(f, Ints), Bytes);
    memcpy(out, &levels, sizeof levels);
}
#endif

static void VARIANT(shade_band)(const Mesh* mesh, const Band* band, ptrdiff_t channels, int gray,
                                uint8_t* image, ptrdiff_t row_size)
{
    Batch b;
    int32_t column[BATCH];
    for (int32_t y = band->top; y < band->bottom; y++)
        for (int32_t x = band->left; x < band->right;) {
            const int n = VARIANT(next_pixels)(&b, column, mesh, band, y, &x);
            for (int k = 0; k < n; k++) {
                const int32_t* corners = mesh->triangles + 3 * (ptrdiff_t)b.index[k];
                const ptrdiff_t width = gray ? 1 : channels;
                const float* color0 = mesh->colors + width * corners[0];
                const float* color1 = mesh->colors + width * corners[1];
                const float* color2 = mesh->colors + width * corners[2];
                uint8_t* out = image + y * row_size + channels * column[k];
                const double dx = (double)column[k] - b.x0[k], dy = (double)y - b.y0[k];
                const double u = dx * b.ux[k] + dy * b.uy[k], v = dx * b.vx[k] + dy * b.vy[k];
                const double inverse = b.inverse[k];
                ptrdiff_t c = 0;
#ifdef VECTORS
                for (; c + FOUR <= width; c += FOUR)
                    VARIANT(four_levels)(color0 + c, color1 + c, color2 + c, u, v, inverse, out + c);
#endif
                for (; c < width; c++) {
                    const double c0 = color0[c];
                    const double cu = (color2[c] - c0) * inverse, cv = (color1[c] - c0) * inverse;
                    out[c] = level(c0 + u * cu + v * cv);
                }
                if (gray) memset(out, out[0], (size_t)channels);
            }
        }
}

static void VARIANT(fragments_of_band)(const Mesh* mesh, const Band* band, int32_t* triangle,
                                       float* weights, float* depth, ptrdiff_t width)
{
    Batch b;
    int32_t column[BATCH];
    for (int32_t y = band->top; y < band->bottom; y++)
        for (int32_t x = band->left; x < band->right;) {
            const int n = VARIANT(next_pixels)(&b, column, mesh, band, y, &x);
            for (int k = 0; k < n; k++) {
                const ptrdiff_t at = y * width + column[k];
                const double dx = (double)column[k] - b.x0[k], dy = (double)y - b.y0[k];
                const double u = dx * b.ux[k] + dy * b.uy[k], v = dx * b.vx[k] + dy * b.vy[k];
                triangle[at] = b.index[k];
                depth[at] = band->depth[(y - band->top) * band->stride + column[k] - band->left];
                weights[3 * at] = (float)((b.area[k] - u - v) * b.inverse[k]);
                weights[3 * at + 1] = (float)(v * b.inverse[k]);
                weights[3 * at + 2] = (float)(u * b.inverse[k]);
            }
        }
}
