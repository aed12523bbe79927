#pragma once
// Elements and scales as GPTQ's loop takes them: in binary32, several rows side by side.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "emu/binary32.h"
#include "emu/block.h"

namespace mxref {

// An element format in binary32: values to nearest, and their codes.
class NearestElement {
 public:
  explicit NearestElement(const ElementFormat& format)
      : format_(format),
        largest_(std::ldexp(float(format.magnitude_units(format.max_code())), format.unit_log2())),
        least_normal_(std::ldexp(1.0f, format.emin())),
        units_(std::ldexp(1.0f, -format.unit_log2())) {}

  // Ties to even, saturating.
  float round(float x) const {
    const float magnitude = std::min(std::abs(x), largest_);
    const int exponent = int(std::bit_cast<uint32_t>(magnitude) >> binary32::mantissa_bits) - 127;
    const int step = std::max(exponent, format_.emin()) - format_.mantissa_bits;
    // 1.5·2^(step+23): its last place is the step.
    const auto shifter = std::bit_cast<float>(uint32_t(step + 23 + 127) << 23 | 0x400000u);
    return std::copysign(magnitude + shifter - shifter, x);
  }
  // The code of a value that is one of the format's.
  uint8_t code(float value) const {
    const float magnitude = std::abs(value);
    const uint32_t normal =
        (std::bit_cast<uint32_t>(magnitude) >> (binary32::mantissa_bits - format_.mantissa_bits)) -
        (uint32_t(127 - format_.bias) << format_.mantissa_bits);
    const auto subnormal = uint32_t(magnitude * units_);
    return uint8_t(
        format_.code(std::signbit(value), magnitude < least_normal_ ? subnormal : normal));
  }

 private:
  const ElementFormat format_;
  float largest_, least_normal_, units_;
};

// The scales of some rows, each array (blocks, rows).
struct RowScales {
  std::vector<float> scale, to_element;  // to_element: p / (scale·g)
  std::vector<uint8_t> codes;
  std::vector<float> tensor_scale;  // (rows)

  RowScales(const MxTensor& q, int64_t begin, int64_t rows) : rows_(rows) {
    const int64_t blocks = q.blocks_per_row();
    for (std::vector<float>* array : {&scale, &to_element}) array->resize(size_t(blocks * rows));
    codes.resize(size_t(blocks * rows));
    for (int64_t r = 0; r < rows; ++r) tensor_scale.push_back(q.tensor_scale(begin + r));
    for (int64_t block = 0; block < blocks; ++block) set(q, begin, block, block);
  }
  // Block `block` of these rows ← block `from` of q's rows begin, begin+1, …
  void set(const MxTensor& q, int64_t begin, int64_t from, int64_t block) {
    const double p =
        double(q.conversion.prescale.numerator) / double(q.conversion.prescale.denominator);
    for (int64_t r = 0; r < rows_; ++r) {
      const uint8_t code = q.row_scales(begin + r)[size_t(from)];
      const auto parts = q.format().scale->parts(code);
      const double value = std::ldexp(double(parts.significand), parts.exponent);
      const auto at = size_t(block * rows_ + r);
      codes[at] = code;
      scale[at] = float(value);
      to_element[at] = float(p / (value * double(tensor_scale[size_t(r)])));
    }
  }

 private:
  int64_t rows_;
};

}  // namespace mxref
