#include "emu/audit/float_sums.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "emu/binary32.h"

namespace mxref {
namespace {

using Values = std::span<const float>;

float multiply_add(float a, float b, float sum) { return a * b + sum; }  // two roundings
float fused_multiply_add(float a, float b, float sum) { return std::fma(a, b, sum); }
using Step = float (*)(float a, float b, float sum);

template <Step step>
float ascending(Values a, Values b, int, float sum) {
  for (size_t i = 0; i < a.size(); ++i) sum = step(a[i], b[i], sum);
  return sum;
}
template <Step step>
float descending(Values a, Values b, int, float sum) {
  for (size_t i = a.size(); i-- > 0;) sum = step(a[i], b[i], sum);
  return sum;
}

// Vector registers: lane l adds elements l, l + lanes, …; then halves of the lanes are added.
template <Step step, size_t lanes>
float in_lanes(Values a, Values b, int, float start) {
  std::array<float, lanes> sums{};
  for (size_t i = 0; i < a.size(); ++i) sums[i % lanes] = step(a[i], b[i], sums[i % lanes]);
  for (size_t half = lanes / 2; half > 0; half /= 2)
    for (size_t l = 0; l < half; ++l) sums[l] += sums[l + half];
  return sums[0] + start;
}

float of_halves(Values a, Values b) {
  if (a.size() == 1) return a[0] * b[0];
  const size_t half = std::bit_ceil(a.size()) / 2;
  return of_halves(a.first(half), b.first(half)) + of_halves(a.subspan(half), b.subspan(half));
}
float tree(Values a, Values b, int, float start) { return of_halves(a, b) + start; }

// Each block by itself, then their sums.
template <Step step>
float block_sums(Values a, Values b, int block, float sum) {
  for (size_t first = 0; first < a.size(); first += size_t(block)) {
    const size_t count = std::min(size_t(block), a.size() - first);
    sum += ascending<step>(a.subspan(first, count), b.subspan(first, count), block, 0);
  }
  return sum;
}

float in_binary64(Values a, Values b, int, float start) {
  double sum = start;
  for (size_t i = 0; i < a.size(); ++i) sum += double(a[i]) * double(b[i]);
  return float(sum);
}

float to_bfloat16(float x) {
  return std::bit_cast<float>(uint32_t(binary32::to_bfloat16_rne(std::bit_cast<uint32_t>(x)))
                              << 16);
}
float bfloat16_product(float a, float b, float sum) {
  return to_bfloat16(a) * to_bfloat16(b) + sum;
}
float bfloat16_all(float a, float b, float sum) {
  return to_bfloat16(to_bfloat16(to_bfloat16(a) * to_bfloat16(b)) + sum);
}

}  // namespace

const std::array<FloatSum, 20> float_sums{
    FloatSum{"fake_quant_bf16",
             "bfloat16 operands, binary32 products added in ascending order, a result of 16 bits",
             ascending<bfloat16_product>, true, ResultBits::sixteen},
    FloatSum{"fake_quant", "binary32 products, each added in ascending order",
             ascending<multiply_add>},
    FloatSum{"bfloat16_operands", "bfloat16 operands, binary32 products added in ascending order",
             ascending<bfloat16_product>, true, ResultBits::thirty_two},
    FloatSum{"bfloat16_sum", "every product and sum rounded to bfloat16, ascending",
             ascending<bfloat16_all>},
    FloatSum{"fma_ascending", "binary32 fused multiply-adds in ascending order",
             ascending<fused_multiply_add>},
    FloatSum{"descending", "binary32 products added in descending order", descending<multiply_add>},
    FloatSum{"fma_descending", "binary32 fused multiply-adds in descending order",
             descending<fused_multiply_add>},
    FloatSum{"tree", "binary32 products added as a binary tree", tree, false},
    FloatSum{"lanes_4", "binary32 products in 4 lanes", in_lanes<multiply_add, 4>, false},
    FloatSum{"lanes_8", "binary32 products in 8 lanes", in_lanes<multiply_add, 8>, false},
    FloatSum{"lanes_16", "binary32 products in 16 lanes", in_lanes<multiply_add, 16>, false},
    FloatSum{"lanes_32", "binary32 products in 32 lanes", in_lanes<multiply_add, 32>, false},
    FloatSum{"fma_lanes_4", "fused multiply-adds in 4 lanes", in_lanes<fused_multiply_add, 4>,
             false},
    FloatSum{"fma_lanes_8", "fused multiply-adds in 8 lanes", in_lanes<fused_multiply_add, 8>,
             false},
    FloatSum{"fma_lanes_16", "fused multiply-adds in 16 lanes", in_lanes<fused_multiply_add, 16>,
             false},
    FloatSum{"fma_lanes_32", "fused multiply-adds in 32 lanes", in_lanes<fused_multiply_add, 32>,
             false},
    FloatSum{"float_blocks", "binary32 sums of each block, then their sum",
             block_sums<multiply_add>},
    FloatSum{"fma_blocks", "fused multiply-adds in each block, then the sum of the blocks",
             block_sums<fused_multiply_add>},
    FloatSum{"binary64", "a binary64 sum in ascending order, rounded once at its end", in_binary64},
    FloatSum{"binary64_blocks", "a binary64 sum of each block, added in binary32",
             [](Values a, Values b, int block, float sum) {
               for (size_t first = 0; first < a.size(); first += size_t(block)) {
                 const size_t count = std::min(size_t(block), a.size() - first);
                 sum += in_binary64(a.subspan(first, count), b.subspan(first, count), block, 0);
               }
               return sum;
             }},
};

}  // namespace mxref
