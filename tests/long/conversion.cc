// All 2^32 binary32 inputs of each conversion, by three constructions: reference, kernel and
// nearest-value oracle.

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>

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
constexpr std::array prescales{Prescale{1, 1}, Prescale{3, 4}};

struct Case {
  const BlockFormat* format;
  Prescale prescale;
};
Case case_of(int64_t slice) {
  const size_t index = size_t(slice / slices_of_a_case);
  return {&block_formats[index / prescales.size()], prescales[index % prescales.size()]};
}

// 31 consecutive inputs and one anchor. The distance runs through its list with the block's number.
std::array<float, 32> block_of(uint32_t first, size_t number) {
  std::array<float, 32> x;
  for (uint32_t i = 0; i < 31; ++i) x[i] = std::bit_cast<float>(first + i);
  const uint32_t exponent = (first >> 23) & 0xFF;
  const int distance = anchor_distances[number % anchor_distances.size()];
  x[31] = distance == 0
              ? 0.0f
              : std::bit_cast<float>(uint32_t(std::min(int(exponent) + distance, 254)) << 23);
  return x;
}

std::string describe(const Case& c, float x, uint8_t scale, uint8_t expected, uint8_t got,
                     const char* by) {
  return fmt::format(
      "{} pre-scale {} rule floor rne: x 0x{:08x} ({:a}) scale 0x{:02x}: reference 0x{:02x}, {} "
      "0x{:02x}",
      c.format->name, to_string(c.prescale), std::bit_cast<uint32_t>(x), x, scale, expected, by,
      got);
}

SliceResult compare(int64_t slice, uint8_t planted) {
  const Case c = case_of(slice);
  const Conversion conversion{.format = c.format, .prescale = c.prescale};
  const NearestOracle oracle(*c.format->element);
  const auto begin = uint64_t(slice % slices_of_a_case) * slice_inputs;

  // Blocks overlap the next slice by some inputs rather than miss any.
  std::vector<float> x;
  for (uint64_t first = begin; first < begin + slice_inputs; first += 31) {
    const auto block = block_of(uint32_t(first), size_t(first / 31));
    x.insert(x.end(), block.begin(), block.end());
  }
  const int64_t blocks = int64_t(x.size()) / 32;
  const MxTensor kernel = quantize(x, {blocks, 32}, conversion);

  SliceResult result;
  for (int64_t b = 0; b < blocks; ++b) {
    const std::span<const float> values(x.data() + b * 32, 32);
    std::array<uint8_t, 32> reference, nearest;
    uint8_t scale = quantize_block_ref(values, conversion, reference);
    const auto got = kernel.row_codes(b);
    uint8_t oracle_scale = scale;
    if (scale == 0xFF)
      nearest = reference;  // NaN and Inf: the kernel alone is compared
    else
      oracle_scale = oracle.quantize(values, c.prescale, nearest);
    reference[5] ^= planted;
    for (size_t i = 0; i < 32; ++i) {
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
  return {"conversion",
          fmt::format("all 2^32 binary32 inputs to {} formats with pre-scales 1 and 3/4: "
                      "reference, kernel ({}), nearest value",
                      block_formats.size(), name_of(current_isa())),
          slices_of_a_case * int64_t(block_formats.size() * prescales.size()),
          [](int64_t slice) { return compare(slice, 0); },
          [] { return compare(300, 1).mismatches > 0; }};
}

}  // namespace mxref::long_suite
