#include "emu/kernels/packing.h"

#include "emu/codec.h"

namespace mxref::kernels {

namespace {

// Of a scale code that is neither NaN nor zero.
void include_scale(const ScaleFormat& format, uint8_t code, RowRange& range) {
  const auto scale = format.parts(code);
  range.min_log2 = std::min(range.min_log2, scale.exponent);
  range.max_log2 =
      std::max(range.max_log2, scale.exponent + int(std::bit_width(scale.significand - 1)));
}

// Formats whose units are many: what the row really has of them.
void find_element_range(const ElementFormat& element, std::span<const uint8_t> codes,
                        RowRange& range) {
  range.element_high = element.magnitude_units_bits();
  constexpr int few_bits = 24;
  if (range.element_high <= few_bits) return;
  uint64_t bits = 0;
  for (uint8_t code : codes)
    if (is_finite(element, code)) bits |= element.magnitude_units(element.magnitude(code));
  range.element_high = std::bit_width(bits);
  range.element_low = bits == 0 ? 0 : std::countr_zero(bits);
}

}  // namespace

RowRange usable_scales(const MxTensor& q, int64_t row, uint8_t* out) {
  const auto codes = q.row_codes(row), scales = q.row_scales(row);
  const ElementFormat& element = q.element();
  const ScaleFormat& format = *q.format().scale;
  // Magnitude codes order as magnitudes, Inf and NaN last; of two's complement, which has neither,
  // the whole code tells whether it is zero.
  const auto mask =
      uint8_t(element.sign == Sign::magnitude ? element.magnitude_mask() : element.code_mask());
  constexpr int none = 1 << 10;
  RowRange range{.min_log2 = none, .max_log2 = -none};
  uint8_t largest_scale = format.one;
  for (size_t i = 0; i < scales.size(); ++i) {
    const size_t begin = i * size_t(q.block()), end = std::min(begin + q.block(), codes.size());
    uint8_t largest = 0;
    for (size_t k = begin; k < end; ++k) largest = std::max(largest, uint8_t(codes[k] & mask));
    const bool scale_is_nan = format.is_nan(scales[i]);
    range.has_nan |= scale_is_nan || is_nan(element, largest);
    range.has_inf |= is_inf(element, largest);
    out[i] = largest == 0 || scale_is_nan ? format.nan : scales[i];
    if (format.is_nan(out[i]) || format.parts(out[i]).significand == 0) continue;
    const int before = range.max_log2;
    include_scale(format, out[i], range);
    if (range.max_log2 > before) largest_scale = out[i];
  }
  if (range.min_log2 == none) include_scale(format, largest_scale, range);  // no other block
  for (size_t i = 0; i < scales.size(); ++i)
    if (format.is_nan(out[i])) out[i] = largest_scale;
  find_element_range(element, codes, range);
  return range;
}

void PackedColumns::block_codes(int64_t column, int64_t index, uint8_t* out) const {
  const Panel from = panel(column / panel_columns, index);
  for (int k = 0; k < block(); ++k)
    out[k] = from.codes[(k / 4 * panel_columns + column % panel_columns) * 4 + k % 4];
}

namespace {

RowRange together(const RowRange& x, const RowRange& y) {
  return {.min_log2 = std::min(x.min_log2, y.min_log2),
          .max_log2 = std::max(x.max_log2, y.max_log2),
          .element_low = std::min(x.element_low, y.element_low),
          .element_high = std::max(x.element_high, y.element_high),
          .has_nan = x.has_nan || y.has_nan,
          .has_inf = x.has_inf || y.has_inf};
}

}  // namespace

PackedColumns pack_columns(const MxTensor& b) {
  PackedColumns p{{b.conversion, b.shape, {}, {}, b.tensor_scales}, {}, {}, {}, {}};
  p.codes.resize(size_t(p.panels() * p.blocks() * p.block() * panel_columns));
  p.scales.resize(size_t(p.panels() * p.blocks() * panel_columns), b.format().scale->one);
  p.of_column.resize(size_t(p.columns()));
  p.of_panel.resize(size_t(p.panels()));
  constexpr int64_t worth_threads = 1 << 16;
#pragma omp parallel for schedule(static) if (p.columns() * b.cols() >= worth_threads)
  for (int64_t panel = 0; panel < p.panels(); ++panel) {
    std::vector<uint8_t> scales(size_t(p.blocks()));
    uint8_t* codes = p.codes.data() + panel * p.blocks() * p.block() * panel_columns;
    const int64_t columns = std::min<int64_t>(panel_columns, p.columns() - panel * panel_columns);
    for (int64_t n = 0; n < columns; ++n) {
      const int64_t row = panel * panel_columns + n;
      p.of_column[size_t(row)] = usable_scales(b, row, scales.data());
      p.of_panel[size_t(panel)] =
          n == 0 ? p.of_column[size_t(row)]
                 : together(p.of_panel[size_t(panel)], p.of_column[size_t(row)]);
      for (int64_t i = 0; i < p.blocks(); ++i)
        p.scales[size_t((panel * p.blocks() + i) * panel_columns + n)] = scales[size_t(i)];
      const auto from = b.row_codes(row);
      for (int64_t k = 0; k < b.cols(); ++k)
        codes[(k / 4 * panel_columns + n) * 4 + k % 4] = from[size_t(k)];
    }
  }
  return p;
}

}  // namespace mxref::kernels
