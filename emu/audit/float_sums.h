#pragma once
// Σ a_i·b_i of dequantized values as software sums it in floating point: the orders and widths that
// libraries use. These imitate software, so here alone emu computes in float.

#include <array>
#include <span>
#include <string_view>

namespace mxref {

// Results of which a sum is a hypothesis.
enum class ResultBits { any, sixteen, thirty_two };

struct FloatSum {
  std::string_view name;
  std::string_view what;
  // a, b of equal count; block: elements of one scale.
  float (*sum)(std::span<const float> a, std::span<const float> b, int block, float start);
  bool takes_start = true;  // whether C may be the start of the sum; else it is added last
  ResultBits results = ResultBits::any;
};
extern const std::array<FloatSum, 20> float_sums;

}  // namespace mxref
