// Any x86-64. No products of integers worth having: every pair of formats goes by binary64.

#include "emu/kernels/instruction_set.h"

namespace mxref::kernels {
namespace {

struct Lanes64 {
  static constexpr int count = 2, rows = 2, vectors = 4;
  typedef double Vector __attribute__((vector_size(16)));
  typedef long long Mask __attribute__((vector_size(16)));
  // Two roundings, of which at most the last is inexact: a product is exact here.
  static Vector multiply_add(Vector a, Vector b, Vector c) { return a * b + c; }
  typedef float Half __attribute__((vector_size(8)));
  static Vector widen(Half x) { return __builtin_convertvector(x, Vector); }
  static Half narrow(Vector x) { return __builtin_convertvector(x, Half); }
  static Mask multiply(Mask a, Mask b) { return a * b; }  // of 32 bits, sign-extended
  static bool any(Mask mask) { return mask[0] | mask[1]; }
};
#include "emu/kernels/halfway.inc"
// Uses it.
#include "emu/kernels/double_sums.inc"

struct LanesChain {
  typedef Lanes64::Half Floats;
  typedef int32_t Words __attribute__((vector_size(16)));
  static constexpr int count = Lanes64::count, rows = 2, vectors = 4;

  // c[i] ← RNE32(a·b[i] + c[i]). A product of two binary32 numbers is exact in binary64. Rounding
  // the sum twice matters only where it is halfway between two binary32 numbers, or subnormal: both
  // are rare, and seen once for all.
  template <int n>
  static void multiply_add(Floats a, const Floats (&b)[n], Floats (&c)[n]) {
    constexpr Words looked_at = {0x1FFFFFFF, 0x7FFFFFFF, 0x1FFFFFFF, 0x7FFFFFFF};
    constexpr Words halfway = {0x10000000, -1, 0x10000000, -1};
    constexpr Words normal = {INT32_MIN, 0x38100000, INT32_MIN, 0x38100000};
    Lanes64::Vector sum[n];
    Words open = {};
    for (int i = 0; i < n; ++i) {
      sum[i] = Lanes64::widen(a) * Lanes64::widen(b[i]) + Lanes64::widen(c[i]);
      const Words words = (Words)sum[i] & looked_at;
      open |= (words == halfway) | (words < normal);
    }
    if (__builtin_expect(Lanes64::any((Lanes64::Mask)open), 0))
      for (int i = 0; i < n; ++i)
        sum[i] = sum_to_odd(Lanes64::widen(a) * Lanes64::widen(b[i]), Lanes64::widen(c[i]));
    for (int i = 0; i < n; ++i) c[i] = Lanes64::narrow(sum[i]);
  }
  static Floats multiply_add(Floats a, Floats b, Floats c) {
    Floats sum[] = {c};
    multiply_add(a, {b}, sum);
    return sum[0];
  }

 private:
  // t + c, rounded to odd where it is inexact: an odd binary64 number is no binary32 number and no
  // halfway point, so it lies on the side of each where the exact sum lies.
  static Lanes64::Vector sum_to_odd(Lanes64::Vector t, Lanes64::Vector c) {
    typedef Lanes64::Mask Longs;
    const Lanes64::Vector s = c + t, part = s - c;
    const Lanes64::Vector error = (c - (s - part)) + (t - part);  // TwoSum
    const Longs inexact = (error < 0) | (error > 0), is_even = ((Longs)s & 1) - 1;
    const Longs away = (((Longs)error ^ (Longs)s) >> 63) | 1;  // +1: to a larger magnitude
    return (Lanes64::Vector)((Longs)s + (away & inexact & is_even));
  }
};
#include "emu/kernels/aligned.inc"
#include "emu/kernels/chain.inc"
#include "emu/kernels/finish.inc"
#include "emu/kernels/rest.inc"

struct Lanes8 {
  // In binary64: a product of at most 28 bits is exact, and so is its sum with M where it is not
  // below a quarter of a unit; there the sum rounds to M whatever is lost.
  template <typename V>
  static V multiply_add(const V& a, const V& b, const V& c) {
    V sum;
    for (int i = 0; i < 8; ++i) sum[i] = float(double(a[i]) * double(b[i]) + double(c[i]));
    return sum;
  }
  template <typename V>
  static V multiply_low_halves(const V& a, const V& b) {
    return (a & 0xFFFFFFFF) * (b & 0xFFFFFFFF);
  }
  template <typename V>
  static void store_bytes(uint8_t* to, const V& x) {
    for (int i = 0; i < 8; ++i) to[i] = uint8_t(x[i]);
  }
};
#include "emu/kernels/quantize.inc"

}  // namespace

extern const InstructionSet portable_kernels = {
    .byte_panel = nullptr,
    .word_panel = nullptr,
    .double_panel = double_panel,
    .split_panel = nullptr,
    .chain_panel = chain_panel,
    .aligned_panel = aligned_panel,
    .byte_lane_bits = 0,
    .look_up = nullptr,
    .scale_and_add = scale_and_add,
    .block_maxima = block_maxima,
    .encode_blocks = encode_blocks,
    .encode_by_bounds = encode_by_bounds,
    .random_words = random_words,
    .block_errors = block_errors,
    .same_values = same_values,
    .dense_panel = dense_panel,
    .exp = exp_values,
    .silu = silu_values,
    .gelu = gelu_values,
    .add = add_values,
    .gated_silu = gated_silu,
    .rotate = rotate,
    .rms_norm = rms_norm,
    .layer_norm = layer_norm,
    .softmax = softmax,
};

}  // namespace mxref::kernels
