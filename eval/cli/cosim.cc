// mxref cosim: the RTL in lock-step with the SystemC models (the scaling unit: with the
// definition), unit by unit, and its planted faults.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "eval/cli/command.h"
#include "eval/cli/lockstep.h"
#include "eval/cli/options.h"
#include "eval/report/progress.h"
#include "eval/report/record.h"

#if MXREF_HAS_RTL

#include "rtl_models/cosim/bench_units.h"
#include "rtl_models/cosim/cosim.h"
#include "rtl_models/cosim/coverage_waivers.h"
#include "rtl_models/engine/verilated_array.h"
#include "rtl_models/rtl/faults.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view array_unit = "array";

struct CosimSettings {
  const BlockFormat *format = nullptr, *format_b = nullptr;
  CosimOptions cosim{.waves = "mxref-cosim.fst"};
  std::string unit;                 // empty: all of them
  std::vector<std::string> faults;  // what --faults was given: at most one name
  std::filesystem::path coverage, json;

  // Rows and columns, datapath and the format of b are the array's.
  bool is_of_array() const {
    return cosim.shape.rows || cosim.shape.cols || cosim.datapath || format_b ||
           !cosim.array_library.empty();
  }
  bool runs_array() const { return unit.empty() || unit == array_unit; }
  bool runs(const BenchUnit& u) const {
    if (!unit.empty()) return unit == u.name;
    return !is_of_array() && (!format || u.takes_format);
  }
  UnitOptions of_units() const {
    return {format, cosim.blocks, cosim.backpressure, cosim.seed, cosim.waves};
  }
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

ordered_json to_row(const Coverage& c) {
  const auto share = [](const std::optional<double>& of) {
    return of ? ordered_json(*of) : nullptr;
  };
  return {{"line", share(c.line)},
          {"toggle", share(c.toggle)},
          {"functional", share(c.functional)},
          {"toggles_waived", c.waived}};
}

ordered_json to_row(const CosimResult& r) {
  ordered_json coverage = to_row(r.coverage);
  coverage["rows"] = r.coverage_shape.rows;
  coverage["cols"] = r.coverage_shape.cols;
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
          {"coverage", std::move(coverage)}};
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

ordered_json to_row(const UnitResult& r) {
  ordered_json row{{"task", "cosim_unit"}, {"unit", r.unit},         {"model", r.model},
                   {"cycles", r.cycles},   {"compared", r.compared}, {"mismatches", r.mismatches}};
  if (r.assertions_failed) row["assertions_failed"] = *r.assertions_failed;
  if (r.stalled_cycles) row["stalled_cycles"] = *r.stalled_cycles;
  if (!r.coverage_data.empty())
    row["coverage"] = to_row(parse_coverage(r.coverage_data, coverage_waivers));
  return row;
}

// Of a unit's models together; of all: no unit.
ordered_json coverage_row(std::string_view unit, const Coverage& coverage) {
  ordered_json row{{"task", "coverage"}};
  if (!unit.empty()) row["unit"] = unit;
  row["coverage"] = to_row(coverage);
  return row;
}

// One that the options keep from showing.
ordered_json to_row(const UnitFault& fault) {
  return {{"task", "fault_that_cannot_show"}, {"name", fault.name}, {"needs", fault.needs}};
}
ordered_json to_row(const BenchUnit& unit, const UnitFault& fault, const UnitResult& r) {
  return {{"task", "fault"},    {"unit", unit.name},     {"name", fault.name},
          {"what", fault.what}, {"caught", !r.passed()}, {"cycles", r.cycles}};
}

std::string text_of(const Coverage& c) {
  const auto percent = [](const std::optional<double>& share) {
    return share ? fmt::format("{:.1f} %", 100 * *share) : "not collected";
  };
  return fmt::format("line {}, toggle {}, functional {} ({} toggles waived)", percent(c.line),
                     percent(c.toggle), percent(c.functional), c.waived);
}

// What follows a failure.
std::string waves_text(const std::filesystem::path& waves) {
  if (waves.empty()) return "";
  return fmt::format("  waves of its last cycles: {}\n", waves.string());
}

// What was collected is appended to `coverage`.
bool run_array(const CosimOptions& options, Record& record, std::string& coverage) {
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
    if (!r.passed()) fmt::print("{}\n{}", r.failure, waves_text(r.waves));
    good &= r.passed();
    record.add(to_row(r));
  }
  for (const CosimResult& r : results) coverage += r.coverage_data;
  if (coverage.empty()) return good;
  const CosimResult& last = results.back();
  fmt::print("coverage of the {} arrays: {}\n", shape_text(last.coverage_shape),
             text_of(last.coverage));
  return good;
}

// The command that runs a unit so again.
std::string repeat_text(const BenchUnit& unit, const UnitOptions& options,
                        const std::string& fault = "") {
  std::string words = fmt::format("  repeat: mxref cosim --unit {}", unit.name);
  if (!fault.empty()) words += " --faults " + fault;
  if (options.format) words += fmt::format(" --format {}", options.format->name);
  words += fmt::format(" --blocks {}", options.blocks);
  if (unit.takes_backpressure) words += fmt::format(" --backpressure {}", options.backpressure);
  return words + fmt::format(" --seed {}\n", options.seed);
}

bool run_unit(const BenchUnit& unit, const UnitOptions& options, Record& record,
              std::string& coverage) {
  bool good = true;
  for (const UnitResult& r : unit.run(options)) {
    const std::string stalled =
        r.stalled_cycles ? fmt::format(" ({} stalled)", *r.stalled_cycles) : "";
    const std::string assertions =
        r.assertions_failed ? fmt::format(", {} assertions failed", *r.assertions_failed) : "";
    fmt::print("{}, {}: {} cycles{}, {} transfers compared, {} mismatches{}\n", r.unit, r.model,
               r.cycles, stalled, r.compared, r.mismatches, assertions);
    if (!r.passed())
      fmt::print("{}\n{}{}", r.failure, repeat_text(unit, options), waves_text(r.waves));
    good &= r.passed();
    record.add(to_row(r));
    coverage += r.coverage_data;
  }
  return good;
}

// Where no unit was asked for: those that do not run, or do not heed an option.
void print_what_is_left_out(const CosimSettings& o, bool backpressure_given) {
  if (!o.unit.empty()) return;
  std::vector<std::string_view> left_out, partial, with_own_gaps;
  for (const BenchUnit& unit : bench_units()) {
    if (!o.runs(unit))
      left_out.push_back(unit.name);
    else if (o.format)
      partial.push_back(unit.name);
    if (o.runs(unit) && backpressure_given && !unit.takes_backpressure)
      with_own_gaps.push_back(unit.name);
  }
  const auto print = [](const std::vector<std::string_view>& names, std::string_view what) {
    if (!names.empty()) fmt::print("{}: {}\n", fmt::join(names, ", "), what);
  };
  print(left_out, o.is_of_array() ? "left out, for an option is the array's own"
                                  : "left out, for they have all formats whatever --format says");
  print(partial, "builds without the format are left out");
  print(with_own_gaps, "gaps of its own whatever --backpressure says");
}

bool run_lockstep(const CosimSettings& o, Record& record) {
  bool good = true;
  std::string coverage;
  if (o.runs_array()) good &= run_array(o.cosim, record, coverage);
  for (const BenchUnit& unit : bench_units()) {
    if (!o.runs(unit)) continue;
    std::string of_unit;
    good &= run_unit(unit, o.of_units(), record, of_unit);
    if (of_unit.empty()) continue;
    const Coverage merged = parse_coverage(of_unit, coverage_waivers);
    fmt::print("coverage of {}: {}\n", unit.name, text_of(merged));
    record.add(coverage_row(unit.name, merged));
    coverage += of_unit;
  }
  if (coverage.empty()) return good;
  const Coverage merged = parse_coverage(coverage, coverage_waivers);
  fmt::print("coverage of all that collect it: {}\n", text_of(merged));
  record.add(coverage_row("", merged));
  if (!o.coverage.empty()) write_atomically(o.coverage, coverage);
  return good;
}

struct Campaign {
  size_t planted = 0, caught = 0;
  // failure: empty where it is not shown.
  void count(std::string_view name, bool was_caught, int64_t cycles, const std::string& failure,
             const std::filesystem::path& waves) {
    fmt::print("fault {:<26} {} after {} cycles\n", name, was_caught ? "caught" : "NOT CAUGHT",
               cycles);
    if (!failure.empty())
      fmt::print("{}{}{}", failure, failure.ends_with('\n') ? "" : "\n", waves_text(waves));
    ++planted;
    caught += was_caught;
  }
};
void print_that_it_cannot_show(std::string_view name, std::string_view needs) {
  fmt::print("fault {:<26} cannot show under these options: it needs {}\n", name, needs);
}

// only: empty for all of them. A failure is shown of one that is asked for.
void plant_in_array(const CosimOptions& options, const std::string& only, Record& record,
                    Campaign& campaign) {
  Progress progress("faults", int64_t(faults.size()));
  CosimOptions watched = options;
  watched.progress = [&](int64_t done, int64_t total) { progress.update(done, total); };
  const std::vector<FaultResult> results = run_faults(watched, only);
  progress.clear();
  for (const FaultResult& r : results) {
    record.add(to_row(r));
    if (r.needs.empty())
      campaign.count(r.name, r.caught, r.cycles, only.empty() ? "" : r.failure, r.waves);
    else
      print_that_it_cannot_show(r.name, r.needs);
  }
}

void plant_in_unit(const BenchUnit& unit, const UnitOptions& options, const std::string& only,
                   Record& record, Campaign& campaign) {
  const std::vector<UnitFault> list = unit.faults(options);
  for (size_t i = 0; i < list.size(); ++i) {
    if (!only.empty() && list[i].name != only) continue;
    if (!list[i].needs.empty()) {
      if (!only.empty())
        throw UsageError(fmt::format("fault '{}' cannot show: it needs {}", only, list[i].needs));
      print_that_it_cannot_show(list[i].name, list[i].needs);
      record.add(to_row(list[i]));
      continue;
    }
    UnitOptions one = options;  // waves are those of a fault that was asked for alone
    if (only.empty()) one.waves.clear();
    const UnitResult r = unit.plant(one, i);
    record.add(to_row(unit, list[i], r));
    const std::string shown =
        only.empty() ? "" : r.failure + "\n" + repeat_text(unit, options, only);
    campaign.count(list[i].name, !r.passed(), r.cycles, shown, r.waves);
  }
}

// Names of the faults of what runs, each once: several units may have one of the same name.
std::vector<std::string_view> fault_names(const CosimSettings& o) {
  std::vector<std::string_view> names;
  const auto add = [&](std::string_view name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  if (o.runs_array())
    for (const Fault& fault : faults) add(fault.name);
  for (const BenchUnit& unit : bench_units())
    if (o.runs(unit))
      for (const UnitFault& fault : unit.faults(o.of_units())) add(fault.name);
  return names;
}

bool run_fault_campaign(const CosimSettings& o, Record& record) {
  const std::string only = o.faults.empty() ? "" : o.faults.front();
  const std::vector<std::string_view> names = fault_names(o);
  if (!only.empty() && std::ranges::find(names, only) == names.end())
    throw UsageError(unknown_name("fault", only, names));
  Campaign campaign;
  const bool is_of_array =
      only.empty() || std::ranges::find(faults, only, &Fault::name) != faults.end();
  if (o.runs_array() && is_of_array) plant_in_array(o.cosim, only, record, campaign);
  for (const BenchUnit& unit : bench_units())
    if (o.runs(unit)) plant_in_unit(unit, o.of_units(), only, record, campaign);
  fmt::print("{} of {} faults caught\n", campaign.caught, campaign.planted);
  return campaign.caught == campaign.planted;
}

// Refuses options that what runs does not heed. given: whether --backpressure and --waves were.
void check(CosimSettings& o, bool plant_faults, bool backpressure_given, bool waves_given) {
  if (plant_faults && !o.coverage.empty())
    throw UsageError("--coverage is that of the run without faults; leave out --faults");
  if (o.is_of_array() && !o.runs_array())
    throw UsageError("--array, --rows, --cols, --datapath and --format-b are of --unit array");
  if (const auto& c = o.cosim; !c.array_library.empty()) {
    if (c.shape.rows || c.shape.cols || c.datapath)
      throw UsageError("--array has its own rows, columns and datapath");
    if (plant_faults) throw UsageError("faults are planted in arrays of the build, not in --array");
  }
  if (!o.cosim.array_library.empty() && !o.coverage.empty())
    throw UsageError("--array collects no coverage; leave out --coverage");
  for (const BenchUnit& unit : bench_units()) {
    if (o.unit != unit.name) continue;
    if (o.format && !unit.takes_format)
      throw UsageError(fmt::format("--unit {} has all formats; leave out --format", unit.name));
    if (backpressure_given && !unit.takes_backpressure)
      throw UsageError(fmt::format(
          "--unit {} has a bench with gaps of its own; leave out --backpressure", unit.name));
  }
  require_writable(o.json);
  require_writable(o.coverage);
  try {
    require_writable(o.cosim.waves);
  } catch (const InputError&) {
    if (waves_given) throw;
    o.cosim.waves.clear();  // nobody asked for them
  }
  if (o.format && o.format_b && o.format->scale != o.format_b->scale)
    throw UsageError(
        fmt::format("{} and {} do not meet in a product", o.format->name, o.format_b->name));
}

int cosim_command(CosimSettings& o, bool plant_faults, bool backpressure_given) {
  o.cosim.format_a = o.format;
  o.cosim.format_b = o.format_b ? o.format_b : o.format;
  Record record("cosim");
  record.set_seed(o.cosim.seed);
  print_what_is_left_out(o, backpressure_given);
  const bool good = plant_faults ? run_fault_campaign(o, record) : run_lockstep(o, record);
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
  std::string coverage;
  for (const CosimResult& r : run_cosim(options)) {
    rows.push_back(to_row(r));
    coverage += r.coverage_data;
  }
  for (const FaultResult& r : run_faults(options)) rows.push_back(to_row(r));
  const UnitOptions of_units{.seed = seed};
  for (const BenchUnit& unit : bench_units()) {
    std::string of_unit;
    for (const UnitResult& r : unit.run(of_units)) {
      rows.push_back(to_row(r));
      of_unit += r.coverage_data;
    }
    if (!of_unit.empty())
      rows.push_back(coverage_row(unit.name, parse_coverage(of_unit, coverage_waivers)));
    coverage += of_unit;
    const std::vector<UnitFault> list = unit.faults(of_units);
    for (size_t i = 0; i < list.size(); ++i)
      rows.push_back(to_row(unit, list[i], unit.plant(of_units, i)));
  }
  rows.push_back(coverage_row("", parse_coverage(coverage, coverage_waivers)));
  return rows;
}

Action define_cosim(CLI::App& app, const Context&) {
  std::string what = "what runs: array";
  for (const BenchUnit& unit : bench_units())
    what += fmt::format(", {} ({})", unit.name, unit.what);
  auto o = std::make_shared<CosimSettings>();
  app.add_option_function<std::string>(
         "--unit",
         [o](const std::string& name) {
           std::vector<std::string_view> units{array_unit};
           for (const BenchUnit& unit : bench_units()) units.push_back(unit.name);
           if (std::ranges::find(units, name) == units.end())
             throw UsageError(unknown_name("unit", name, units));
           o->unit = name;
         },
         what + "; default: all, or the array alone where an option is its own")
      ->type_name("NAME");
  app.add_option("--array", o->cosim.array_library,
                 "an array that `mxref array` built, in place of those of the build")
      ->type_name("FILE");
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
      "(default 1000000); runs of as many, of 40000 cycles at most, collect coverage; of "
      "another unit about the work of as many, of the scaling units at least one sum of each pair");
  CLI::Option* backpressure = add_number(
      app, "--backpressure", o->cosim.backpressure, 0.0, 1.0,
      "share of the time in which results are held back and beats come with gaps (default "
      "0.5); a cycle counts as stalled where a beat or a row of results waits");
  add_seed(app, o->cosim.seed, "seed of the stimulus");
  CLI::Option* plant = app.add_option("--faults", o->faults,
                                      "plant each fault of the RTL, or those of one name in all "
                                      "that runs, and see it caught; a wrong name lists them")
                           ->expected(0, 1)
                           ->type_name("[NAME]");
  add_output(
      app, "--coverage", o->coverage,
      "keep Verilator's coverage data here; verilator_coverage --annotate shows what it lacks");
  CLI::Option* waves =
      add_output(app, "--waves", o->cosim.waves,
                 "where a run that fails, or catches the fault that was asked for, leaves its last "
                 "cycles as FST, what ran in the name (default mxref-cosim.fst)");
  add_json(app, o->json);
  return [=] {
    check(*o, plant->count() > 0, backpressure->count() > 0, waves->count() > 0);
    return cosim_command(*o, plant->count() > 0, backpressure->count() > 0);
  };
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
