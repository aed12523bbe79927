#include "emu/crosscheck/controls.h"

#include <algorithm>
#include <bit>

#include "emu/binary32.h"
#include "emu/dot.h"
#include "emu/gemm.h"
#include "emu/product_engine.h"

namespace mxref {
namespace {

// The lowest bit of the last result.
void planted_fault(const MxTensor& a, const MxTensor& b, const Datapath& datapath,
                   std::span<const float> c, std::span<float> d) {
  gemm_ref(a, b, datapath, c, d);
  d.back() = std::bit_cast<float>(std::bit_cast<uint32_t>(d.back()) ^ 1);
}

void all_zeros(const MxTensor&, const MxTensor&, const Datapath&, std::span<const float>,
               std::span<float> d) {
  std::fill(d.begin(), d.end(), 0.0f);
}

// acc ← RNE32(acc + RNE32(x·S)). The zero rule is kept: rounding is the only fault.
uint32_t accumulate_rounding_twice(const Datapath& datapath, uint32_t acc, const BlockSum& sum,
                                   uint8_t scale_a, uint8_t scale_b) {
  const uint32_t term = accumulate_block(datapath, 0, sum, scale_a, scale_b);
  if (!binary32::is_finite(term) || !sum.has_nonzero_product)
    return accumulate_block(datapath, acc, sum, scale_a, scale_b);
  const binary32::Parts parts = binary32::parts(term);
  BlockSum rounded{.units = parts.significand, .unit_log2 = parts.exponent};
  if (binary32::is_negative(term)) rounded.units = -rounded.units;
  rounded.has_nonzero_product = true;
  constexpr uint8_t scale_one = 127;
  return accumulate_block(datapath, acc, rounded, scale_one, scale_one);
}

void rounds_twice(const MxTensor& a, const MxTensor& b, const Datapath& datapath,
                  std::span<const float> c, std::span<float> d) {
  const Prescale p_a = a.conversion.prescale, p_b = b.conversion.prescale;
  const bool factor = has_factor(p_a, p_b);
  for (int64_t i = 0; i < int64_t(d.size()); ++i) {
    const int64_t m = i / b.rows(), n = i % b.rows();
    const uint32_t start = c.empty() ? 0 : std::bit_cast<uint32_t>(c[size_t(i)]);
    uint32_t acc = factor ? 0 : start;
    for (int64_t block = 0; block < a.blocks_per_row(); ++block) {
      const auto begin = size_t(block * a.block());
      const auto count = std::min(size_t(a.block()), size_t(a.cols()) - begin);
      const BlockSum sum = block_sum(a.element(), a.row_codes(m).subspan(begin, count), b.element(),
                                     b.row_codes(n).subspan(begin, count));
      acc = accumulate_rounding_twice(datapath, acc, sum, a.row_scales(m)[size_t(block)],
                                      b.row_scales(n)[size_t(block)]);
    }
    d[size_t(i)] = std::bit_cast<float>(factor ? apply_prescales(acc, p_a, p_b, start) : acc);
  }
}

EngineEntry entry(std::string_view name, std::string_view what, ProductEngine::Product product) {
  return {std::string(name),
          [name, product] { return std::make_unique<ProductEngine>(name, product); },
          std::string(what)};
}

}  // namespace

const EngineTable& control_engines() {
  static const EngineTable table{
      entry("planted_fault", "the lowest bit of one result is flipped", planted_fault),
      entry("all_zeros", "every result is zero", all_zeros),
      entry("rounds_twice", "a block's contribution is rounded before it is added", rounds_twice)};
  return table;
}

}  // namespace mxref
