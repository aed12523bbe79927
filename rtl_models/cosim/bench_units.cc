#include "rtl_models/cosim/bench_units.h"

#include <algorithm>

#include "emu/systemc/systemc_accelerator.h"
#include "rtl_models/accelerator/bench_accelerator.h"
#include "rtl_models/accelerator/faults.h"
#include "rtl_models/accelerator/lockstep.h"
#include "rtl_models/cosim/coverage.h"
#include "rtl_models/cosim/quantize_bench.h"
#include "rtl_models/cosim/scaling_bench.h"
#include "rtl_models/cosim/waves.h"
#include "rtl_models/rtl/faults.h"
#include "rtl_models/rtl/quantize_faults.h"

namespace mxref {
namespace {

std::string_view name_of(ConversionUnit unit) {
  return unit == ConversionUnit::quantizer ? "quantizer" : "dequantizer";
}

UnitResult of_conversion(const ConversionBuild& build, const UnitOptions& options, uint8_t fault) {
  const int64_t share = build.is_covered ? 4 * blocks_per_conversion : blocks_per_conversion;
  const ConversionBenchOptions of_build{.format = options.format,
                                        .blocks = std::max<int64_t>(1, options.blocks / share),
                                        .backpressure = options.backpressure,
                                        .seed = options.seed,
                                        .waves = waves_of(options.waves, build.name)};
  const ConversionBenchResult r = run_conversion_bench(build, of_build, fault);
  return {.unit = name_of(build.design.unit),
          .model = r.model,
          .cycles = r.cycles,
          .stalled_cycles = r.stalled_cycles,
          .compared = r.blocks,
          .mismatches = r.mismatches,
          .coverage_data = r.coverage_data,
          .failure = r.failure,
          .waves = of_build.waves};
}

template <ConversionUnit unit>
std::vector<UnitResult> run_conversions(const UnitOptions& options) {
  std::vector<UnitResult> results;
  for (const ConversionBuild& build : conversion_builds()) {
    const bool has = !options.format || build.design.formats[format_number(*options.format)];
    if (build.design.unit == unit && has) results.push_back(of_conversion(build, options, 0));
  }
  return results;
}

template <ConversionUnit unit>
std::vector<const QuantizeFault*> rows_of() {
  std::vector<const QuantizeFault*> rows;
  for (const QuantizeFault& fault : quantize_faults)
    if (fault.unit == unit) rows.push_back(&fault);
  return rows;
}
template <ConversionUnit unit>
std::vector<UnitFault> conversion_faults(const UnitOptions& options) {
  const FaultConditions run{.format_a = options.format, .backpressure = options.backpressure};
  std::vector<UnitFault> list;
  for (const QuantizeFault* fault : rows_of<unit>())
    list.push_back({fault->name, fault->what, fault->need->is_met(run) ? "" : fault->need->what});
  return list;
}
template <ConversionUnit unit>
UnitResult plant_in_conversion(const UnitOptions& options, size_t fault) {
  const auto& builds = conversion_builds();
  const auto build = std::ranges::find_if(
      builds, [](const ConversionBuild& b) { return b.design.unit == unit && b.has_faults; });
  const auto number = uint8_t(1 + (rows_of<unit>()[fault] - quantize_faults.data()));
  return of_conversion(*build, options, number);
}

UnitResult of_scaling(const ScalingSource& source, const UnitOptions& options, uint8_t fault) {
  const ScalingBenchOptions of_bench{.design = source.design,
                                     .seed = options.seed,
                                     .sums = std::max<int64_t>(1, options.blocks / blocks_per_sum),
                                     .gaps = options.backpressure,
                                     .waves = waves_of(options.waves, source.name)};
  const ScalingBenchResult r = run_scaling_bench(of_bench, source.make, fault);
  return {.unit = "scaling",
          .model = std::string(source.name),
          .cycles = r.cycles,
          .compared = r.compared,
          .mismatches = r.mismatches,
          .coverage_data = r.coverage_data,
          .failure = r.failure,
          .waves = of_bench.waves};
}
std::vector<UnitResult> run_scaling(const UnitOptions& options) {
  std::vector<UnitResult> results;
  for (const ScalingSource& source : scaling_units())
    results.push_back(of_scaling(source, options, 0));
  return results;
}
std::vector<UnitFault> faults_of_scaling(const UnitOptions&) {
  std::vector<UnitFault> list;
  list.reserve(scaling_faults().size());
  for (uint8_t number : scaling_faults())
    list.push_back({.name = faults[number - 1].name, .what = faults[number - 1].what});
  return list;
}
UnitResult plant_in_scaling(const UnitOptions& options, size_t fault) {
  return of_scaling(scaling_units().front(), options, scaling_faults()[fault]);
}

int64_t cycles_of(const AcceleratorSource& source, const UnitOptions& options) {
  const auto [rows, cols] = source.design.array.shape;
  return std::max<int64_t>(1, options.blocks / blocks_per_cycle * 6 / (rows * cols));
}
UnitResult of_accelerator(const AcceleratorSource& source, const UnitOptions& options,
                          int64_t cycles, bool is_covered, uint8_t fault = 0) {
  const ArrayDesign& array = source.design.array;
  const std::string rows = std::to_string(array.shape.rows), datapath(array.datapath->name),
                    cols = std::to_string(array.shape.cols);
  UnitResult result{
      .unit = "accelerator",
      .model = rows + "×" + cols + " on " + datapath + (is_covered ? ", covered" : "")};
  result.waves = waves_of(options.waves, std::string(is_covered ? "covered-" : "") +
                                             "accelerator-" + datapath + "-" + rows + "x" + cols);
  const auto run = [&](int64_t waves_from) {
    const auto rtl = source.make();
    const auto model = make_systemc_accelerator(source.design);
    const LockstepResult r =
        run_lockstep(*rtl, *model,
                     {.seed = options.seed,
                      .cycles = cycles,
                      .fault = fault,
                      .before_cycle =
                          [&](int64_t cycle) {
                            if (cycle == waves_from) rtl->open_waves(result.waves);
                          },
                      .assertions_failed = [&] { return rtl->assertions_failed(); }});
    result.cycles = r.cycles;
    result.compared = r.compared;
    result.mismatches = r.mismatches;
    result.assertions_failed = rtl->assertions_failed();
    result.failure = r.failure;
    if (is_covered) result.coverage_data = rtl->coverage();
  };
  run(/*waves_from=*/-1);
  if (!result.passed() && !result.waves.empty()) run(first_cycle_of_waves(result.cycles));
  return result;
}
std::vector<UnitResult> run_accelerator(const UnitOptions& options) {
  std::vector<UnitResult> results;
  results.reserve(bench_accelerators().size() + covered_accelerators().size());
  for (const AcceleratorSource& source : bench_accelerators())
    results.push_back(of_accelerator(source, options, cycles_of(source, options), false));
  for (const AcceleratorSource& source : covered_accelerators())
    results.push_back(of_accelerator(source, options,
                                     std::min(covered_cycles, cycles_of(source, options)), true));
  return results;
}
std::vector<UnitFault> faults_of_accelerator(const UnitOptions&) {
  std::vector<UnitFault> list;
  list.reserve(accelerator_faults.size());
  for (const AcceleratorFault& fault : accelerator_faults)
    list.push_back({.name = fault.name, .what = fault.what});
  return list;
}
UnitResult plant_in_accelerator(const UnitOptions& options, size_t fault) {
  const AcceleratorSource& source = bench_accelerators().front();
  return of_accelerator(source, options, cycles_of(source, options), false, uint8_t(fault + 1));
}

}  // namespace

const std::vector<BenchUnit>& bench_units() {
  constexpr auto quantizer = ConversionUnit::quantizer, dequantizer = ConversionUnit::dequantizer;
  static const std::vector<BenchUnit> units{
      {"quantizer", "binary32 or bfloat16 → blocks", true, true, run_conversions<quantizer>,
       conversion_faults<quantizer>, plant_in_conversion<quantizer>},
      {"dequantizer", "blocks → binary32", true, true, run_conversions<dequantizer>,
       conversion_faults<dequantizer>, plant_in_conversion<dequantizer>},
      {"scaling", "E8M0 scaling units: all pairs of scale codes of all formats", false, true,
       run_scaling, faults_of_scaling, plant_in_scaling},
      {"accelerator", "registers, streams and tile memory around an array", false, false,
       run_accelerator, faults_of_accelerator, plant_in_accelerator},
  };
  return units;
}

}  // namespace mxref
