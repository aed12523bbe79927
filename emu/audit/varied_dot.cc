#include "emu/audit/varied_dot.h"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>

#include "emu/binary32.h"
#include "emu/codec.h"

namespace mxref {
namespace {

// In units below those of any term; see `Wide` of emu/dot.cc.
using Wide = boost::multiprecision::checked_int1024_t;
constexpr int unit_log2 = -300;

// A number, ±Inf or NaN. `is_empty`: no product in it is other than zero.
struct Extended {
  Wide value = 0;
  bool is_nan = false;
  int infinity = 0;
  bool is_empty = true;
  bool is_negative_zero = false;
};

Extended extended(uint32_t bits) {
  if (binary32::is_nan(bits)) return {.is_nan = true};
  if (binary32::is_inf(bits)) return {.infinity = binary32::is_negative(bits) ? -1 : 1};
  const binary32::Parts v = binary32::parts(bits);
  Wide value = Wide(v.significand) << unsigned(v.exponent - unit_log2);
  if (binary32::is_negative(bits)) value = -value;
  return {.value = value, .is_negative_zero = bits == binary32::sign_mask};
}

uint32_t round(const Wide& x, Direction rounding) {
  const uint32_t sign = x < 0 ? binary32::sign_mask : 0;
  const Wide magnitude = abs(x);
  if (magnitude == 0) return sign;
  const int top = int(msb(magnitude)) + unit_log2;
  const int unit = std::max(top, binary32::emin) - binary32::mantissa_bits;
  const int shift = unit - unit_log2;  // above zero: binary32's unit is 2^-149
  Wide quotient = magnitude >> unsigned(shift);
  const Wide rest = magnitude - (quotient << unsigned(shift)), half = Wide(1)
                                                                      << unsigned(shift - 1);
  const bool is_odd = (quotient & 1) != 0;
  if (rounding != Direction::toward_zero &&
      (rest > half || (rest == half && (is_odd || rounding == Direction::nearest_away))))
    ++quotient;
  const auto bits = (uint64_t(unit - binary32::unit_log2) << binary32::mantissa_bits) +
                    static_cast<uint64_t>(quotient);
  if (bits < binary32::infinity) return sign | uint32_t(bits);
  return sign | (rounding == Direction::toward_zero ? binary32::infinity - 1 : binary32::infinity);
}

class VariedDot {
 public:
  VariedDot(const Variation& variation, const Datapath& datapath, const RowView& a,
            const RowView& b)
      : variation_(variation), datapath_(datapath), a_(a), b_(b) {}

  uint32_t run(uint32_t acc) const {
    const bool is_sequential = datapath_.kind == Accumulation::sequential;
    const bool is_exact = datapath_.kind == Accumulation::exact;
    Extended sum = extended(acc);
    const size_t step = is_sequential ? 1 : size_t(a_.block);
    for (size_t first = 0; first < a_.codes.size(); first += step) {
      const size_t count = std::min(step, a_.codes.size() - first);
      Extended term = scaled_sum(first, count);
      if (datapath_.kind == Accumulation::blockwise) term = extended(rounded(term, false));
      sum = add(sum, term);
      if (!is_exact) sum = extended(rounded(sum, sum.is_negative_zero));
    }
    return rounded(sum, sum.is_negative_zero);
  }

 private:
  uint32_t rounded(const Extended& x, bool is_negative_zero) const {
    if (x.is_nan) return binary32::canonical_nan;
    if (x.infinity != 0) return binary32::infinity | (x.infinity < 0 ? binary32::sign_mask : 0);
    if (x.value == 0) return is_negative_zero ? binary32::sign_mask : 0;
    const uint32_t bits = round(x.value, variation_.rounding);
    return datapath_.ftz && binary32::is_subnormal(bits) ? bits & binary32::sign_mask : bits;
  }

  // -0 stays where nothing but zeros meets it, as each kind has it (ARITHMETIC.md §4).
  Extended add(const Extended& x, const Extended& y) const {
    Extended sum;
    sum.is_nan = x.is_nan || y.is_nan || x.infinity * y.infinity < 0;
    sum.infinity = x.infinity != 0 ? x.infinity : y.infinity;
    sum.value = x.value + y.value;
    const bool keeps =
        datapath_.kind == Accumulation::fused || datapath_.kind == Accumulation::exact
            ? y.is_empty
            : y.is_negative_zero;
    sum.is_negative_zero = x.is_negative_zero && keeps;
    return sum;
  }

  // The element as a number in units, where it is one.
  std::optional<int64_t> units(const ElementFormat& f, uint8_t code) const {
    if (is_finite(f, code)) return value_units(f, code);
    if (!variation_.nan_element_is_number || !is_nan(f, code)) return {};
    const auto magnitude = int64_t(f.magnitude_units(f.magnitude(code)));
    return is_negative(f, code) ? -magnitude : magnitude;
  }

  // Σ of the products of `count` elements from `first`, which have one scale, times that scale.
  Extended scaled_sum(size_t first, size_t count) const {
    const ElementFormat &f = *a_.format->element, &g = *b_.format->element;
    Extended sum;
    __int128 total = 0;
    for (size_t i = first; i < first + count; ++i) {
      const auto x = units(f, a_.codes[i]), y = units(g, b_.codes[i]);
      const bool is_negative =
          mxref::is_negative(f, a_.codes[i]) != mxref::is_negative(g, b_.codes[i]);
      if (x && y) {
        total += __int128(*x) * *y;
        sum.is_empty &= *x == 0 || *y == 0;
        sum.is_negative_zero = is_negative;  // of one element alone, where it is zero
        continue;
      }
      const bool has_zero = (x && *x == 0) || (y && *y == 0);
      const int sign = is_negative ? -1 : 1;
      sum.is_nan |=
          is_nan(f, a_.codes[i]) || is_nan(g, b_.codes[i]) || has_zero || sum.infinity == -sign;
      sum.infinity = sign;
    }
    scale(sum, total, first / size_t(a_.block), f.unit_log2() + g.unit_log2());
    return sum;
  }

  void scale(Extended& sum, __int128 total, size_t block, int unit) const {
    const ScaleFormat &f = *a_.format->scale, &g = *b_.format->scale;
    const uint8_t a = a_.scales[block], b = b_.scales[block];
    if ((f.is_nan(a) || g.is_nan(b)) && !variation_.nan_scale_is_number) sum.is_nan = true;
    if (sum.is_nan) return;
    const auto x = f.parts(a), y = g.parts(b);  // of e8m0's NaN 2^128, as its bits would say
    const int exponent = x.exponent + y.exponent;
    if (variation_.scale_product_in_binary32 && exponent > binary32::emax) {
      sum.is_nan |= total == 0 && sum.infinity == 0;  // 0 · Inf
      if (sum.infinity == 0) sum.infinity = total < 0 ? -1 : 1;
      return;
    }
    if (variation_.scale_product_in_binary32 && exponent < binary32::unit_log2) {
      sum.is_nan |= sum.infinity != 0;
      return;  // 0
    }
    if (sum.infinity != 0) return;
    const bool is_negative = total < 0;
    Wide value(is_negative ? -total : total);
    value *= uint64_t(x.significand) * y.significand;
    value <<= unsigned(unit + exponent - unit_log2);
    sum.value = is_negative ? Wide(-value) : value;
  }

  const Variation& variation_;
  const Datapath& datapath_;
  const RowView &a_, &b_;
};

}  // namespace

std::optional<uint32_t> varied_dot(const Variation& variation, const Datapath& datapath,
                                   uint32_t acc, const RowView& a, const RowView& b) {
  const bool is_e8m0 = a.format->scale == &e8m0_scale && b.format->scale == &e8m0_scale;
  const bool is_of_e8m0 = variation.scale_product_in_binary32 || variation.nan_scale_is_number;
  if (datapath.kind == Accumulation::aligned || (is_of_e8m0 && !is_e8m0)) return {};
  return VariedDot(variation, datapath, a, b).run(acc);
}

}  // namespace mxref
