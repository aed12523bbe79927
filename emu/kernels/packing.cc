#include "emu/kernels/packing.h"

#include "emu/codec.h"
#include "emu/e8m0.h"

namespace mxref::kernels {

RowScales usable_scales(const MxTensor& q, int64_t row, uint8_t* out) {
  const auto codes = q.row_codes(row), scales = q.row_scales(row);
  // Magnitude codes order as magnitudes, Inf and NaN last; of two's complement, which has neither,
  // the whole code tells whether it is zero.
  const bool is_magnitude = q.element().sign == Sign::magnitude;
  const auto mask = uint8_t(is_magnitude ? q.element().magnitude_mask() : 0xFF);
  RowScales found{.min_log2 = e8m0::max_log2, .max_log2 = e8m0::min_log2};
  for (size_t i = 0; i < scales.size(); ++i) {
    const size_t begin = i * size_t(q.block()), end = std::min(begin + q.block(), codes.size());
    uint8_t largest = 0;
    for (size_t k = begin; k < end; ++k) largest = std::max(largest, uint8_t(codes[k] & mask));
    found.has_nan |= e8m0::is_nan(scales[i]) || is_nan(q.element(), largest);
    found.has_inf |= is_inf(q.element(), largest);
    out[i] = largest == 0 ? e8m0::nan : scales[i];
    if (e8m0::is_nan(out[i])) continue;
    found.min_log2 = std::min(found.min_log2, e8m0::log2(out[i]));
    found.max_log2 = std::max(found.max_log2, e8m0::log2(out[i]));
  }
  if (found.min_log2 > found.max_log2) found.min_log2 = found.max_log2 = 0;  // no other block
  for (size_t i = 0; i < scales.size(); ++i)
    if (e8m0::is_nan(out[i])) out[i] = e8m0::encode_sat(found.max_log2);
  return found;
}

void PackedColumns::block_codes(int64_t column, int64_t index, uint8_t* out) const {
  const Panel from = panel(column / panel_columns, index);
  for (int k = 0; k < block(); ++k)
    out[k] = from.codes[(k / 4 * panel_columns + column % panel_columns) * 4 + k % 4];
}

namespace {

RowScales together(const RowScales& x, const RowScales& y) {
  return {std::min(x.min_log2, y.min_log2), std::max(x.max_log2, y.max_log2),
          x.has_nan || y.has_nan, x.has_inf || y.has_inf};
}

}  // namespace

PackedColumns pack_columns(const MxTensor& b) {
  PackedColumns p{{b.conversion, b.shape, {}, {}}, {}, {}, {}, {}};
  p.codes.resize(size_t(p.panels() * p.blocks() * p.block() * panel_columns));
  p.scales.resize(size_t(p.panels() * p.blocks() * panel_columns), e8m0::encode_sat(0));
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
