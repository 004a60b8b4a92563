/* The loops for one kind of activation: T, LOAD, STORE and NAME are set by _separable.h.

   "Raw" is what a convolution gives, "value" is relu(raw * scale + shift). */

/* Values of one row between two columns of zeros, (width + 2, c). */
INLINED void NAME(row_values)(
    const T* NO_ALIAS raw, Norm norm, float* NO_ALIAS row, ptrdiff_t width, ptrdiff_t c)
{
    const float *NO_ALIAS scale = norm.scale, *NO_ALIAS shift = norm.shift;
    ptrdiff_t x, k;
    for (x = 0; x < width; x++)
INDEPENDENT
        for (k = 0; k < c; k++) {
            float value = LOAD(raw + x * c + k) * scale[k] + shift[k];
            row[(x + 1) * c + k] = value > 0 ? value : 0;
        }
}

/* Sums and sums of squares (2, c) of raw (rows, c). */
SIMD_CLONES static void NAME(moments)(
    const T* NO_ALIAS raw, ptrdiff_t rows, ptrdiff_t c, double* NO_ALIAS total,
    float* NO_ALIAS part)
{
    ptrdiff_t i, k;
    memset(part, 0, 2 * c * sizeof(float));
    for (i = 0; i < rows; i++) {
INDEPENDENT
        for (k = 0; k < c; k++) {
            float value = LOAD(raw + i * c + k);
            part[k] += value;
            part[c + k] += value * value;
        }
        if (i % 64 == 63 || i + 1 == rows) flush(total, part, 2 * c);
    }
}

/* value = relu(raw * scale + shift), (rows, c). */
SIMD_CLONES static void NAME(normalize)(
    const T* NO_ALIAS raw, Norm norm, T* NO_ALIAS value, ptrdiff_t rows, ptrdiff_t c)
{
    const float *NO_ALIAS scale = norm.scale, *NO_ALIAS shift = norm.shift;
    ptrdiff_t i, k;
    for (i = 0; i < rows; i++)
INDEPENDENT
        for (k = 0; k < c; k++) {
            float v = LOAD(raw + i * c + k) * scale[k] + shift[k];
            STORE(value + i * c + k, v > 0 ? v : 0);
        }
}

/* Sums (2, c) of g and of g * (raw - mean), g being the gradient where the value is above 0. */
SIMD_CLONES static void NAME(gradient_moments)(
    const T* NO_ALIAS raw, const T* NO_ALIAS gradient, Norm norm, ptrdiff_t rows, ptrdiff_t c,
    double* NO_ALIAS total, float* NO_ALIAS part)
{
    const float *NO_ALIAS scale = norm.scale, *NO_ALIAS shift = norm.shift;
    const float* NO_ALIAS mean = norm.mean;
    ptrdiff_t i, k;
    memset(part, 0, 2 * c * sizeof(float));
    for (i = 0; i < rows; i++) {
INDEPENDENT
        for (k = 0; k < c; k++) {
            float x = LOAD(raw + i * c + k);
            float g = LOAD(gradient + i * c + k);
            g = x * scale[k] + shift[k] > 0 ? g : 0;
            part[k] += g;
            part[c + k] += g * (x - mean[k]);
        }
        if (i % 64 == 63 || i + 1 == rows) flush(total, part, 2 * c);
    }
}

/* gradient <- factor * (g - first - (raw - mean) * second), in place: the gradient before the
   normalization. */
SIMD_CLONES static void NAME(denormalize)(
    const T* NO_ALIAS raw, T* NO_ALIAS gradient, Norm norm, const float* NO_ALIAS factor,
    const float* NO_ALIAS first, const float* NO_ALIAS second, ptrdiff_t rows, ptrdiff_t c)
{
    const float *NO_ALIAS scale = norm.scale, *NO_ALIAS shift = norm.shift;
    const float* NO_ALIAS mean = norm.mean;
    ptrdiff_t i, k;
    for (i = 0; i < rows; i++)
INDEPENDENT
        for (k = 0; k < c; k++) {
            float x = LOAD(raw + i * c + k);
            float g = LOAD(gradient + i * c + k);
            g = x * scale[k] + shift[k] > 0 ? g : 0;
            g = factor[k] * (g - first[k] - (x - mean[k]) * second[k]);
            STORE(gradient + i * c + k, g);
        }
}

/* LANES channels of one row of a depthwise convolution; r0..r2 are rows of values. Kernel and sums
   stay in registers while x runs. */
INLINED void NAME(row_lanes)(
    const float* NO_ALIAS r0, const float* NO_ALIAS r1, const float* NO_ALIAS r2,
    const float* NO_ALIAS weight, T* NO_ALIAS out, float* NO_ALIAS part, Shape s)
{
    const ptrdiff_t c = s.c, step = s.stride * s.c;
    float w[TAPS][LANES], sum[LANES], squares[LANES];
    ptrdiff_t x, i, l;
    for (i = 0; i < TAPS; i++)
        for (l = 0; l < LANES; l++) w[i][l] = weight[i * c + l];
    for (l = 0; l < LANES; l++) {
        sum[l] = part[l];
        squares[l] = part[c + l];
    }
    for (x = 0; x < s.out_width; x++, r0 += step, r1 += step, r2 += step, out += c) {
INDEPENDENT
        for (l = 0; l < LANES; l++) {
            float v = (r0[l] * w[0][l] + r0[c + l] * w[1][l] + r0[2 * c + l] * w[2][l])
                + (r1[l] * w[3][l] + r1[c + l] * w[4][l] + r1[2 * c + l] * w[5][l])
                + (r2[l] * w[6][l] + r2[c + l] * w[7][l] + r2[2 * c + l] * w[8][l]);
            sum[l] += v;
            squares[l] += v * v;
            STORE(out + l, v);
        }
    }
    for (l = 0; l < LANES; l++) {
        part[l] = sum[l];
        part[c + l] = squares[l];
    }
}

/* Convolve values of raw with a depthwise kernel (9, c); sum up what comes out and its squares.

   buffer: 3 (width + 2) c + 2 c floats, zeros at first. Of the values three rows exist at a time,
   row y in place y mod 3. */
SIMD_CLONES static void NAME(depthwise)(
    const T* raw, Norm norm, const float* weight, T* out, Shape s, double* total, float* buffer)
{
    const ptrdiff_t row_size = (s.width + 2) * s.c, c = s.c;
    float* part = buffer + 3 * row_size;
    ptrdiff_t i, y, k, next;
    for (i = 0; i < s.n; i++) {
        const T* picture = raw + i * s.height * s.width * c;
        memset(buffer + 2 * row_size, 0, row_size * sizeof(float)); /* row -1 */
        for (y = 0, next = 0; y < s.out_height; y++, out += s.out_width * c) {
            const float* row[3];
            for (; next <= y * s.stride + 1; next++) {
                float* place = buffer + (next % 3) * row_size;
                if (next < s.height)
                    NAME(row_values)(picture + next * s.width * c, norm, place, s.width, c);
                else
                    memset(place, 0, row_size * sizeof(float));
            }
            for (k = 0; k < 3; k++) row[k] = buffer + ((y * s.stride + 2 + k) % 3) * row_size;
            for (k = 0; k < c; k += LANES)
                NAME(row_lanes)(row[0] + k, row[1] + k, row[2] + k, weight + k, out + k, part + k, s);
        }
        flush(total, part, 2 * c);
    }
}

/* The way back through row_lanes: gradients of the three rows, the kernel's gradient. */
INLINED void NAME(row_lanes_back)(
    const float* NO_ALIAS r0, const float* NO_ALIAS r1, const float* NO_ALIAS r2,
    float* NO_ALIAS g0, float* NO_ALIAS g1, float* NO_ALIAS g2, const float* NO_ALIAS weight,
    const T* NO_ALIAS gradient, float* NO_ALIAS weight_gradient, Shape s)
{
    const ptrdiff_t c = s.c, step = s.stride * s.c;
    float w[TAPS][LANES], dw[TAPS][LANES];
    ptrdiff_t x, i, l;
    for (i = 0; i < TAPS; i++)
        for (l = 0; l < LANES; l++) {
            w[i][l] = weight[i * c + l];
            dw[i][l] = weight_gradient[i * c + l];
        }
    for (x = 0; x < s.out_width; x++) {
INDEPENDENT
        for (l = 0; l < LANES; l++) {
            float g = LOAD(gradient + l);
            dw[0][l] += g * r0[l];
            dw[1][l] += g * r0[c + l];
            dw[2][l] += g * r0[2 * c + l];
            dw[3][l] += g * r1[l];
            dw[4][l] += g * r1[c + l];
            dw[5][l] += g * r1[2 * c + l];
            dw[6][l] += g * r2[l];
            dw[7][l] += g * r2[c + l];
            dw[8][l] += g * r2[2 * c + l];
            g0[l] += g * w[0][l];
            g0[c + l] += g * w[1][l];
            g0[2 * c + l] += g * w[2][l];
            g1[l] += g * w[3][l];
            g1[c + l] += g * w[4][l];
            g1[2 * c + l] += g * w[5][l];
            g2[l] += g * w[6][l];
            g2[c + l] += g * w[7][l];
            g2[2 * c + l] += g * w[8][l];
        }
        gradient += c;
        r0 += step, r1 += step, r2 += step;
        g0 += step, g1 += step, g2 += step;
    }
    for (i = 0; i < TAPS; i++)
        for (l = 0; l < LANES; l++) weight_gradient[i * c + l] = dw[i][l];
}

/* The way back: from the gradient of what depthwise() gives to that of the values, 0 where they
   are, to the kernel's gradient (9, c) and to the sums (2, c) of gradient_moments().

   buffer: 6 (width + 2) c + 11 c floats, zeros at first: three rows of values, three of their
   gradients, both row y in place y mod 3, sums, the kernel's gradient. */
SIMD_CLONES static void NAME(depthwise_back)(
    const T* raw, Norm norm, const float* weight, const T* out_gradient, T* gradient,
    double* weight_total, Shape s, double* total, float* buffer)
{
    const ptrdiff_t row_size = (s.width + 2) * s.c, c = s.c;
    float *values = buffer, *grads = buffer + 3 * row_size;
    float *part = buffer + 6 * row_size, *weight_part = part + 2 * c;
    const float* value_row[3];
    float* grad_row[3];
    ptrdiff_t i, y, x, k, next, done;
    for (i = 0; i < s.n; i++) {
        const T* picture = raw + i * s.height * s.width * c;
        T* to = gradient + i * s.height * s.width * c;
        memset(values + 2 * row_size, 0, row_size * sizeof(float));
        memset(grads + 2 * row_size, 0, row_size * sizeof(float));
        for (y = 0, next = 0, done = 0; y <= s.out_height; y++) {
            const ptrdiff_t complete = y < s.out_height ? y * s.stride - 1 : s.height;
            /* Rows that no later output reads. */
            for (; done < complete && done < s.height; done++) {
                const float* NO_ALIAS value = values + (done % 3) * row_size + c;
                const float* NO_ALIAS grad = grads + (done % 3) * row_size + c;
                const float* NO_ALIAS mean = norm.mean;
                float *NO_ALIAS sum = part, *NO_ALIAS products = part + c;
                const T* NO_ALIAS from = picture + done * s.width * c;
                T* NO_ALIAS row = to + done * s.width * c;
                for (x = 0; x < s.width; x++) {
INDEPENDENT
                    for (k = 0; k < c; k++) {
                        float g = value[x * c + k] > 0 ? grad[x * c + k] : 0;
                        sum[k] += g;
                        products[k] += g * (LOAD(from + x * c + k) - mean[k]);
                        STORE(row + x * c + k, g);
                    }
                }
            }
            if (y == s.out_height) break;
            for (; next <= y * s.stride + 1; next++) {
                float* place = values + (next % 3) * row_size;
                if (next < s.height)
                    NAME(row_values)(picture + next * s.width * c, norm, place, s.width, c);
                else
                    memset(place, 0, row_size * sizeof(float));
                memset(grads + (next % 3) * row_size, 0, row_size * sizeof(float));
            }
            for (k = 0; k < 3; k++) {
                const ptrdiff_t place = ((y * s.stride + 2 + k) % 3) * row_size;
                value_row[k] = values + place;
                grad_row[k] = grads + place;
            }
            for (k = 0; k < c; k += LANES)
                NAME(row_lanes_back)(
                    value_row[0] + k, value_row[1] + k, value_row[2] + k, grad_row[0] + k,
                    grad_row[1] + k, grad_row[2] + k, weight + k, out_gradient + k,
                    weight_part + k, s);
            out_gradient += s.out_width * c;
        }
        flush(total, part, 2 * c);
        flush(weight_total, weight_part, TAPS * c);
    }
}
