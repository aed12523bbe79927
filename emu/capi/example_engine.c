/* An engine plugin of mxref in C (engine_plugin.h): a unit that takes mxfp4, sums a block exactly
 * and adds that sum to a binary32 accumulator. On the datapath `blockwise` it gives every bit. On
 * `fused` its accumulator truncates where the definition rounds to nearest: the deliberate
 * difference that must be found.
 *
 *   cc -shared -fPIC -ffp-contract=off -I MXREF example_engine.c -o example_engine.so -lm
 *   mxref crosscheck --impl plugin:example_engine.so --format mxfp4 --datapath blockwise
 *   mxref crosscheck --impl plugin:example_engine.so --format mxfp4 --datapath fused
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "emu/capi/engine_plugin.h"

/* The weights as they were given, in arrays of our own, and how sums are rounded. */
typedef struct weights {
  mxref_operand b;
  int truncates;
  uint8_t *codes, *scales;
} weights;

static int64_t blocks_of(const mxref_operand* x) { return (x->cols + x->block - 1) / x->block; }

int32_t mxref_plugin_version(void) { return MXREF_PLUGIN_VERSION; }

const char* mxref_plugin_name(void) { return "mxfp4 unit in C"; }

const char* mxref_plugin_refuses(const char* format_a, const char* format_b, int32_t block,
                                 const char* datapath) {
  (void)block; /* any length */
  if (strcmp(format_a, "mxfp4") != 0 || strcmp(format_b, "mxfp4") != 0) return "takes mxfp4 alone";
  if (strcmp(datapath, "blockwise") != 0 && strcmp(datapath, "fused") != 0)
    return "has the datapaths blockwise and fused alone";
  return NULL;
}

void mxref_plugin_free(void* prepared) {
  weights* w = prepared;
  free(w->codes);
  free(w->scales);
  free(w);
}

void* mxref_plugin_prepare(const mxref_operand* b, const char* datapath, const char** error) {
  const size_t codes = (size_t)(b->rows * b->cols), scales = (size_t)(b->rows * blocks_of(b));
  weights* w = calloc(1, sizeof *w);
  if (w) *w = (weights){*b, strcmp(datapath, "fused") == 0, malloc(codes), malloc(scales)};
  if (!w || !w->codes || !w->scales) {
    if (w) mxref_plugin_free(w);
    *error = "out of memory";
    return NULL;
  }
  memcpy(w->codes, b->codes, codes);
  memcpy(w->scales, b->scales, scales);
  return w;
}

/* Twice the value of an e2m1 code. */
static int halves(uint8_t code) {
  static const int magnitudes[] = {0, 1, 2, 3, 4, 6, 8, 12};
  return code & 8 ? -magnitudes[code & 7] : magnitudes[code & 7];
}

/* acc + t toward zero: the difference. sum + rest is exact (Knuth's TwoSum). */
static float truncated_sum(float acc, double t) {
  const double sum = acc + t, of_t = sum - acc, rest = (acc - (sum - of_t)) + (t - of_t);
  const float nearest = (float)sum;
  const int is_above = fabs(nearest) > fabs(sum) || (nearest == sum && rest * sum < 0);
  return is_above && isfinite(acc) ? nextafterf(nearest, 0) : nearest;
}

/* Row m of a times row n of b, from acc on. */
static float dot(const mxref_operand* a, int64_t m, const weights* w, int64_t n, float acc) {
  for (int64_t i = 0; i < blocks_of(a); ++i) {
    const uint8_t x = a->scales[m * blocks_of(a) + i], y = w->scales[n * blocks_of(a) + i];
    if (x == 0xFF || y == 0xFF) return NAN;
    int sum = 0, is_empty = 1; /* sum: in quarters */
    for (int64_t k = i * a->block; k < (i + 1) * a->block && k < a->cols; ++k) {
      const int product = halves(a->codes[m * a->cols + k]) * halves(w->codes[n * a->cols + k]);
      sum += product;
      is_empty &= product == 0;
    }
    const double t = ldexp(sum, x + y - 2 * 127 - 2); /* binary64 holds it */
    if (!w->truncates)
      acc += (float)t;
    else if (!is_empty) /* -0 stays -0 on fused where no product is other than 0 */
      acc = truncated_sum(acc, t);
  }
  return acc;
}

int32_t mxref_plugin_multiply(void* prepared, const mxref_operand* a, const float* c, float* d,
                              const char** error) {
  (void)error; /* nothing fails */
  static const uint32_t canonical_nan = 0x7FC00000;
  const weights* w = prepared;
  /* 1 / (p_a p_b). The 64 bits of long double round no quotient of these so that it ends on a tie
   * of binary32 that it does not have. */
  const uint64_t up = (uint64_t)a->prescale_denominator * w->b.prescale_denominator;
  const uint64_t down = (uint64_t)a->prescale_numerator * w->b.prescale_numerator;
  for (int64_t i = 0; i < a->rows * w->b.rows; ++i) {
    const float start = c ? c[i] : 0;
    const float acc = dot(a, i / w->b.rows, w, i % w->b.rows, up == down ? start : 0);
    d[i] = up == down ? acc : start + (float)((long double)acc * up / down);
    if (isnan(d[i])) memcpy(&d[i], &canonical_nan, sizeof d[i]);
  }
  return 0;
}
