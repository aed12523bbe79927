#include "rtl_models/cosim/scaling_bench.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "emu/scale_product.h"
#include "emu/vectors/stimulus.h"
#include "rtl_models/cosim/waves.h"
#include "rtl_models/rtl/faults.h"

namespace mxref {
namespace {

constexpr uint64_t random_sum_of =
    5;  // one sum of so many is random, the others are directed in turn

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
std::vector<int64_t> directed_sums(int sum_bits) {
  const int64_t largest = (int64_t(1) << (sum_bits - 1)) - 1;
  std::vector<int64_t> sums{0};
  for (int bit = 0; bit < sum_bits - 1; ++bit) {
    const int64_t power = int64_t(1) << bit;
    sums.insert(sums.end(), {power, 2 * power - 1});
    if (bit < 24) continue;
    const int64_t half = power >> 24;  // of the last place of 24 bits
    for (const int64_t tie : {power + half, power + 3 * half, 2 * power - half})
      sums.insert(sums.end(), {tie - 1, tie, tie + 1});
  }
  std::erase_if(sums, [&](int64_t sum) { return sum > largest; });
  return sums;
}

struct Operands {
  const BlockFormat *format_a, *format_b;
  uint8_t scale_a, scale_b;
  int64_t sum;
};

uint32_t expected(const ScalingDesign& design, const Operands& in) {
  const ScaleProduct x = scale_product(e8m0_scale, in.scale_a, e8m0_scale, in.scale_b);
  if (x.is_nan) return binary32::canonical_nan;
  const BlockSum sum{
      .units = in.sum,
      .unit_log2 = in.format_a->element->unit_log2() + in.format_b->element->unit_log2()};
  const binary32::Real t = term_of(sum, x);
  const uint32_t rounded =
      design.rounding == SumRounding::rne
          ? binary32::round_rne(t.negative, t.magnitude, t.exponent)
          : binary32::truncate(t.negative, t.magnitude, t.exponent,
                               design.rounding == SumRounding::rz13 ? 13 : binary32::mantissa_bits);
  const bool is_flushed = design.ftz && (rounded & binary32::infinity) == 0;
  return is_flushed ? rounded & binary32::sign_mask : rounded;
}

class ScalingBench {
 public:
  ScalingBench(const ScalingBenchOptions& options, std::unique_ptr<ScalingUnit> unit, uint8_t fault)
      : options_(options), random_(options.seed), unit_(std::move(unit)) {
    pins_.fault = fault;
    pins_.rst_n = false;
    unit_->clock(pins_);
    pins_.rst_n = true;
  }

  void run(ScalingBenchResult& result) {
    const auto pairs = format_pairs();
    for (int a = 0; a < 256; ++a)
      for (int b = 0; b < 256; ++b)
        for (const auto& [format_a, format_b] : pairs)
          for (int64_t i = 0; i < options_.sums; ++i) {
            compare({format_a, format_b, uint8_t(a), uint8_t(b), next_sum()}, result);
            if (result.mismatches) return;
          }
  }
  void open_waves_at(int64_t cycle) { waves_from_ = cycle; }
  std::string coverage() { return unit_->coverage(); }

 private:
  int64_t next_sum() {
    int64_t magnitude;
    if (random_.below(random_sum_of) == 0) {
      magnitude = int64_t(random_.word() >> (65 - bits())) >> random_.below(uint64_t(bits()) - 1);
    } else {
      magnitude = directed_[next_];
      next_ = (next_ + 1) % directed_.size();
    }
    return random_.below(2) ? -magnitude : magnitude;
  }
  int bits() const { return options_.design.sum_bits; }
  uint64_t pins_of(uint64_t sum) const { return sum & ((uint64_t(1) << bits()) - 1); }
  void put(const Operands& in) {
    pins_.sum = pins_of(uint64_t(in.sum));
    pins_.a_scale = in.scale_a;
    pins_.b_scale = in.scale_b;
    pins_.a_unit_log2 = int8_t(in.format_a->element->unit_log2());
    pins_.b_unit_log2 = int8_t(in.format_b->element->unit_log2());
  }

  void compare(const Operands& in, ScalingBenchResult& result) {
    const uint64_t thousand = 1000;
    if (random_.below(2 * thousand) < uint64_t(options_.gaps * thousand)) leave_gap(in, result);
    if (result.mismatches) return;
    put(in);
    pins_.valid = true;
    step(result);
    ++result.compared;
    last_ = expected(options_.design, in);
    holds_value_ = true;
    check("valid_o", 1, unit_->valid(), in, result);
    check("value_o", last_, unit_->value(), in, result);
  }
  // Nothing comes, or a reset, in which what comes is not taken: valid falls. Where nothing came
  // the value stays. What is on the pins is noise. `in`: what comes after it.
  void leave_gap(const Operands& in, ScalingBenchResult& result) {
    pins_.rst_n = random_.below(8) != 0;
    pins_.valid = !pins_.rst_n && random_.below(2);
    pins_.sum = pins_of(random_.word());
    pins_.a_scale = uint8_t(random_.word());
    pins_.b_scale = uint8_t(random_.word());
    pins_.a_unit_log2 = int8_t(random_.word());
    pins_.b_unit_log2 = int8_t(random_.word());
    step(result);
    check("valid_o", 0, unit_->valid(), in, result);
    if (!pins_.valid && holds_value_) check("value_o", last_, unit_->value(), in, result);
    holds_value_ &= !pins_.valid;
    pins_.rst_n = true;
  }
  void check(const char* signal, uint32_t by_definition, uint32_t got, const Operands& in,
             ScalingBenchResult& result) {
    if (by_definition == got || result.mismatches) return;
    result.mismatches = 1;
    std::ostringstream text;
    text << "scaling, seed " << options_.seed << ", cycle " << result.cycles << ", signal "
         << signal << std::hex << ": expected 0x" << by_definition << " by the definition, got 0x"
         << got << "\n  " << in.format_a->name << " × " << in.format_b->name << ", scale codes 0x"
         << int(in.scale_a) << " and 0x" << int(in.scale_b) << ", sum " << std::dec << in.sum;
    result.failure = text.str();
  }
  void step(ScalingBenchResult& result) {
    if (result.cycles == waves_from_) unit_->open_waves(options_.waves);
    unit_->clock(pins_);
    ++result.cycles;
  }

  const ScalingBenchOptions& options_;
  Stimulus random_;
  const std::vector<int64_t> directed_ = directed_sums(bits());
  size_t next_ = 0;    // of them
  uint32_t last_ = 0;  // the value that the unit holds
  bool holds_value_ = false;
  std::unique_ptr<ScalingUnit> unit_;
  ScalingInputs pins_;
  int64_t waves_from_ = -1;
};

}  // namespace

ScalingBenchResult run_scaling_bench(const ScalingBenchOptions& options,
                                     const std::function<std::unique_ptr<ScalingUnit>()>& make,
                                     uint8_t fault) {
  ScalingBenchResult result;
  ScalingBench bench(options, make(), fault);
  bench.run(result);
  if (result.mismatches && !options.waves.empty()) {
    ScalingBenchResult again;
    ScalingBench repeated(options, make(), fault);
    repeated.open_waves_at(first_cycle_of_waves(result.cycles));
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
