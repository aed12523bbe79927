#include "emu/vectors/units.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "emu/binary32.h"
#include "emu/codec.h"
#include "emu/dot.h"
#include "emu/philox.h"
#include "emu/quantize.h"
#include "emu/vectors/rest_units.h"
#include "emu/vectors/stimulus.h"

namespace mxref {
namespace {

using Bytes = std::vector<uint8_t>;
using Words = std::vector<uint32_t>;

VectorTable table_for(const UnitRequest& r, std::string_view unit, size_t count) {
  VectorTable table;
  table.header = vector_header(r.kind, r.seed, count);
  table.header["unit"] = unit;
  table.header["format"] = r.a->name;
  if (find_by_name(units, "unit", unit).formats == 2) table.header["format_b"] = r.b->name;
  table.numbers = {"seed", "count"};
  table.count = count;
  return table;
}

size_t at_most(const UnitRequest& r, size_t all) {
  return r.count == 0 ? all : std::min(all, size_t(r.count));
}

VectorTable decode(const UnitRequest& r) {
  const size_t count = at_most(r, size_t(1) << r.a->element->bits());
  const uint8_t one = r.a->scale->one;
  Bytes code;
  Words value;
  for (size_t i = 0; i < count; ++i) {
    code.push_back(uint8_t(i));
    value.push_back(std::bit_cast<uint32_t>(dequantize_element(*r.a, uint8_t(i), one)));
  }
  VectorTable table = table_for(r, "decode", count);
  table.add("code", r.a->element->bits(), 1, std::move(code));
  table.add("value", 32, 1, std::move(value));
  return table;
}

VectorTable multiply(const UnitRequest& r) {
  const ElementFormat &a = *r.a->element, &b = *r.b->element;
  const size_t count = at_most(r, size_t(1) << (a.bits() + b.bits()));
  const BlockFormat &format_a = block_format_of(a), &format_b = block_format_of(b);
  Bytes codes_a, codes_b;
  Words products;
  constexpr uint8_t one = e8m0::bias;
  for (size_t i = 0; i < count; ++i) {
    codes_a.push_back(uint8_t(i >> b.bits()));
    codes_b.push_back(uint8_t(i & ((1u << b.bits()) - 1)));
    // IEEE's fused multiply-add to -0 is the product, which has at most 15 bits.
    products.push_back(dot_ref(datapath("sequential"), binary32::sign_mask,
                               {&format_a, format_a.block, {&codes_a.back(), 1}, {&one, 1}},
                               {&format_b, format_b.block, {&codes_b.back(), 1}, {&one, 1}}));
  }
  VectorTable table = table_for(r, "multiply", count);
  table.add("code_a", a.bits(), 1, std::move(codes_a));
  table.add("code_b", b.bits(), 1, std::move(codes_b));
  table.add("product", 32, 1, std::move(products));
  return table;
}

VectorTable scale_product(const UnitRequest& r) {
  if (r.a->scale != r.b->scale)
    throw UsageError("the scales of " + std::string(r.a->name) + " and " + std::string(r.b->name) +
                     " do not meet");
  const ScaleFormat& f = *r.a->scale;
  const size_t count = at_most(r, 0x10000);
  Bytes scale_a, scale_b, is_nan;
  Words significand, exponent;
  for (size_t i = 0; i < count; ++i) {
    scale_a.push_back(uint8_t(i >> 8));
    scale_b.push_back(uint8_t(i));
    const bool nan = f.is_nan(scale_a.back()) || f.is_nan(scale_b.back());
    const auto x = nan ? ElementFormat::Parts{} : f.parts(scale_a.back());
    const auto y = nan ? ElementFormat::Parts{} : f.parts(scale_b.back());
    significand.push_back(x.significand * y.significand);
    exponent.push_back(uint32_t(x.exponent + y.exponent) & 0xFFFF);
    is_nan.push_back(nan);
  }
  VectorTable table = table_for(r, "scale_product", count);
  table.add("scale_a", 8, 1, std::move(scale_a));
  table.add("scale_b", 8, 1, std::move(scale_b));
  table.add("significand", 16, 1, std::move(significand));
  table.add("exponent", 16, 1, std::move(exponent));
  table.add("is_nan", 4, 1, std::move(is_nan));
  return table;
}

VectorTable accumulate(const UnitRequest& r) {
  if (r.datapath->kind != Accumulation::fused && r.datapath->kind != Accumulation::blockwise)
    throw UsageError("the unit accumulate adds the sum of a block, as fused and blockwise do; '" +
                     std::string(r.datapath->name) + "' does not");
  const int64_t count = r.kind == "random" && r.count == 0 ? 1000 : r.count;
  const auto make = r.kind == "random"     ? random_vectors
                    : r.kind == "directed" ? directed_vectors
                                           : exhaustive_vectors;
  Vectors v = make(*r.a, *r.b, *r.datapath, count, r.seed);
  constexpr int sum_bytes = 10;
  Bytes sums, special;
  int unit_log2 = 0;
  for (size_t i = 0; i < v.count(); ++i) {
    const auto block = size_t(v.block);
    const BlockSum sum = block_sum(*r.a->element, std::span(v.codes_a).subspan(i * block, block),
                                   *r.b->element, std::span(v.codes_b).subspan(i * block, block));
    unit_log2 = sum.unit_log2;
    special.push_back(sum.is_nan ? 1 : sum.infinity > 0 ? 2 : sum.infinity < 0 ? 3 : 0);
    for (int byte = 0; byte < sum_bytes; ++byte)
      sums.push_back(special.back() == 0 ? uint8_t(sum.units >> (8 * byte)) : uint8_t(0));
  }
  VectorTable table = table_for(r, "accumulate", v.count());
  table.header["datapath"] = r.datapath->name;
  table.header["unit_log2"] = std::to_string(unit_log2);
  table.numbers.push_back("unit_log2");
  table.add("sum", 8, sum_bytes, std::move(sums));
  table.add("special", 4, 1, std::move(special));
  table.add("scale_a", 8, 1, std::move(v.scale_a));
  table.add("scale_b", 8, 1, std::move(v.scale_b));
  table.add("acc_in", 32, 1, std::move(v.acc_in));
  table.add("acc_out", 32, 1, std::move(v.acc_out));
  return table;
}

// --- quantize

// Blocks of elements, filled up with +0.
struct Blocks {
  size_t block;
  std::vector<float> x = {};
  void add(std::span<const float> elements) {
    x.insert(x.end(), elements.begin(), elements.end());
    x.resize((x.size() + block - 1) / block * block);
  }
};

// Each tie between two codes and its neighbours, beside the largest number: under the rules floor
// and roundup the scale is 1. Then the largest magnitude at the edges of binades and of the rules,
// alone and beside a hundredth of it; zeros, subnormals, the largest number, Inf and NaN.
void add_directed(Blocks& blocks, const ElementFormat& f) {
  const auto value = [&](uint32_t code) {
    return std::ldexp(float(f.magnitude_units(code)), f.unit_log2());
  };
  std::vector<float> row{value(f.max_code())};
  for (uint32_t code = 0; code < f.max_code(); ++code) {
    const auto tie = std::bit_cast<uint32_t>((value(code) + value(code + 1)) / 2);
    for (uint32_t bits : {tie - 1, tie, tie + 1})
      row.push_back(std::bit_cast<float>(bits | (bits % 2 == 0 ? binary32::sign_mask : 0)));
    if (row.size() + 3 <= blocks.block && code + 1 < f.max_code()) continue;
    blocks.add(row);
    row.resize(1);
  }
  const uint32_t last = 1u << (binary32::mantissa_bits - f.mantissa_bits);
  for (uint32_t biased : {0u, 1u, 2u, 3u, 64u, 126u, 127u, 128u, 129u, 200u, 252u, 253u, 254u})
    for (uint32_t fraction : {0u, 1u, last, last / 2, 0x800000 - last / 2, 0x7FFFFF - last / 2,
                              0x800000 - last, 0x800001 - last, 0x400000u, 0x7FFFFFu}) {
      const auto largest = std::bit_cast<float>(biased << 23 | (fraction & 0x7FFFFF));
      blocks.add(std::array{-largest});
      blocks.add(std::array{largest, largest * 0.01f, -largest * 0.3f, largest * 0.5f});
    }
  const float infinity = std::bit_cast<float>(binary32::infinity);
  const float nan = std::bit_cast<float>(0x7F800001u);
  for (const auto& odd : {std::array{0.0f, -0.0f},
                          {1.0f, infinity},
                          {-infinity, 1.0f},
                          {nan, 1.0f},
                          {1e-45f, -1e-45f},
                          {1e-40f, 1e-45f},
                          {3e38f, -1e-45f}})
    blocks.add(odd);
}

void add_random(Blocks& blocks, size_t count, uint64_t seed) {
  Stimulus stimulus(seed);
  for (size_t i = 0; i < count; ++i) {
    const uint64_t top = stimulus.below(255), spread = 1 + stimulus.below(24);
    std::vector<float> row(blocks.block);
    for (float& v : row) {
      const uint64_t exponent = top - std::min(top, stimulus.below(spread));
      uint32_t bits = (uint32_t(stimulus.word()) & 0x807FFFFF) | uint32_t(exponent) << 23;
      if (stimulus.below(4) == 0) bits &= 0xFFF00000;  // a tie of some format
      v = std::bit_cast<float>(bits);
    }
    if (stimulus.below(32) == 0)
      row[stimulus.below(row.size())] = std::bit_cast<float>(binary32::infinity);
    blocks.add(row);
  }
}

VectorTable quantize_unit(const UnitRequest& r) {
  Conversion c = r.conversion;
  c.seed = r.seed;
  check_conversion(c);
  Blocks blocks{size_t(c.block)};
  if (r.kind == "directed")
    add_directed(blocks, *c.format->element);
  else
    add_random(blocks, r.count == 0 ? 1000 : size_t(r.count), r.seed);
  const size_t count = at_most(r, blocks.x.size() / blocks.block);
  blocks.x.resize(count * blocks.block);
  // Each block has a g of its own. Of a stochastic rounding they follow each other in one tensor,
  // and the random words are inputs of the unit.
  const bool has_g = c.format->has_tensor_scale();
  Bytes codes(blocks.x.size()), scales;
  Words bits, g, random;
  for (size_t i = 0; c.rounding->stochastic && i < blocks.x.size(); ++i)
    random.push_back(philox::word(c.seed, i));
  for (float v : blocks.x) bits.push_back(std::bit_cast<uint32_t>(v));
  for (size_t i = 0; i < count; ++i) {
    const auto x = std::span<const float>(blocks.x).subspan(i * blocks.block, blocks.block);
    BlockPlace place{.first_element = i * blocks.block};
    if (has_g) place.tensor_scale = tensor_scale_ref(x, c.block, *c.format);
    g.push_back(std::bit_cast<uint32_t>(place.tensor_scale));
    scales.push_back(
        quantize_block_ref(x, c, std::span(codes).subspan(i * blocks.block, blocks.block), place));
  }
  VectorTable table = table_for(r, "quantize", count);
  table.header["block"] = std::to_string(c.block);
  table.header["rounding"] = c.rounding->name;
  if (!has_g) {
    table.header["scale_rule"] = c.rule->name;
    table.header["prescale"] = to_string(c.prescale);
    if (c.relabel) table.header["relabel"] = "true";
  }
  table.numbers.push_back("block");
  table.add("x", 32, c.block, std::move(bits));
  if (c.rounding->stochastic) table.add("random", 32, c.block, std::move(random));
  if (has_g) table.add("tensor_scale", 32, 1, std::move(g));
  table.add("codes", c.format->element->bits(), c.block, std::move(codes));
  table.add("scale", 8, 1, std::move(scales));
  return table;
}

}  // namespace

const std::array<Unit, 9> units{
    Unit{"decode", 1, "exhaustive", decode},
    Unit{"multiply", 2, "exhaustive", multiply},
    Unit{"scale_product", 2, "exhaustive", scale_product},
    Unit{"accumulate", 2, "directed, exhaustive, random", accumulate},
    Unit{"quantize", 1, "directed, random", quantize_unit},
    Unit{"rms_norm", 0, "directed, random, model", rms_norm_unit},
    Unit{"softmax", 0, "directed, random, model", softmax_unit},
    Unit{"gated_silu", 0, "directed, random, model", gated_silu_unit},
    Unit{"rotary", 0, "directed, random, model", rotary_unit},
};

}  // namespace mxref
