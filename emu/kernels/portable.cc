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
  static constexpr int count = Lanes64::count, rows = 2, vectors = 4;
  // A product of two binary32 numbers is exact in binary64.
  static Lanes64::Half multiply_add(Lanes64::Half a, Lanes64::Half b, Lanes64::Half c) {
    return Lanes64::narrow(sum_off_halfway<Lanes64::Mask, Lanes64::Vector>(
        Lanes64::widen(a), Lanes64::widen(b), Lanes64::widen(c)));
  }
};
#include "emu/kernels/aligned.inc"
#include "emu/kernels/chain.inc"
#include "emu/kernels/finish.inc"

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
    .chain_needs_grid = true,
    .look_up = nullptr,
    .scale_and_add = scale_and_add,
    .block_maxima = block_maxima,
    .encode_blocks = encode_blocks,
    .encode_by_bounds = encode_by_bounds,
    .random_words = random_words,
    .block_errors = block_errors,
    .same_values = same_values,
};

}  // namespace mxref::kernels
