// mxref cosim: the RTL array and the SystemC model in lock-step, and the RTL's planted faults.

#include <fmt/format.h>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "eval/cli/command.h"
#include "eval/cli/lockstep.h"
#include "eval/cli/options.h"
#include "eval/report/progress.h"
#include "eval/report/record.h"

#if MXREF_HAS_RTL

#include "rtl_models/cosim/cosim.h"
#include "rtl_models/engine/verilated_array.h"
#include "rtl_models/rtl/faults.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

struct Options {
  const BlockFormat *format = nullptr, *format_b = nullptr;
  CosimOptions cosim;
  std::vector<std::string> faults;  // what --faults was given: at most one name
  std::filesystem::path json;
};

std::string shape_text(ArrayShape shape) { return fmt::format("{}×{}", shape.rows, shape.cols); }

// Each built value of something once: "2, 3".
template <typename Of>
std::string built(Of of) {
  std::string text;
  for (const BenchSource& source : bench_arrays())
    if (const std::string one = of(source.design);
        (", " + text + ",").find(" " + one + ",") == text.npos)
      text += (text.empty() ? "" : ", ") + one;
  return text;
}

ordered_json to_row(const CosimResult& r) {
  return {{"task", "cosim"},
          {"format_a", r.format_a},
          {"format_b", r.format_b},
          {"datapath", r.datapath},
          {"rows", r.shape.rows},
          {"cols", r.shape.cols},
          {"cycles", r.cycles},
          {"stalled_cycles", r.stalled_cycles},
          {"compared", r.compared},
          {"blocks", r.blocks},
          {"mismatches", r.mismatches},
          {"assertions_failed", r.assertions_failed},
          {"coverage",
           {{"line", r.coverage.line},
            {"toggle", r.coverage.toggle},
            {"functional", r.coverage.functional},
            {"toggles_waived", r.coverage.waived},
            {"rows", r.coverage_shape.rows},
            {"cols", r.coverage_shape.cols}}}};
}

ordered_json to_row(const FaultResult& r) {
  if (!r.needs.empty())
    return {{"task", "fault_that_cannot_show"}, {"name", r.name}, {"needs", r.needs}};
  return {{"task", "fault"},
          {"name", r.name},
          {"what", find_by_name(faults, "fault", r.name).what},
          {"caught", r.caught},
          {"cycles", r.cycles}};
}

bool run_lockstep(const CosimOptions& options, Record& record) {
  Progress progress("cosim", options.blocks);
  CosimOptions watched = options;
  watched.progress = [&](int64_t done, int64_t total) { progress.update(done, total); };
  const std::vector<CosimResult> results = run_cosim(watched);
  progress.clear();
  bool good = true;
  for (const CosimResult& r : results) {
    fmt::print(
        "{} array, {} × {} on {}: {} cycles ({} stalled), {} block products, {} transfers "
        "compared, {} mismatches, {} assertions failed\n",
        shape_text(r.shape), r.format_a, r.format_b, r.datapath, r.cycles, r.stalled_cycles,
        r.blocks, r.compared, r.mismatches, r.assertions_failed);
    if (!r.passed()) fmt::print("{}\n", r.failure);
    good &= r.passed();
    record.add(to_row(r));
  }
  const CosimResult& last = results.back();
  fmt::print(
      "coverage of the {} arrays: line {:.1f} %, toggle {:.1f} %, functional {:.1f} % ({} toggles "
      "waived)\n",
      shape_text(last.coverage_shape), 100 * last.coverage.line, 100 * last.coverage.toggle,
      100 * last.coverage.functional, last.coverage.waived);
  return good;
}

bool run_fault_campaign(const Options& o, Record& record) {
  Progress progress("faults", int64_t(faults.size()));
  CosimOptions watched = o.cosim;
  watched.progress = [&](int64_t done, int64_t total) { progress.update(done, total); };
  const std::string only = o.faults.empty() ? "" : o.faults.front();  // empty: all of them
  const std::vector<FaultResult> results = run_faults(watched, only);
  progress.clear();
  size_t planted = 0, caught = 0;
  for (const FaultResult& r : results) {
    record.add(to_row(r));
    if (!r.needs.empty()) {
      fmt::print("fault {:<26} cannot show under these options: it needs {}\n", r.name, r.needs);
      continue;
    }
    fmt::print("fault {:<26} {} after {} cycles\n", r.name, r.caught ? "caught" : "NOT CAUGHT",
               r.cycles);
    if (!only.empty() && r.caught) fmt::print("{}\n", r.failure);
    ++planted;
    caught += r.caught;
  }
  fmt::print("{} of {} faults caught\n", caught, planted);
  return caught == planted;
}

int run(Options& o, bool plant_faults) {
  if (plant_faults && !o.cosim.coverage_file.empty())
    throw UsageError("--coverage is that of the run without faults; leave out --faults");
  require_writable(o.json);
  require_writable(o.cosim.coverage_file);
  if (o.format && o.format_b && o.format->scale != o.format_b->scale)
    throw UsageError(
        fmt::format("{} and {} do not meet in a product", o.format->name, o.format_b->name));
  o.cosim.format_a = o.format;
  o.cosim.format_b = o.format_b ? o.format_b : o.format;
  Record record("cosim");
  record.set_seed(o.cosim.seed);
  const bool good = plant_faults ? run_fault_campaign(o, record) : run_lockstep(o.cosim, record);
  record.write(o.json);
  return good ? exit_good : exit_check_failed;
}

}  // namespace

std::vector<ordered_json> lockstep_rows(
    uint64_t seed, const std::function<void(int64_t done, int64_t total)>& progress) {
  CosimOptions options;
  options.seed = seed;
  options.progress = progress;
  std::vector<ordered_json> rows;
  for (const CosimResult& r : run_cosim(options)) rows.push_back(to_row(r));
  for (const FaultResult& r : run_faults(options)) rows.push_back(to_row(r));
  return rows;
}

Action define_cosim(CLI::App& app, const Context&) {
  auto o = std::make_shared<Options>();
  add_named(app, "--format", o->format, block_formats, "format",
            "format of both operands, or of a (default: drawn tile by tile)");
  add_named(app, "--format-b", o->format_b, block_formats, "format", "format of b");
  add_datapath(app, o->cosim.datapath,
               "accumulation (default: any; built: " + built([](const ArrayDesign& d) {
                 return std::string(d.datapath->name);
               }) + ")");
  add_number(app, "--rows", o->cosim.shape.rows, 1, INT_MAX,
             "rows of the array (default: any; built: " + built([](const ArrayDesign& d) {
               return std::to_string(d.shape.rows);
             }) + ")");
  add_number(app, "--cols", o->cosim.shape.cols, 1, INT_MAX,
             "columns of the array (default: any; built: " + built([](const ArrayDesign& d) {
               return std::to_string(d.shape.cols);
             }) + ")");
  add_number<int64_t>(
      app, "--blocks", o->cosim.blocks, 1, 1'000'000'000'000,
      "block products at least, shared among the arrays, and as many at most for each fault "
      "(default 1000000); a shorter run over the 2×3 array collects coverage");
  add_number(app, "--backpressure", o->cosim.backpressure, 0.0, 1.0,
             "share of the time in which results are held back and beats come with gaps (default "
             "0.5); a cycle counts as stalled where a beat or a row of results waits");
  add_seed(app, o->cosim.seed, "seed of the stimulus");
  CLI::Option* plant = app.add_option("--faults", o->faults,
                                      "plant each fault of the RTL, or one, and see it caught: " +
                                          names_of(mxref::faults))
                           ->expected(0, 1)
                           ->type_name("[NAME]");
  add_output(
      app, "--coverage", o->cosim.coverage_file,
      "keep Verilator's coverage data here; verilator_coverage --annotate shows what it lacks");
  add_json(app, o->json);
  return [o, plant] { return run(*o, plant->count() > 0); };
}

}  // namespace mxref

#else

namespace mxref {

static void refuse() {
  throw UsageError("this build has no RTL: configure it with -DMXREF_RTL=ON");
}

std::vector<nlohmann::ordered_json> lockstep_rows(uint64_t,
                                                  const std::function<void(int64_t, int64_t)>&) {
  refuse();
  return {};
}

Action define_cosim(CLI::App&, const Context&) {
  refuse();
  return {};
}

}  // namespace mxref

#endif
