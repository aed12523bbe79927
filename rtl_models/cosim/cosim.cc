#include "rtl_models/cosim/cosim.h"

#include <algorithm>

#include "emu/array_library.h"
#include "emu/error.h"
#include "rtl_models/cosim/coverage_waivers.h"
#include "rtl_models/cosim/lock_step.h"
#include "rtl_models/cosim/waves.h"
#include "rtl_models/engine/verilated_array.h"
#include "rtl_models/rtl/faults.h"

namespace mxref {
namespace {

void check(const CosimOptions& options) {
  if (options.blocks < 1) throw UsageError("a run needs at least 1 block product");
  if (!(options.backpressure >= 0 && options.backpressure <= 1))
    throw UsageError("back-pressure is a share of the time, from 0 to 1");
}

// Which formats a run takes: the one asked for, or those of the array.
std::string formats_text(const BlockFormat* asked, const FormatSet& has) {
  if (asked) return std::string(asked->name);
  if (has.all()) return "any";
  std::string names;
  for (const BlockFormat& format : block_formats)
    if (has[format_number(format)]) names += (names.empty() ? "" : ",") + std::string(format.name);
  return names;
}

CosimResult empty_result(const CosimOptions& options, const ArrayDesign& design) {
  CosimResult result;
  result.format_a = formats_text(options.format_a, design.formats_a);
  result.format_b = formats_text(options.format_b, design.formats_b);
  result.datapath = design.datapath->name;
  result.shape = design.shape;
  return result;
}

// Those of a table that the options take. Of the arrays that collect coverage, whose shape is their
// own, each of the datapath.
std::vector<const BenchSource*> chosen(const CosimOptions& options,
                                       const std::vector<BenchSource>& sources, bool any_shape) {
  std::vector<const BenchSource*> taken;
  for (const BenchSource& source : sources) {
    const auto [rows, cols] = source.design.shape;
    const bool has_shape = (options.shape.rows == 0 || options.shape.rows == rows) &&
                           (options.shape.cols == 0 || options.shape.cols == cols);
    if ((any_shape || has_shape) &&
        (!options.datapath || options.datapath == source.design.datapath))
      taken.push_back(&source);
  }
  return taken;
}

// The array of a library.
BenchSource loaded_array(const std::string& file) {
  const auto library = load_array_library(file);
  if (!library) throw InputError(file + ": is no array that `mxref array` built");
  return {library->design, [library, file](const ArrayDesign&) {
            std::unique_ptr<ArrayPort> port = library->make();
            if (!dynamic_cast<BenchArray*>(port.get()))
              throw InputError(file + ": its array has no waves");
            return std::unique_ptr<BenchArray>(static_cast<BenchArray*>(port.release()));
          }};
}

std::vector<const BenchSource*> chosen_arrays(const CosimOptions& options) {
  std::vector<const BenchSource*> taken = chosen(options, bench_arrays(), /*any_shape=*/false);
  if (!taken.empty()) return taken;
  std::string built;
  for (const BenchSource& source : bench_arrays())
    built += (built.empty() ? "" : ", ") + std::string(source.design.datapath->name) + " " +
             std::to_string(source.design.shape.rows) + "×" +
             std::to_string(source.design.shape.cols);
  throw UsageError(
      "--datapath, --rows, --cols: no such array is in this build (`mxref array` builds any, and "
      "--array runs it); in it: " +
      built);
}

// Runs an array until `done`. A run that fails is repeated for the waves of its last cycles.
using Done = std::function<bool(const CosimResult&)>;
void run(const CosimOptions& options, const BenchSource& source, CosimResult& result,
         const Done& done, uint8_t fault = 0) {
  const CosimResult empty = result;
  LockStep bench(options, source.make(), fault);
  bench.run(result, [&] { return done(result); });
  if (source.is_covered) result.coverage_data = bench.rtl().coverage();
  if (result.passed() || options.waves.empty()) return;
  CosimResult again = empty;
  LockStep repeated(options, source.make(), fault);
  const auto [rows, cols] = source.design.shape;
  result.waves =
      !options.array_library.empty()
          ? options.waves
          : waves_of(options.waves, std::string(source.design.datapath->name) + "-" +
                                        std::to_string(rows) + "x" + std::to_string(cols));
  repeated.open_waves_at(first_cycle_of_waves(result.cycles), result.waves);
  repeated.run(again, [&] { return done(again); });
}

std::vector<CosimResult> run_loaded(const CosimOptions& options) {
  const BenchSource source = loaded_array(options.array_library);
  for (const auto& [format, set] : {std::pair{options.format_a, &source.design.formats_a},
                                    std::pair{options.format_b, &source.design.formats_b}})
    if (format && !(*set)[format_number(*format)])
      throw UsageError(options.array_library + " has no " + std::string(format->name) +
                       " on that side");
  CosimResult result = empty_result(options, source.design);
  run(options, source, result, [&](const CosimResult& r) {
    if (options.progress) options.progress(std::min(r.blocks, options.blocks), options.blocks);
    return r.blocks >= options.blocks;
  });
  return {result};
}

}  // namespace

std::vector<CosimResult> run_cosim(const CosimOptions& options) {
  check(options);
  if (!options.array_library.empty()) return run_loaded(options);
  const std::vector<const BenchSource*> arrays = chosen_arrays(options);
  require_place_for_coverage();  // before the work
  std::vector<CosimResult> results;
  int64_t done = 0;  // block products of the arrays before
  for (size_t i = 0; i < arrays.size(); ++i) {
    const int64_t target = options.blocks * int64_t(i + 1) / int64_t(arrays.size());
    CosimResult result = empty_result(options, arrays[i]->design);
    run(options, *arrays[i], result, [&](const CosimResult& r) {
      if (options.progress)
        options.progress(std::min(done + r.blocks, options.blocks), options.blocks);
      return done + r.blocks >= target;
    });
    done += result.blocks;
    results.push_back(std::move(result));
  }
  // Coverage is that of all arrays which collect it together.
  std::string data;
  for (const BenchSource* source : chosen(options, covered_arrays(), /*any_shape=*/true)) {
    CosimResult result = empty_result(options, source->design);
    run(options, *source, result, [&](const CosimResult& r) {
      return r.cycles >= covered_cycles || r.blocks >= options.blocks;
    });
    data += result.coverage_data;
    results.push_back(std::move(result));
  }
  const Coverage coverage = parse_coverage(data, coverage_waivers);
  for (CosimResult& r : results) {
    r.coverage = coverage;
    r.coverage_shape = covered_arrays().front().design.shape;
  }
  return results;
}

// What the options keep out, without which the fault cannot show.
static std::string lacks(const Fault& fault, const CosimOptions& options,
                         const ArrayDesign& design) {
  const FaultConditions run{options.format_a, options.format_b, options.backpressure,
                            design.datapath};
  for (const FaultNeed* need : {fault.place, fault.need})
    if (!need->is_met(run)) return std::string(need->what);
  return "";
}

std::vector<FaultResult> run_faults(const CosimOptions& options, std::string_view only) {
  check(options);
  if (!only.empty()) find_by_name(faults, "fault", only);
  const BenchSource& source = *chosen_arrays(options).front();
  CosimOptions without_waves = options;  // those of a fault that was asked for alone
  without_waves.waves.clear();
  std::vector<FaultResult> results;
  for (size_t i = 0; i < faults.size(); ++i) {
    const Fault& fault = faults[i];
    if (!only.empty() && fault.name != only) continue;
    if (const std::string needs = lacks(fault, options, source.design); !needs.empty()) {
      if (!only.empty())
        throw UsageError("fault '" + std::string(only) + "' cannot show: it needs " + needs);
      results.push_back({.name = std::string(fault.name), .needs = needs});
      continue;
    }
    CosimResult result;
    run(
        only.empty() ? without_waves : options, source, result,
        [&](const CosimResult& r) { return r.blocks >= options.blocks; }, uint8_t(i + 1));
    results.push_back({.name = std::string(fault.name),
                       .caught = !result.passed(),
                       .cycles = result.cycles,
                       .failure = result.failure,
                       .waves = result.waves});
    if (options.progress) options.progress(int64_t(i + 1), int64_t(faults.size()));
  }
  return results;
}

}  // namespace mxref
