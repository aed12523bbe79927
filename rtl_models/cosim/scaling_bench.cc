
#include "rtl_models/cosim/scaling_bench.h"
#include <verilated.h>
#include <algorithm>
#include <array>
#include <sstream>
#include "emu/scale_product.h"
#include "emu/vectors/stimulus.h"
#include "rtl_models/cosim/waves.h"
#include "rtl_models/engine/verilated_coverage.h"
#include "rtl_models/engine/verilated_waves.h"
#include "rtl_models/rtl/faults.h"
#include "Ve8m0_scaling_unit.h"

namespace mxref {
namespace {

constexpr int sum_bits = 42;  // as the unit is built
constexpr int64_t largest = (int64_t(1) << (sum_bits - 1)) - 1;
// Of each pair of scale codes; the directed ones in turn.
constexpr size_t directed_sums_each = 19, random_sums_each = 5;

// What a pair of formats has to do with the unit: the weight of the lowest bit of its sums.
std::vector<std::pair<const BlockFormat*, const BlockFormat*>> format_pairs() {
  std::vector<std::pair<const BlockFormat*, const BlockFormat*>> pairs;
  for (const BlockFormat& a : block_formats)
    for (const BlockFormat& b : block_formats)
      if (a.scale == &e8m0_scale && b.scale == &e8m0_scale) pairs.push_back({&a, &b});
  return pairs;
}

// Magnitudes: powers of two, with all bits below them, ties to even of both kinds and their
// neighbours.
std::vector<int64_t> directed_sums() {
  std::vector<int64_t> sums{0};
  for (int bit = 0; bit < sum_bits - 1; ++bit) {
    const int64_t power = int64_t(1) << bit;
    sums.insert(sums.end(), {power, 2 * power - 1});
    if (bit < 24) continue;
    const int64_t half = power >> 24;  // of the last place of 24 bits
    for (const int64_t tie : {power + half, power + 3 * half, 2 * power - half})
      sums.insert(sums.end(), {tie - 1, tie, tie + 1});
  }
  std::erase_if(sums, [](int64_t sum) { return sum > largest; });
  return sums;
}

struct Operands {
  const BlockFormat *format_a, *format_b;
  uint8_t scale_a, scale_b;
  int64_t sum;
};

uint32_t expected(const Operands& in) {
  const ScaleProduct x = scale_product(e8m0_scale, in.scale_a, e8m0_scale, in.scale_b);
  if (x.is_nan) return binary32::canonical_nan;
  const BlockSum sum{
      .units = in.sum,
      .unit_log2 = in.format_a->element->unit_log2() + in.format_b->element->unit_log2()};
  const binary32::Real t = term_of(sum, x);
  return binary32::round_rne(t.negative, t.magnitude, t.exponent);
}

class ScalingBench {
 public:
  ScalingBench(uint64_t seed, uint8_t fault) : seed_(seed), random_(seed), unit_(&context_) {
    unit_.fault_i = fault;
    unit_.rst_ni = false;
    clock();
    unit_.rst_ni = true;
  }
  ~ScalingBench() {
    Verilated::threadContextp(&context_);  // as VerilatedArray's
    unit_.final();
  }

  void run(ScalingBenchResult& result) {
    const auto pairs = format_pairs();
    const std::vector<int64_t> directed = directed_sums();
    size_t next = 0;
    for (int a = 0; a < 256; ++a)
      for (int b = 0; b < 256; ++b) {
        const auto check = [&](int64_t magnitude) {
          const auto [format_a, format_b] = pairs[random_.below(pairs.size())];
          const int64_t sum = random_.below(2) ? -magnitude : magnitude;
          compare({format_a, format_b, uint8_t(a), uint8_t(b), sum}, result);
        };
        for (size_t i = 0; i < directed_sums_each; ++i) {
          check(directed[next]);
          next = (next + 1) % directed.size();
        }
        for (size_t i = 0; i < random_sums_each; ++i)
          check(int64_t(random_.word() >> 23) >> random_.below(sum_bits - 1));
        if (result.mismatches) return;
      }
  }
  void open_waves_at(int64_t cycle, const std::filesystem::path& file) {
    waves_from_ = cycle;
    waves_file_ = file;
  }
  std::string coverage() { return coverage_data(context_); }

 private:
  void compare(const Operands& in, ScalingBenchResult& result) {
    if (result.compared == waves_from_) waves_.open(unit_, waves_file_);
    unit_.valid_i = true;
    unit_.sum_i = uint64_t(in.sum) & ((uint64_t(1) << sum_bits) - 1);
    unit_.a_scale_i = in.scale_a;
    unit_.b_scale_i = in.scale_b;
    unit_.a_unit_log2_i = uint8_t(in.format_a->element->unit_log2());
    unit_.b_unit_log2_i = uint8_t(in.format_b->element->unit_log2());
    clock();
    ++result.compared;
    const uint32_t value = expected(in);
    if ((unit_.valid_o && unit_.value_o == value) || result.mismatches) return;
    result.mismatches = 1;
    std::ostringstream text;
    text << "scaling, seed " << seed_ << ", cycle " << result.compared
         << ", signal value_o: " << std::hex << "expected 0x" << value
         << " by the definition, got 0x" << unit_.value_o << "\n  " << in.format_a->name << " × "
         << in.format_b->name << ", scale codes 0x" << int(in.scale_a) << " and 0x"
         << int(in.scale_b) << ", sum " << std::dec << in.sum;
    result.failure = text.str();
  }
  void clock() {
    for (const bool level : {false, true}) {
      unit_.clk_i = level;
      unit_.eval();
      waves_.after_eval();
    }
  }

  uint64_t seed_;
  Stimulus random_;
  VerilatedContext context_;
  Ve8m0_scaling_unit unit_;
  VerilatedWaves waves_{context_};
  int64_t waves_from_ = -1;
  std::filesystem::path waves_file_;
};

}  // namespace

ScalingBenchResult run_scaling_bench(uint64_t seed, uint8_t fault,
                                     const std::filesystem::path& waves) {
  ScalingBenchResult result;
  ScalingBench bench(seed, fault);
  bench.run(result);
  if (result.mismatches && !waves.empty()) {
    ScalingBenchResult again;
    ScalingBench repeated(seed, fault);
    repeated.open_waves_at(first_cycle_of_waves(result.compared), waves);
    repeated.run(again);
  }
  result.coverage_data = bench.coverage();
  return result;
}

std::vector<uint8_t> scaling_faults() {
  std::vector<uint8_t> numbers;
  for (std::string_view name : {"scale_code_zero", "scale_product_saturates", "round_subnormal",
                                "round_overflow", "tie_away"})
    numbers.push_back(uint8_t(1 + (&find_by_name(faults, "fault", name) - faults.data())));
  return numbers;
}

}  // namespace mxref
