#include "emu/audit/stimulus.h"

#include <algorithm>
#include <bit>

#include "emu/binary32.h"
#include "emu/crosscheck/random_product.h"

namespace mxref {
namespace {

class Values {
 public:
  Values(Stimulus& stimulus, const Conversion& conversion)
      : stimulus_(stimulus), f_(*conversion.format->element), p_(conversion.prescale) {}

  void fill(std::span<float> block) {
    const uint64_t kind = stimulus_.below(12);
    const int top = exponent();  // of the block's largest value
    for (float& x : block) x = finite(top - int(stimulus_.below(uint64_t(f_.emax()) + 6)));
    float& largest = block[stimulus_.below(block.size())];
    largest = finite(top);
    switch (kind) {
      case 0:
      case 1: {  // at a power of two, or some last places from it
        const int steps = int(stimulus_.below(9)) - 4;
        largest = neighbour(with_sign(power_of_two(top)), steps);
        break;
      }
      case 2:
      case 3:
      case 4:  // ties of the elements under the scale of rule floor
        for (float& x : block) x = near_tie(top);
        break;
      case 5:  // around the largest element
        for (float& x : block) x = element(top, f_.max_code(), int(stimulus_.below(5)) - 1);
        break;
      case 6:
        for (float& x : block) x = with_sign(uint32_t(stimulus_.below(1 << 23)));  // subnormal
        break;
      case 7:  // zeros of both signs, and sometimes one value
        for (float& x : block) x = with_sign(0);
        if (stimulus_.below(2)) largest = finite(top);
        break;
      case 8:  // any bits; NaN and Inf in one of 8 such blocks
        for (float& x : block) x = any(stimulus_.below(8) == 0);
        break;
      case 9: {  // one NaN or Inf
        if (stimulus_.below(4) != 0) break;
        const uint64_t payload = stimulus_.below(2) ? stimulus_.below(1 << 23) : 0;
        largest = with_sign(binary32::infinity | uint32_t(payload));
        break;
      }
      default:
        break;
    }
  }

 private:
  // Mostly around 1, else anywhere, often at the ends.
  int exponent() {
    switch (stimulus_.below(4)) {
      case 0:
        return int(stimulus_.below(277)) - 149;
      case 1: {
        const int ends[] = {binary32::emax, binary32::emin, -149, -127};
        const int end = ends[stimulus_.below(4)];
        return end - int(stimulus_.below(3));
      }
      default:
        return int(stimulus_.below(41)) - 20;
    }
  }
  float with_sign(uint32_t magnitude) {
    return std::bit_cast<float>(magnitude | (stimulus_.below(2) ? binary32::sign_mask : 0));
  }
  // Subnormal below 2^-126, 0 below 2^-149.
  static uint32_t power_of_two(int log2) {
    if (log2 >= binary32::emin) return uint32_t(log2 + binary32::emax) << binary32::mantissa_bits;
    return log2 < binary32::unit_log2 ? 0 : 1u << (log2 - binary32::unit_log2);
  }
  float finite(int log2) {
    const uint32_t magnitude = power_of_two(std::min(log2, binary32::emax));
    const uint32_t fraction = uint32_t(stimulus_.below(1 << 23)) >> stimulus_.below(24);
    return with_sign(std::min(magnitude | fraction, binary32::infinity - 1));
  }
  // Some last places away, never beyond the finite numbers.
  static float neighbour(float x, int steps) {
    const auto bits = std::bit_cast<uint32_t>(x);
    const auto magnitude = int64_t(bits & ~binary32::sign_mask) + steps;
    return std::bit_cast<float>(
        (bits & binary32::sign_mask) |
        uint32_t(std::clamp<int64_t>(magnitude, 0, binary32::infinity - 1)));
  }
  float any(bool with_specials) {
    const auto bits = uint32_t(stimulus_.word());
    if (binary32::is_finite(bits) || with_specials) return std::bit_cast<float>(bits);
    return std::bit_cast<float>(bits & ~(1u << 30));
  }
  // (code + halves / 2 last places) · 2^s / p, as near as binary32 has it; s = top - emax.
  float element(int top, uint32_t code, int halves) {
    const auto v = f_.parts(code);
    const auto significand = uint64_t(int64_t(v.significand) * 2 + halves);
    const uint32_t bits =
        binary32::round_quotient_rne(false, binary32::uint128(significand) * p_.denominator,
                                     p_.numerator, v.exponent - 1 + top - f_.emax());
    return with_sign(std::min(bits, binary32::infinity - 1));
  }
  float near_tie(int top) {
    const float tie = element(top, uint32_t(stimulus_.below(uint64_t(f_.max_code()) + 1)), 1);
    return stimulus_.below(2) ? tie : neighbour(tie, int(stimulus_.below(3)) - 1);
  }

  Stimulus& stimulus_;
  const ElementFormat& f_;
  Prescale p_;
};

int64_t whole(int64_t K, int block, RowEnds ends) {
  return ends == RowEnds::any ? K : (K + block - 1) / block * block;
}

}  // namespace

ProductInput audit_product(const Conversion& a, const Conversion& b, uint64_t seed, RowEnds ends) {
  Stimulus stimulus = product_stimulus(seed);
  const ProductShape shape = product_shape(seed, a.block, stimulus);
  const int64_t M = shape.M, N = shape.N, K = whole(shape.K, a.block, ends);
  ProductInput input{random_operand(stimulus, a, M, K), random_operand(stimulus, b, N, K), {}};
  if (shape.kind != ProductKind::chains_without_c) input.c = random_c(stimulus, input.a, input.b);
  return input;
}

ConversionInput audit_conversion(const Conversion& conversion, uint64_t seed, RowEnds ends) {
  Stimulus stimulus(seed);
  const int64_t rows = 64;
  const int64_t K =
      whole(1 + int64_t(stimulus.below(4 * uint64_t(conversion.block))), conversion.block, ends);
  ConversionInput input{conversion, {rows, K}, std::vector<float>(size_t(rows * K))};
  Values values(stimulus, conversion);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t k = 0; k < K; k += conversion.block) {
      const auto count = size_t(std::min<int64_t>(conversion.block, K - k));
      values.fill(std::span(input.x).subspan(size_t(row * K + k), count));
    }
  return input;
}

}  // namespace mxref
