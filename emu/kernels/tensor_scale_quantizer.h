#pragma once
// Conversion under a tensor scale g (ARITHMETIC.md §6) by bounds: a code is the number of bounds
// between neighbouring codes that lie below the magnitude. Bounds are products of at most 31 bits,
// exact in binary64.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "emu/binary32.h"
#include "emu/block.h"
#include "emu/kernels/instruction_set.h"
#include "emu/kernels/row_blocks.h"

namespace mxref::kernels {

// Where a magnitude begins to have the code above: there (inclusive), or just beyond.
struct Bound {
  double value;
  bool inclusive;
  bool is_below(double magnitude) const {
    return inclusive ? value <= magnitude : value < magnitude;
  }
};

// Between the finite magnitude codes of a format, ascending.
inline std::vector<Bound> bounds_of(const ElementFormat& f, const Rounding& rounding) {
  const auto value = [&](uint32_t code) {
    return std::ldexp(double(f.magnitude_units(code)), f.unit_log2());
  };
  std::vector<Bound> bounds;
  for (uint32_t code = 0; code < f.max_code(); ++code) {
    const auto rounds_up = [&](int vs_half) {
      return rounding.rounds_up({code % 2 == 1, vs_half, 0, 0});
    };
    const double half = (value(code) + value(code + 1)) / 2;
    bounds.push_back(rounds_up(-1)  ? Bound{value(code), false}
                     : rounds_up(0) ? Bound{half, true}
                     : rounds_up(1) ? Bound{half, false}
                                    : Bound{value(code + 1), true});
  }
  return bounds;
}

class TensorScaleQuantizer {
 public:
  static bool takes(const Conversion& conversion) {
    return conversion.format->has_tensor_scale() && !conversion.rounding->stochastic;
  }

  TensorScaleQuantizer(const Conversion& conversion, const InstructionSet& kernels)
      : conversion_(conversion), kernels_(kernels) {
    if (!takes(conversion)) return;
    const ElementFormat& element = *conversion.format->element;
    bounds_ = bounds_of(element, *conversion.rounding);
    scale_bounds_ = bounds_of(*conversion.format->scale->number, rounding("rne"));
    largest_ = std::ldexp(double(element.magnitude_units(element.max_code())), element.unit_log2());
    for (Bound& bound : scale_bounds_) bound.value *= largest_;
  }

  // x (K) → codes (K), scales (blocks).
  void row(const float* x, int64_t K, float g, uint8_t* codes, uint8_t* scales) const {
    for_row_blocks(x, K, conversion_.block, batch, codes, scales,
                   [&](const float* of, int count, int64_t, uint8_t* to, uint8_t* scales_to) {
                     blocks(of, count, g, to, scales_to);
                   });
  }

 private:
  static constexpr int batch = 64;
  static constexpr uint32_t above_all = 0x7FFFFFFF;

  void blocks(const float* x, int count, float g, uint8_t* codes, uint8_t* scales) const {
    const ScaleFormat& format = *conversion_.format->scale;
    const int block = conversion_.block;
    const size_t n = bounds_.size();
    std::array<uint32_t, batch> maxima;
    std::vector<uint32_t> bounds(size_t(count) * n);
    kernels_.block_maxima(x, count, block, maxima.data());
    for (int i = 0; i < count; ++i) {
      const uint32_t amax = maxima[size_t(i)];
      const bool is_finite = binary32::is_finite(amax);
      scales[i] = !is_finite  ? format.nan
                  : amax == 0 ? uint8_t(0)
                              : scale_code(std::bit_cast<float>(amax), g);
      const bool has_codes = is_finite && amax != 0;
      const auto of_scale = format.parts(has_codes ? scales[i] : format.one);
      const double unit = std::ldexp(double(of_scale.significand), of_scale.exponent) * g;
      for (size_t j = 0; j < n; ++j)
        bounds[size_t(i) * n + j] = has_codes ? largest_not_beyond(bounds_[j], unit) : above_all;
    }
    kernels_.encode_by_bounds(x, count, block, bounds.data(), int(n),
                              conversion_.format->element->bits() - 1, codes);
    for (int i = 0; i < count; ++i)
      if (format.is_nan(scales[i])) std::fill_n(codes + i * block, block, uint8_t(0));
  }

  // The largest binary32 number whose code is not yet the one above.
  static uint32_t largest_not_beyond(const Bound& bound, double unit) {
    const Bound scaled{bound.value * unit, bound.inclusive};
    const auto nearest = float(scaled.value);
    const auto bits = std::bit_cast<uint32_t>(nearest);
    return bits - (bits != 0 && scaled.is_below(nearest));
  }

  // CHOICE: the least number where it would be zero.
  uint8_t scale_code(float amax, float g) const {
    const double quotient = amax / (largest_ * g);
    // A code near it.
    const ElementFormat& number = *conversion_.format->scale->number;
    const int exponent = std::max(std::ilogb(quotient), number.emin());
    const auto units = int(std::ldexp(quotient, number.mantissa_bits - exponent));
    const int near = ((exponent - number.emin()) << number.mantissa_bits) + units;
    auto code = size_t(std::clamp(near, 0, int(scale_bounds_.size())));
    const auto is_below = [&](size_t index) {
      return Bound{scale_bounds_[index].value * g, scale_bounds_[index].inclusive}.is_below(amax);
    };
    while (code < scale_bounds_.size() && is_below(code)) ++code;
    while (code > 0 && !is_below(code - 1)) --code;
    return uint8_t(std::max<size_t>(code, 1));
  }

  const Conversion& conversion_;
  const InstructionSet& kernels_;
  std::vector<Bound> bounds_, scale_bounds_;  // of elements; of scales, times the largest element
  double largest_ = 0;
};

}  // namespace mxref::kernels
