#pragma once
// A second construction of the conversions, for tests of many inputs: the element code is looked up
// as the nearest in the list of all values, in binary64, where x · p, 2^s and scale · g are exact
// for p of at most 28 bits. Scale rules but mse, which conversion_oracle.h has.

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "emu/block.h"
#include "tests/emu/random_word.h"

namespace mxref {

class NearestOracle {
 public:
  // Shares no code with emu/codec.cc: values come from the formula of ARITHMETIC.md §1.
  explicit NearestOracle(const BlockFormat& format)
      : format_(*format.element), is_nvfp4_(format.name == "nvfp4"), values_(values_of(format_)) {
    if (is_nvfp4_) scales_ = values_of(e4m3);
  }

  // x: one block, finite, of which the first element has this row-major index and over which the
  // tensor scale g stands → codes; returns the scale code.
  uint8_t quantize(std::span<const float> x, const Conversion& c, std::span<uint8_t> codes,
                   uint64_t first_element = 0, float g = 1) const {
    double a = 0;
    for (float v : x) a = std::max(a, std::fabs(double(v)));
    double divisor = 1;
    uint32_t scale = 0;
    if (is_nvfp4_ && a > 0) {
      size_t near = 0;
      scale = std::max(1u, nearest(scales_, a, 6.0 * g, Way::rne, rounding("rne"), 0, near));
      divisor = scales_[scale] * g;
    } else if (!is_nvfp4_) {
      const int s = a == 0 ? -127 : std::clamp(scale_exponent(*c.rule, a), -127, 127);
      scale = uint32_t(s + 127);
      divisor = std::ldexp(double(c.prescale.denominator), s);
    }
    const Way way = way_of(*c.rounding);
    size_t near = 0;  // neighbours in a block are often near each other
    for (size_t i = 0; i < x.size(); ++i) {
      const uint32_t random =
          c.rounding->stochastic ? oracle::random_word(c.seed, first_element + i) : 0;
      const uint32_t magnitude = nearest(values_, std::fabs(double(x[i])) * c.prescale.numerator,
                                         divisor, way, *c.rounding, random, near);
      const bool negative = std::signbit(x[i]);
      codes[i] =
          format_.sign == Sign::twos_complement
              ? uint8_t((negative ? -int(magnitude) : int(magnitude)) & int(format_.code_mask()))
              : uint8_t(magnitude | (negative ? format_.sign_mask() : 0));
    }
    return uint8_t(scale);
  }

 private:
  // Of the magnitude codes, ascending.
  static std::vector<double> values_of(const ElementFormat& f) {
    std::vector<double> values;
    for (uint32_t code = 0; code < f.sign_mask(); ++code) {
      // e5m2: S.11111.MM is Inf and NaN.
      if (f.has_inf() && code >> f.mantissa_bits == (1u << f.exponent_bits) - 1) break;
      const int E = int(code >> f.mantissa_bits);
      const double M = double(code & f.mantissa_mask()) / (1 << f.mantissa_bits);
      if (f.has_inf() || !f.has_nan() || code != f.magnitude_mask())
        values.push_back(E ? std::ldexp(1 + M, E - f.bias) : std::ldexp(M, 1 - f.bias));
    }
    return values;
  }

  // s before clamping; a > 0.
  int scale_exponent(const ScaleRule& row, double a) const {
    const std::string_view rule = row.name;
    const int e = std::ilogb(a), emax = std::ilogb(values_.back());
    if (rule == "floor") return e - emax;
    if (rule == "ceil") return e + (a > std::ldexp(1.0, e)) - emax;
    if (rule == "roundup") return e - emax + (a > std::ldexp(values_.back(), e - emax));
    if (row.searches) throw std::invalid_argument("the oracle has no such scale rule");
    if (rule != "even") return by_the_row(row, a);
    const int unit = e - format_.mantissa_bits;
    return std::ilogb(std::ldexp(std::floor(std::ldexp(a, -unit) + 0.5), unit)) - emax;
  }

  // A rule that has no construction of its own here (see tests/emu/conversion_oracle.h).
  int by_the_row(const ScaleRule& row, double a) const {
    int exponent = 0;
    const auto significand = uint64_t(std::ldexp(std::frexp(a, &exponent), 24));
    return row.exponent({significand, 1, exponent - 24}, format_);
  }

  enum class Way { rne, rna, rtz, stochastic, by_the_row };  // the last: none of its own here
  static Way way_of(const Rounding& row) {
    constexpr std::pair<std::string_view, Way> ways[] = {
        {"rne", Way::rne}, {"rna", Way::rna}, {"rtz", Way::rtz}, {"stochastic", Way::stochastic}};
    const auto* way = std::ranges::find(ways, row.name, &std::pair<std::string_view, Way>::first);
    return way == std::end(ways) ? Way::by_the_row : way->second;
  }

  // The code of v / divisor. `near` is a guess of the least value that is not below, which becomes
  // that value's index.
  static uint32_t nearest(const std::vector<double>& values, double v, double divisor, Way way,
                          const Rounding& row, uint32_t random, size_t& near) {
    const auto is_below = [&](size_t index) { return values[index] * divisor < v; };
    if ((near < values.size() && is_below(near)) || (near > 0 && !is_below(near - 1)))
      near = size_t(std::lower_bound(values.begin(), values.end(), v,
                                     [&](double value, double x) { return value * divisor < x; }) -
                    values.begin());
    const auto above = values.begin() + std::ptrdiff_t(near);
    if (above == values.end()) return uint32_t(values.size() - 1);
    const auto high = uint32_t(above - values.begin());
    const double to_high = *above * divisor - v;
    if (to_high == 0) return high;
    const double to_low = v - *(above - 1) * divisor;
    if (way == Way::rtz) return high - 1;
    if (way == Way::rna) return to_high <= to_low ? high : high - 1;
    double fraction = 0;
    if (row.stochastic) {
      const double distance = (*above - *(above - 1)) * divisor, rest = std::ldexp(to_low, 32);
      fraction = std::floor(rest / distance);
      if (std::fma(-fraction, distance, rest) < 0) --fraction;  // the quotient was rounded up to it
    }
    if (way == Way::stochastic) return random < fraction ? high : high - 1;
    if (way == Way::by_the_row) {
      const int vs_half = (to_low > to_high) - (to_low < to_high);
      return row.rounds_up({high % 2 == 0, vs_half, uint32_t(fraction), random}) ? high : high - 1;
    }
    if (to_high == to_low) return high & 1 ? high - 1 : high;
    return to_high < to_low ? high : high - 1;
  }

  ElementFormat format_;
  bool is_nvfp4_;
  std::vector<double> values_, scales_ = {};
};

}  // namespace mxref
