#include "emu/kernels/packing.h"

#include <cmath>

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

CodeShares sample_codes(std::span<const uint8_t> codes) {
  constexpr size_t most = 1 << 12;
  // Odd, so that no period of a power of two hides what is between.
  const size_t step = codes.size() / most | 1, count = (codes.size() + step - 1) / step;
  CodeShares shares{};
  for (size_t i = 0; i < codes.size(); i += step) shares[codes[i]] += 1 / float(count);
  return shares;
}

RowScan::RowScan(const MxTensor& q) : q_(q) {
  const ElementFormat& element = q.element();
  for (uint32_t code = 0; code <= element.code_mask(); ++code) {
    if (!is_finite(element, code)) continue;
    const auto units = double(value_units(element, code));
    squares_[code] = units * units;
  }
  const ScaleFormat& format = *q.format().scale;
  for (uint32_t code = 0; code < scale_squares_.size(); ++code) {
    if (format.is_nan(uint8_t(code))) continue;
    const auto scale = format.parts(uint8_t(code));
    scale_squares_[code] = std::ldexp(scale.significand * scale.significand, 2 * scale.exponent);
  }
}

// The relative error of a sum of up to 128 squares, of the roots and of the sum over a row (2^40
// blocks and fewer) is far below `slack`.
double RowScan::find_norms(int64_t row, const uint8_t* scales, double* norms) const {
  constexpr double slack = 1 + 0x1p-12;
  const auto codes = q_.row_codes(row);
  double of_row = 0;
  for (int64_t i = 0; i < q_.blocks_per_row(); ++i) {
    const int64_t begin = i * q_.block(), end = std::min(begin + q_.block(), q_.cols());
    double sums[4] = {};
    int64_t k = begin;
    for (; k + 4 <= end; k += 4)
      for (int64_t j = 0; j < 4; ++j) sums[j] += squares_[codes[size_t(k + j)]];
    for (; k < end; ++k) sums[0] += squares_[codes[size_t(k)]];
    const double sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    norms[i] = std::sqrt(sum) * slack;
    of_row += sum * scale_squares_[scales[i]];
  }
  return std::sqrt(of_row) * slack;
}

RowRange RowScan::row(int64_t row, uint8_t* out, double* norms) const {
  const auto codes = q_.row_codes(row), scales = q_.row_scales(row);
  const ElementFormat& element = q_.element();
  const ScaleFormat& format = *q_.format().scale;
  // Magnitude codes order as magnitudes, Inf and NaN last; of two's complement, which has neither,
  // the whole code tells whether it is zero.
  const auto mask =
      uint8_t(element.sign == Sign::magnitude ? element.magnitude_mask() : element.code_mask());
  constexpr int none = 1 << 10;
  RowRange range{.min_log2 = none, .max_log2 = -none};
  uint8_t largest_scale = format.one;
  for (size_t i = 0; i < scales.size(); ++i) {
    const size_t begin = i * size_t(q_.block()), end = std::min(begin + q_.block(), codes.size());
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
  if (norms) range.norm = find_norms(row, out, norms);
  return range;
}

void PackedColumns::block_codes(int64_t column, int64_t index, uint8_t* out) const {
  const Panel from = panel(column / panel_columns, index);
  for (int k = 0; k < block(); ++k)
    out[k] = from.codes[(k / 4 * panel_columns + column % panel_columns) * 4 + k % 4];
}

RowRange together(const RowRange& x, const RowRange& y) {
  return {.min_log2 = std::min(x.min_log2, y.min_log2),
          .max_log2 = std::max(x.max_log2, y.max_log2),
          .element_low = std::min(x.element_low, y.element_low),
          .element_high = std::max(x.element_high, y.element_high),
          .norm = std::max(x.norm, y.norm),
          .has_nan = x.has_nan || y.has_nan,
          .has_inf = x.has_inf || y.has_inf};
}

RowRange together(std::span<const RowRange> rows) {
  RowRange all = rows[0];
  for (const RowRange& row : rows.subspan(1)) all = together(all, row);
  return all;
}

PackedColumns pack_columns(const MxTensor& b) {
  PackedColumns p{
      {b.conversion, b.shape, {}, {}, b.tensor_scales}, {}, {}, {}, {}, {}, sample_codes(b.codes)};
  p.codes.resize(size_t(p.panels() * p.blocks() * p.block() * panel_columns));
  p.scales.resize(size_t(p.panels() * p.blocks() * panel_columns), b.format().scale->one);
  p.norms.resize(size_t(p.panels() * p.blocks() * norm_groups));
  p.of_column.resize(size_t(p.columns()));
  p.of_panel.resize(size_t(p.panels()));
  const RowScan scan(b);
  constexpr int64_t worth_threads = 1 << 16;
#pragma omp parallel for schedule(static) if (p.columns() * b.cols() >= worth_threads)
  for (int64_t panel = 0; panel < p.panels(); ++panel) {
    std::vector<uint8_t> scales(size_t(p.blocks()));
    std::vector<double> norms(size_t(p.blocks()));
    float* panel_norms = p.norms.data() + panel * p.blocks() * norm_groups;
    uint8_t* codes = p.codes.data() + panel * p.blocks() * p.block() * panel_columns;
    const int64_t columns = std::min<int64_t>(panel_columns, p.columns() - panel * panel_columns);
    for (int64_t n = 0; n < columns; ++n) {
      const int64_t row = panel * panel_columns + n;
      p.of_column[size_t(row)] = scan.row(row, scales.data(), norms.data());
      p.of_panel[size_t(panel)] =
          n == 0 ? p.of_column[size_t(row)]
                 : together(p.of_panel[size_t(panel)], p.of_column[size_t(row)]);
      for (int64_t i = 0; i < p.blocks(); ++i) {
        p.scales[size_t((panel * p.blocks() + i) * panel_columns + n)] = scales[size_t(i)];
        float& norm = panel_norms[i * norm_groups + n / norm_columns];
        norm = std::max(norm, float(norms[size_t(i)]));
      }
      const auto from = b.row_codes(row);
      for (int64_t k = 0; k < b.cols(); ++k)
        codes[(k / 4 * panel_columns + n) * 4 + k % 4] = from[size_t(k)];
    }
  }
  return p;
}

}  // namespace mxref::kernels
