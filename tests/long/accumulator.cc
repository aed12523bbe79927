// The accumulator's rounding for all 2^32 values of the accumulator, against the host's binary64,
// which holds each sum exactly or rounds it to odd; and the last step to 16 bits.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "emu/binary32.h"
#include "emu/dot.h"
#include "tests/long/long_suite.h"

namespace mxref::long_suite {
namespace {

constexpr int64_t slice_inputs = int64_t(1) << 22;
constexpr int64_t slices_of_a_case = (int64_t(1) << 32) / slice_inputs;

uint32_t bits_of(float x) { return std::isnan(x) ? 0x7FC00000 : std::bit_cast<uint32_t>(x); }

// The double sum of two numbers, rounded to odd: then rounding it to binary32 is as if it were the
// only rounding (Boldo and Melquiond, 2008).
double sum_to_odd(double x, double y) {
  double sum = x + y;
  if (!std::isfinite(sum)) return sum;
  const double of_y = sum - x;
  const double error = (x - (sum - of_y)) + (y - of_y);
  if (error != 0 && std::bit_cast<uint64_t>(sum) % 2 == 0)
    sum = std::nextafter(sum, error > 0 ? INFINITY : -INFINITY);
  return sum;
}

// --- one block of e4m3, its products and scales as binary64

struct Operands {
  std::array<uint8_t, 2> a, b;
  uint8_t scale_a, scale_b;
  std::array<double, 2> products;  // scaled
};
// Two products that leave a far smaller rest; half of the least subnormal and more; near the
// greatest number.
const std::array operands{
    Operands{{0x7E, 0x81}, {0xFE, 0x01}, 100, 110, {-448.0 * 448.0 * 0x1p-44, -0x1p-62}},
    Operands{{0x38, 0x38}, {0x38, 0x30}, 52, 53, {0x1p-149, 0x1p-150}},
    Operands{{0x7E, 0x7E}, {0x38, 0x39}, 245, 127, {448.0 * 0x1p118, 448.0 * 1.125 * 0x1p118}},
};

float flushed(const Datapath& d, float x) {
  return d.ftz && std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x;
}

// Sums that are not zero have the products' sign, and no accumulator is -0 under a sum of 0: the
// zero rules are IEEE's here.
float expected_ieee(const Datapath& d, float acc, const Operands& o) {
  const double block = o.products[0] + o.products[1];
  if (d.kind == Accumulation::blockwise) return flushed(d, acc + flushed(d, float(block)));
  if (d.kind != Accumulation::sequential) return flushed(d, float(sum_to_odd(acc, block)));
  for (double product : o.products) acc = flushed(d, float(sum_to_odd(acc, product)));
  return acc;
}

// |x| toward zero to a multiple of 2^unit_log2.
double truncated(double x, int unit_log2) {
  return std::ldexp(std::trunc(std::ldexp(x, -unit_log2)), unit_log2);
}

// A block's products in one step, of elements that are normal.
uint32_t expected_aligned(const Datapath& d, float acc, const Operands& o) {
  if (std::isnan(acc)) return 0x7FFFFFFF;
  if (std::isinf(acc)) return std::bit_cast<uint32_t>(acc);
  const Alignment& g = d.alignment;
  const auto exponent_of_element = [](uint8_t code) { return std::max(code >> 3 & 15, 1) - 7; };
  int greatest = acc == 0 ? g.e_zero : std::max(std::ilogb(acc), -126);
  for (size_t i = 0; i < 2; ++i)
    if (o.products[i] != 0)
      greatest = std::max(greatest, o.scale_a + o.scale_b - 254 + exponent_of_element(o.a[i]) +
                                        exponent_of_element(o.b[i]));
  const int unit = greatest - g.fraction_bits;
  double sum = truncated(acc, unit);
  for (double product : o.products) sum += truncated(product, unit);
  const int top = sum == 0 ? 0 : std::ilogb(sum);
  const int kept = g.output == SumRounding::rz13 ? 13 : 23;
  const double result = truncated(sum, std::max(top, -126) - kept);
  return result == 0 ? 0 : std::bit_cast<uint32_t>(float(result));  // exact, or infinite
}

uint32_t on_block(const Datapath& d, uint32_t acc, const Operands& o) {
  static const BlockFormat& format = block_format("mxfp8_e4m3");
  return dot_ref(d, acc, {&format, 32, o.a, {&o.scale_a, 1}}, {&format, 32, o.b, {&o.scale_b, 1}});
}

// --- cases: a step with operands, or a 16-bit format

struct Step {
  const char* datapath;
  size_t operands;
};
const std::array steps{
    Step{"fused", 0},           Step{"fused", 1},
    Step{"fused", 2},           Step{R"({"kind":"fused","ftz":true})", 1},
    Step{"blockwise", 0},       Step{"blockwise", 1},
    Step{"sequential", 0},      Step{"sequential", 1},
    Step{"tensorcore_mxf8", 0}, Step{"tensorcore_mxf8", 2},
    Step{"hopper_fp8", 0},
};
constexpr size_t cases = steps.size() + 2;

// Of the aligned ones a step takes the two products and no padding, which costs the definition
// ten times as much.
Datapath datapath_of(const Step& step) {
  Datapath d = datapath(step.datapath);
  if (d.kind == Accumulation::aligned) d.alignment.terms = 2;
  return d;
}

// A 16-bit format by the list of its values.
class Numbers16 {
 public:
  Numbers16(int fraction_bits, int bias) : quiet_bit_(1u << (fraction_bits - 1)) {
    const uint32_t infinity = (1u << 15) - (1u << fraction_bits);
    for (uint32_t code = 0; code <= infinity; ++code) {
      const auto E = int(code >> fraction_bits);
      const double M = std::ldexp(code & ((1u << fraction_bits) - 1), -fraction_bits);
      values_.push_back(E ? std::ldexp(1 + M, E - bias) : std::ldexp(M, 1 - bias));
    }
  }
  // Ties go to the even code.
  uint32_t nearest(float x) const {
    const auto infinity = uint32_t(values_.size() - 1);
    if (std::isnan(x)) return infinity | quiet_bit_;
    const uint32_t sign = std::signbit(x) ? 0x8000 : 0;
    const double magnitude = std::fabs(double(x));
    const auto above = std::upper_bound(values_.begin(), values_.end(), magnitude);
    const auto low = uint32_t(above - values_.begin() - 1);
    if (low == infinity) return sign | infinity;
    const double twice = 2 * magnitude, sum = values_[low] + values_[low + 1];
    return sign | (low + (twice > sum || (twice == sum && low % 2 == 1)));
  }

 private:
  uint32_t quiet_bit_;
  std::vector<double> values_;
};
const Numbers16 bfloat16(7, 127), binary16(10, 15);

struct Pair {
  uint32_t expected, got;
};
Pair results(size_t case_index, const Datapath& d, uint32_t bits) {
  const auto x = std::bit_cast<float>(bits);
  if (case_index == steps.size()) return {bfloat16.nearest(x), binary32::to_bfloat16_rne(bits)};
  if (case_index > steps.size()) return {binary16.nearest(x), binary32::to_binary16_rne(bits)};
  const Operands& o = operands[steps[case_index].operands];
  const uint32_t expected =
      d.kind == Accumulation::aligned ? expected_aligned(d, x, o) : bits_of(expected_ieee(d, x, o));
  return {expected, on_block(d, bits, o)};
}

SliceResult compare(int64_t slice, uint32_t planted) {
  const auto case_index = size_t(slice / slices_of_a_case);
  const auto begin = uint64_t(slice % slices_of_a_case) * slice_inputs;
  const bool is_step = case_index < steps.size();
  const Datapath d = is_step ? datapath_of(steps[case_index]) : Datapath{};
  SliceResult result;
  for (uint64_t bits = begin; bits < begin + slice_inputs; ++bits) {
    const Pair pair = results(case_index, d, uint32_t(bits));
    ++result.compared;
    if (pair.expected == (pair.got ^ planted)) continue;
    if (result.mismatches++ == 0)
      result.first_mismatch = fmt::format(
          "{}: accumulator 0x{:08x}: expected 0x{:08x}, got 0x{:08x}",
          is_step ? fmt::format("{}, operands {}", d.name, steps[case_index].operands) : "16 bits",
          bits, pair.expected, pair.got);
  }
  return result;
}

}  // namespace

Part accumulator_part() {
  return {
      "accumulator",
      fmt::format("all 2^32 accumulators in {} sums (datapath and operands) and both conversions "
                  "to 16 bits, against binary64",
                  steps.size()),
      slices_of_a_case * int64_t(cases), [](int64_t slice) { return compare(slice, 0); },
      [] { return compare(254, 1).mismatches > 0; }};
}

}  // namespace mxref::long_suite
