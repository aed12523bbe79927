// All 2^32 binary32 inputs of each conversion, by three constructions: reference, kernel and
// nearest-value oracle.

#include <fmt/format.h>

#include <array>
#include <bit>
#include <vector>

#include "emu/isa.h"
#include "emu/quantize.h"
#include "tests/emu/nearest_oracle.h"
#include "tests/long/long_suite.h"

namespace mxref::long_suite {
namespace {

constexpr int64_t slice_inputs = int64_t(1) << 22;
constexpr int64_t slices_of_a_case = (int64_t(1) << 32) / slice_inputs;

// An input meets the largest magnitude of its block at this many binades above it (0: it is the
// largest itself), so that all distances to the scale that give different codes occur.
constexpr std::array anchor_distances{0, 1, 3, 6, 11, 18};

// Every rounding of every format, every scale rule but mse of the MX formats, and their pre-scale
// 3/4. (mse tries three scales with long integers: test_definition has all bfloat16 magnitudes.)
std::vector<Conversion> cases() {
  std::vector<Conversion> all;
  for (const Rounding& rounding : roundings)
    for (const BlockFormat& format : block_formats)
      all.push_back({.format = &format, .rounding = &rounding, .seed = 1});
  for (const BlockFormat& format : block_formats) {
    if (format.has_tensor_scale()) continue;
    all.push_back({.format = &format, .prescale = {3, 4}});
    for (const ScaleRule& rule : scale_rules)
      if (&rule != &scale_rules[0] && !rule.searches)
        all.push_back({.format = &format, .rule = &rule});
  }
  return all;
}

// block - 1 consecutive inputs and one anchor. The distance runs through its list with the block's
// number.
std::vector<float> block_of(uint32_t first, size_t number, size_t block) {
  std::vector<float> x(block);
  for (uint32_t i = 0; i + 1 < block; ++i) x[i] = std::bit_cast<float>(first + i);
  const uint32_t exponent = (first >> 23) & 0xFF;
  const int distance = anchor_distances[number % anchor_distances.size()];
  if (distance != 0)
    x.back() = std::bit_cast<float>(uint32_t(std::min(int(exponent) + distance, 254)) << 23);
  return x;
}

std::string describe(const Conversion& c, float x, uint8_t scale, uint8_t expected, uint8_t got,
                     const char* by) {
  return fmt::format(
      "{} pre-scale {} rule {} {}: x 0x{:08x} ({:a}) scale 0x{:02x}: reference 0x{:02x}, {} "
      "0x{:02x}",
      c.format->name, to_string(c.prescale), c.rule->name, c.rounding->name,
      std::bit_cast<uint32_t>(x), x, scale, expected, by, got);
}

SliceResult compare(int64_t slice, uint8_t planted) {
  const Conversion c = cases().at(size_t(slice / slices_of_a_case));
  const NearestOracle oracle(*c.format);
  const auto begin = uint64_t(slice % slices_of_a_case) * slice_inputs;

  // Blocks overlap the next slice by some inputs rather than miss any.
  const auto block = size_t(c.block);
  std::vector<float> x;
  for (uint64_t first = begin; first < begin + slice_inputs; first += block - 1) {
    const auto inputs = block_of(uint32_t(first), size_t(first / (block - 1)), block);
    x.insert(x.end(), inputs.begin(), inputs.end());
  }
  const int64_t blocks = int64_t(x.size() / block);
  const MxTensor kernel = quantize(x, {blocks, c.block}, c);
  const float g = kernel.tensor_scale(0);

  SliceResult result;
  std::vector<uint8_t> reference(block), nearest(block);
  for (int64_t b = 0; b < blocks; ++b) {
    const auto at = size_t(b) * block;
    const auto values = std::span<const float>(x).subspan(at, block);
    const uint8_t scale = quantize_block_ref(values, c, reference, {at, g});
    const auto got = kernel.row_codes(b);
    uint8_t oracle_scale = scale;
    if (c.format->scale->is_nan(scale))
      nearest = reference;  // NaN and Inf: the kernel alone is compared
    else
      oracle_scale = oracle.quantize(values, c, nearest, at, g);
    reference[5] ^= planted;
    for (size_t i = 0; i < block; ++i) {
      result.compared += 1;
      const bool kernel_differs = got[i] != reference[i] || kernel.scales[size_t(b)] != scale;
      const bool oracle_differs = nearest[i] != reference[i] || oracle_scale != scale;
      if (!kernel_differs && !oracle_differs) continue;
      if (result.mismatches++ == 0)
        result.first_mismatch =
            kernel_differs ? describe(c, values[i], scale, reference[i], got[i], "kernel")
                           : describe(c, values[i], scale, reference[i], nearest[i], "oracle");
    }
  }
  return result;
}

}  // namespace

Part conversion_part() {
  return {
      "conversion",
      fmt::format("all 2^32 binary32 inputs in {} conversions (roundings, scale rules, pre-scale "
                  "3/4): reference, kernel ({}), nearest value",
                  cases().size(), name_of(current_isa())),
      slices_of_a_case * int64_t(cases().size()), [](int64_t slice) { return compare(slice, 0); },
      [] { return compare(300, 1).mismatches > 0; }};
}

}  // namespace mxref::long_suite
