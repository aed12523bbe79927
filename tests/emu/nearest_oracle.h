#pragma once
// A second construction of the conversion to MX, for tests: the element code is looked up as the
// nearest in the list of all values (ties to the even code), in binary64, where x · p · 2^-s is
// exact for p of at most 28 bits.

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>
#include <vector>

#include "emu/block.h"

namespace mxref {

class NearestOracle {
 public:
  // Shares no code with emu/codec.cc: values come from the formula of ARITHMETIC.md §1.
  explicit NearestOracle(const ElementFormat& f) : format_(f) {
    for (uint32_t code = 0; code < f.sign_mask(); ++code) {
      if (f.has_inf() && code > 0x7B) break;  // e5m2: S.11111.MM is Inf and NaN
      const int E = int(code >> f.mantissa_bits);
      const double M = double(code & f.mantissa_mask()) / (1 << f.mantissa_bits);
      if (f.has_inf() || !f.has_nan() || code != f.magnitude_mask())
        values_.push_back(E ? std::ldexp(1 + M, E - f.bias) : std::ldexp(M, 1 - f.bias));
    }
  }

  // x (one block, finite, floor rule, rne) → codes; returns the scale code.
  uint8_t quantize(std::span<const float> x, Prescale p, std::span<uint8_t> codes) const {
    float amax = 0;
    for (float v : x) amax = std::max(amax, std::fabs(v));
    int s = -127;
    if (amax > 0) s = std::clamp(std::ilogb(amax) - int(std::ilogb(values_.back())), -127, 127);
    const double factor =
        std::ldexp(double(p.numerator), -s);  // exact, and no division where p is dyadic
    for (size_t i = 0; i < x.size(); ++i) {
      const uint32_t magnitude = nearest(std::fabs(double(x[i])) * factor, double(p.denominator));
      const bool negative = std::signbit(x[i]);
      codes[i] = format_.sign == Sign::twos_complement
                     ? uint8_t(negative ? -int(magnitude) : int(magnitude))
                     : uint8_t(magnitude | (negative ? format_.sign_mask() : 0));
    }
    return uint8_t(s + 127);
  }

 private:
  // The code whose value · denominator lies nearest to v.
  uint32_t nearest(double v, double denominator) const {
    const auto above =
        std::lower_bound(values_.begin(), values_.end(), v,
                         [&](double value, double x) { return value * denominator < x; });
    if (above == values_.end()) return uint32_t(values_.size() - 1);
    if (above == values_.begin()) return 0;
    const auto high = uint32_t(above - values_.begin());
    const double to_high = *above * denominator - v, to_low = v - *(above - 1) * denominator;
    if (to_high == to_low) return high & 1 ? high - 1 : high;
    return to_high < to_low ? high : high - 1;
  }

  ElementFormat format_;
  std::vector<double> values_;  // of the magnitude codes, ascending
};

}  // namespace mxref
