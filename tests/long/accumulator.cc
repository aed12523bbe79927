// The accumulator's rounding for all 2^32 values of the accumulator, against the host's binary64,
// which holds each sum exactly or rounds it to odd; and the last step to 16 bits.

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>

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

// A block's products in one step, of elements that are normal; the padding has e_zero.
uint32_t expected_aligned(const Datapath& d, float acc, const Operands& o) {
  if (std::isnan(acc)) return 0x7FFFFFFF;
  if (std::isinf(acc)) return std::bit_cast<uint32_t>(acc);
  const Alignment& g = d.alignment;
  const auto exponent_of_element = [](uint8_t code) { return std::max(code >> 3 & 15, 1) - 7; };
  int greatest = acc == 0 ? g.e_zero : std::max(std::ilogb(acc), -126);
  greatest = std::max(greatest, g.e_zero);
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

// --- cases: a datapath and operands, or a 16-bit format

const std::array datapath_names{"fused",           "blockwise",  "sequential",
                                "tensorcore_mxf8", "hopper_fp8", R"({"kind":"fused","ftz":true})"};
constexpr size_t block_cases = datapath_names.size() * operands.size();
constexpr size_t cases = block_cases + 2;

// The nearest number of a 16-bit format by its list of values; ties to the even code.
uint32_t nearest_16(float x, int fraction_bits, int bias) {
  const uint32_t infinity = (1u << 15) - (1u << fraction_bits);
  if (std::isnan(x)) return infinity | 1u << (fraction_bits - 1);
  const uint32_t sign = std::signbit(x) ? 0x8000 : 0;
  const double magnitude = std::fabs(double(x));
  const auto value = [&](uint32_t code) {
    const auto E = int(code >> fraction_bits);
    const double M = std::ldexp(code & ((1u << fraction_bits) - 1), -fraction_bits);
    return E ? std::ldexp(1 + M, E - bias) : std::ldexp(M, 1 - bias);
  };
  uint32_t low = 0, end = infinity + 1;
  while (end - low > 1) {
    const uint32_t middle = (low + end) / 2;
    (value(middle) <= magnitude ? low : end) = middle;
  }
  if (low == infinity) return sign | infinity;
  const double twice = 2 * magnitude, sum = value(low) + value(low + 1);
  return sign | (low + (twice > sum || (twice == sum && low % 2 == 1)));
}

struct Pair {
  uint32_t expected, got;
};
Pair results(size_t case_index, const Datapath& d, uint32_t bits) {
  const auto x = std::bit_cast<float>(bits);
  if (case_index == block_cases) return {nearest_16(x, 7, 127), binary32::to_bfloat16_rne(bits)};
  if (case_index > block_cases) return {nearest_16(x, 10, 15), binary32::to_binary16_rne(bits)};
  const Operands& o = operands[case_index / datapath_names.size()];
  const uint32_t expected =
      d.kind == Accumulation::aligned ? expected_aligned(d, x, o) : bits_of(expected_ieee(d, x, o));
  return {expected, on_block(d, bits, o)};
}

SliceResult compare(int64_t slice, uint32_t planted) {
  const auto case_index = size_t(slice / slices_of_a_case);
  const auto begin = uint64_t(slice % slices_of_a_case) * slice_inputs;
  const Datapath& d = datapath(datapath_names[case_index % datapath_names.size()]);
  SliceResult result;
  for (uint64_t bits = begin; bits < begin + slice_inputs; ++bits) {
    const Pair pair = results(case_index, d, uint32_t(bits));
    ++result.compared;
    if (pair.expected == (pair.got ^ planted)) continue;
    if (result.mismatches++ == 0)
      result.first_mismatch = fmt::format(
          "case {} ({}): accumulator 0x{:08x}: expected 0x{:08x}, got 0x{:08x}", case_index,
          case_index < block_cases
              ? fmt::format("{}, operands {}", datapath_names[case_index % datapath_names.size()],
                            case_index / datapath_names.size())
              : "16 bits",
          bits, pair.expected, pair.got);
  }
  return result;
}

}  // namespace

Part accumulator_part() {
  return {
      "accumulator",
      fmt::format("all 2^32 accumulators in {} sums (datapaths × operands) and both conversions "
                  "to 16 bits, against binary64",
                  block_cases),
      slices_of_a_case * int64_t(cases), [](int64_t slice) { return compare(slice, 0); },
      [] { return compare(254, 1).mismatches > 0; }};
}

}  // namespace mxref::long_suite
