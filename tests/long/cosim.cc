// The lock-step benches of RTL and SystemC models: each pair of formats alone, a pair a slice; then
// a seed a slice, at every built shape and of every unit. And the rounders on every input.

#include "rtl_models/cosim/cosim.h"

#include <algorithm>

#include "rtl_models/cosim/bench_units.h"
#include "rtl_models/cosim/rounders.h"
#include "rtl_models/rtl/faults.h"
#include "tests/long/long_suite.h"

namespace mxref::long_suite {
namespace {

constexpr int64_t seeds = 100, first_seed = 1000;

template <typename Result>
void add(const Result& r, SliceResult& result) {
  result.compared += r.compared;
  result.mismatches += r.mismatches;
  if (r.mismatches == 0 && !r.passed()) ++result.mismatches;  // an assertion
  if (result.first_mismatch.empty()) result.first_mismatch = r.failure;
}

SliceResult run_seed(uint64_t seed) {
  SliceResult result;
  for (const CosimResult& r : run_cosim({.seed = seed})) add(r, result);
  for (const BenchUnit& unit : bench_units())
    for (const UnitResult& r : unit.run({.seed = seed})) add(r, result);
  return result;
}

std::vector<std::pair<const BlockFormat*, const BlockFormat*>> pairs() {
  std::vector<std::pair<const BlockFormat*, const BlockFormat*>> list;
  for (const BlockFormat& a : block_formats)
    for (const BlockFormat& b : block_formats)
      if (a.scale == b.scale) list.push_back({&a, &b});
  return list;
}

SliceResult run_pair(size_t index) {
  SliceResult result;
  const auto [a, b] = pairs()[index];
  const CosimOptions options{.format_a = a, .format_b = b, .blocks = 300'000, .seed = index + 1};
  for (const CosimResult& r : run_cosim(options)) add(r, result);
  return result;
}

SliceResult run(int64_t slice) {
  const int64_t of_pairs = pairs().size();
  return slice < of_pairs ? run_pair(slice) : run_seed(uint64_t(first_seed + slice - of_pairs));
}

// One of the array, and one of each unit.
bool planted_faults_are_caught() {
  const auto catches = [](const BenchUnit& unit) { return !unit.plant({}, 0).passed(); };
  return run_faults({}, "tie_away").at(0).caught && std::ranges::all_of(bench_units(), catches);
}

}  // namespace

Part cosim_part() {
  return {"cosim",
          "RTL and SystemC in lock-step: each pair of formats on every datapath, then 100 seeds on "
          "every datapath, shape and unit",
          int64_t(pairs().size()) + seeds,
          run,
          planted_faults_are_caught,
          false};  // SystemC has one current simulation
}

Part rounders_part() {
  return {"rounders",
          "the Verilated rounders on all 2^32 inputs: fp32_from_term on terms of 27 bits under 32 "
          "exponents, every rounding and FTZ; fp32_to_16",
          256,
          [](int64_t slice) {
            constexpr uint64_t inputs = uint64_t(1) << 24;
            const RounderResult r =
                run_rounders(uint64_t(slice) * inputs, uint64_t(slice + 1) * inputs);
            return SliceResult{r.compared, r.mismatches, r.first_mismatch};
          },
          [] {
            const Fault& fault = find_by_name(faults, "fault", "tie_away");
            static_assert(rounder_exponents[1] == 127);  // normal results alone
            return run_rounders(1, uint64_t(1) << 32, 65'537 * rounder_exponents.size(),
                                uint8_t(1 + (&fault - faults.data())))
                       .mismatches > 0;
          }};
}

}  // namespace mxref::long_suite
