#pragma once
// The family `aligned` in 64-bit integers (aligned.inc).

#include <numeric>

#include "emu/datapaths.h"
#include "emu/kernels/double_path.h"

namespace mxref::kernels {

// How an operand's codes and scales enter: see AlignedRows.
class AlignedValues {
 public:
  AlignedValues(const BlockFormat& format, int group) {
    const ElementFormat& element = *format.element;
    const ScaleFormat& scale = *format.scale;
    for (uint32_t code = 0; code < 256; ++code) {
      const uint32_t c = code & element.code_mask();
      if (!is_finite(element, c)) continue;
      const auto parts = element.parts(element.magnitude(c));
      const bool is_fixed = element.sign == Sign::twos_complement;  // its exponent is always 0
      const int64_t magnitude = group > 1 || is_fixed
                                    ? int64_t(element.magnitude_units(element.magnitude(c)))
                                    : int64_t(parts.significand);
      value[code] = int32_t(is_negative(element, c) ? -magnitude : magnitude);
      exponent[code] = group > 1 || is_fixed ? 0 : parts.exponent + element.mantissa_bits;
    }
    for (uint32_t code = 0; code < 256; ++code) {
      if (scale.is_nan(uint8_t(code))) continue;
      const auto parts = scale.parts(uint8_t(code));
      scale_significand[code] = int32_t(parts.significand);
      scale_exponent[code] = parts.exponent + (scale.number ? scale.number->mantissa_bits : 0);
    }
    fraction_bits = (group > 1 ? -element.unit_log2() : element.mantissa_bits) +
                    (scale.number ? scale.number->mantissa_bits : 0);
    const uint64_t largest = group > 1 || element.sign == Sign::twos_complement
                                 ? element.max_units()
                                 : uint64_t(2 * element.mantissa_mask()) + 1;
    largest_value = largest * (scale.number ? 2 * scale.number->mantissa_mask() + 1 : 1);
  }

  std::array<int32_t, 256> value{}, exponent{}, scale_significand{}, scale_exponent{};
  int fraction_bits;
  uint64_t largest_value;
};

class AlignedPath {
 public:
  static constexpr int64_t rows = 256, chunk_length = 128;
  static constexpr bool has_wide_sums = false;

  // Whether 64-bit integers and the conversion to binary64 hold every sum.
  static bool fits(const BlockFormat& a, const BlockFormat& b, const Alignment& alignment) {
    const AlignedValues x(a, alignment.group), y(b, alignment.group);
    constexpr uint64_t word = 1u << 31;
    if (x.largest_value >= word || y.largest_value >= word) return false;
    const int bits = std::bit_width(x.largest_value) + std::bit_width(y.largest_value) +
                     std::bit_width(unsigned(alignment.group) - 1);
    const int up = std::max(alignment.fraction_bits - x.fraction_bits - y.fraction_bits, 0);
    return bits + up + std::bit_width(unsigned(alignment.terms / alignment.group)) <= 50;
  }

  AlignedPath(const InstructionSet& kernels, const MxTensor& a, const PackedColumns& b,
              const Datapath& datapath)
      : kernels_(kernels),
        a_(a),
        b_(b),
        group_(datapath.alignment.group),
        of_a_(a.format(), group_),
        of_b_(b.header.format(), group_) {
    const Alignment& alignment = datapath.alignment;
    stride_ = b.blocks() * b.block();
    groups_ = stride_ / group_;
    const int64_t at_once = std::min(rows, a.rows());
    values_.of<int32_t>(at_once * stride_);
    exponents_.of<int32_t>(at_once * groups_);
    const int kept = alignment.output == SumRounding::rz     ? binary32::mantissa_bits
                     : alignment.output == SumRounding::rz13 ? 13
                                                             : 0;
    shape_ = {.count = 0,
              .terms = alignment.terms,
              .group = group_,
              .fraction_bits = alignment.fraction_bits,
              .product_bits = of_a_.fraction_bits + of_b_.fraction_bits,
              .e_zero = alignment.e_zero,
              .kept_bits = kept,
              .ftz = datapath.ftz};
  }

  ProvenRange proven(Step) const { return {-unbounded, unbounded}; }
  // Steps of T products begin where a chunk does.
  bool has_binary64_step() const { return false; }
  int64_t blocks_at_once() const { return std::lcm(shape_.terms, b_.block()) / b_.block(); }

  void decode_row(int64_t row, int64_t slot, const uint8_t* scales, const double*) {
    const auto codes = a_.row_codes(row);
    int32_t* values = values_.of<int32_t>(0) + slot * stride_;
    int32_t* exponents = exponents_.of<int32_t>(0) + slot * groups_;
    for (int64_t k = 0; k < a_.cols(); ++k) {
      const uint8_t code = codes[size_t(k)], scale = scales[k / b_.block()];
      values[k] = of_a_.value[code] * of_a_.scale_significand[scale];
      if (k % group_ == 0)
        exponents[k / group_] = of_a_.exponent[code] + of_a_.scale_exponent[scale];
    }
  }

  void add_blocks(int count_rows, int64_t panel, int64_t first, int blocks, PanelStep, void* acc,
                  Buffer& scratch) {
    const int64_t begin = first * b_.block(), length = int64_t(blocks) * b_.block();
    auto* values = scratch.of<int32_t>(2 * length * panel_columns + terms_bytes / 4);
    int32_t* exponents = values + length * panel_columns;
    const Panel from = b_.panel(panel, first, blocks);
    for (int64_t k = 0; k < length; ++k)
      for (int64_t n = 0; n < panel_columns; ++n) {
        const uint8_t code = from.codes[(k / 4 * panel_columns + n) * 4 + k % 4];
        const uint8_t scale = from.scales[k / b_.block() * panel_columns + n];
        values[k * panel_columns + n] = of_b_.value[code] * of_b_.scale_significand[scale];
        if (k % group_ == 0)
          exponents[k / group_ * panel_columns + n] =
              of_b_.exponent[code] + of_b_.scale_exponent[scale];
      }
    AlignedShape shape = shape_;
    shape.count = std::min(length, a_.cols() - begin);
    kernels_.aligned_panel({values_.of<int32_t>(0) + begin,
                            exponents_.of<int32_t>(0) + begin / group_, stride_, groups_},
                           count_rows, {values, exponents}, shape, static_cast<float*>(acc),
                           exponents + length * panel_columns);
  }

 private:
  static constexpr int64_t terms_bytes = 1024 * 2 * 64;  // AlignedTerms of the widest lanes

  const InstructionSet& kernels_;
  const MxTensor& a_;
  const PackedColumns& b_;
  int group_;
  AlignedValues of_a_, of_b_;
  int64_t stride_, groups_;
  AlignedShape shape_;
  Buffer values_, exponents_;
};

}  // namespace mxref::kernels
