#include "rtl_models/cosim/cosim.h"

#include <algorithm>
#include <sstream>

#include "emu/systemc/systemc_array.h"
#include "rtl_models/cosim/array_stimulus.h"
#include "rtl_models/cosim/coverage_waivers.h"
#include "rtl_models/cosim/scoreboard.h"
#include "rtl_models/engine/verilated_array.h"
#include "rtl_models/rtl/faults.h"

namespace mxref {
namespace {

// Coverage slows the Verilated array many times: it is collected over this many cycles more, on the
// one array that has it.
constexpr int64_t covered_cycles = 40'000;

// What differs between what the RTL shows and what the SystemC model shows: every cycle, the
// payload where it is valid.
void compare_outputs(const ArrayOutputs& model, const ArrayOutputs& rtl,
                     std::vector<Mismatch>& mismatches) {
  compare("in_ready", model.in_ready, rtl.in_ready, mismatches);
  compare("out_valid", model.out_valid, rtl.out_valid, mismatches);
  compare("trace_valid", model.trace_valid, rtl.trace_valid, mismatches);
  compare("trace_stages", model.trace_stages, rtl.trace_stages, mismatches);
  if (model.out_valid && rtl.out_valid) {
    compare("out_row", model.out_row, rtl.out_row, mismatches);
    compare("out_last", model.out_last, rtl.out_last, mismatches);
    compare("out_data", model.out_data, rtl.out_data, mismatches);
  }
  if (model.trace_valid && rtl.trace_valid) {
    compare("trace_first", model.trace_first, rtl.trace_first, mismatches);
    compare("trace_last", model.trace_last, rtl.trace_last, mismatches);
    compare("trace_acc", model.trace_acc, rtl.trace_acc, mismatches);
  }
}

// One RTL array and one SystemC model on the same pins, from reset.
class LockStep {
 public:
  LockStep(const CosimOptions& options, std::unique_ptr<BenchArray> rtl, uint8_t fault = 0)
      : options_(options),
        rtl_(std::move(rtl)),
        design_(rtl_->design()),
        model_(make_systemc_array(design_)),
        stimulus_(options, design_),
        scoreboard_(design_),
        fault_(fault) {}

  // Until `done` says so, or something differs.
  template <typename Done>
  void run(CosimResult& result, Done done) {
    while (!done() && result.passed()) step(result, stimulus_.next(taken_));
    // What is inside must come out: a tile in each of the stages at most, and a beat on the pins.
    const int64_t enough_cycles = 8 + 6 * (design_.shape.rows + 1) + 2 * design_.lanes();
    for (int64_t i = 0; i < enough_cycles && result.passed(); ++i)
      step(result, stimulus_.drain(taken_));
    if (!result.passed() || scoreboard_.is_empty()) return;
    ++result.mismatches;
    result.failure = describe({"out_valid (results missing)", "0x1", "0x0"}, "the definition");
  }
  BenchArray& rtl() { return *rtl_; }

 private:
  void step(CosimResult& result, ArrayInputs pins) {
    pins.fault = fault_;
    taken_ = false;
    std::vector<Mismatch> mismatches;
    const char* against = "the SystemC model";
    if (cycle_ > 0) {  // outputs mean something after the first edge in reset
      compare_outputs(model_->outputs(), rtl_->outputs(), mismatches);
      if (mismatches.empty()) {
        check_transfers(result, pins, mismatches);
        against = "the definition";
      }
    }
    rtl_->clock(pins);
    model_->clock(pins);
    ++result.cycles;
    result.assertions_failed = rtl_->assertions_failed();
    result.mismatches = int64_t(mismatches.size());
    if (!mismatches.empty())
      result.failure = describe(mismatches.front(), against);
    else if (result.assertions_failed > 0)
      result.failure = describe({"an assertion in the RTL", "holds", "failed"}, "its property");
    ++cycle_;
  }

  // The transfers of the coming edge, and the block that the last one moved.
  void check_transfers(CosimResult& result, const ArrayInputs& pins,
                       std::vector<Mismatch>& mismatches) {
    const ArrayOutputs& out = rtl_->outputs();
    if (out.trace_valid) scoreboard_.check_trace(out, mismatches);
    if (!pins.rst_n) return scoreboard_.reset();
    taken_ = pins.in_valid && out.in_ready;
    const bool sent = out.out_valid && pins.out_ready;
    if (taken_) scoreboard_.beat_taken(pins);
    if (sent) scoreboard_.check_row(out, mismatches);
    result.compared += taken_ + sent;
    result.blocks += taken_ * design_.shape.rows * design_.shape.cols;
    result.stalled_cycles += (pins.in_valid && !taken_) || (out.out_valid && !sent);
  }

  std::string describe(const Mismatch& mismatch, const char* against) const {
    std::ostringstream text;
    text << "seed " << options_.seed << ", cycle " << cycle_ << ", signal " << mismatch.signal
         << ": expected " << mismatch.expected << " by " << against << ", got " << mismatch.got
         << "\n  repeat: mxref cosim";
    // Every array has its run, of a share of the blocks.
    if (options_.shape.rows) text << " --rows " << options_.shape.rows;
    if (options_.shape.cols) text << " --cols " << options_.shape.cols;
    if (options_.datapath) text << " --datapath " << options_.datapath->name;
    if (options_.format_a) text << " --format " << options_.format_a->name;
    if (options_.format_b) text << " --format-b " << options_.format_b->name;
    text << " --blocks " << options_.blocks << " --backpressure " << options_.backpressure
         << " --seed " << options_.seed;
    if (fault_) text << " --faults " << faults[fault_ - 1].name;
    return text.str();
  }

  const CosimOptions& options_;
  std::unique_ptr<BenchArray> rtl_;
  const ArrayDesign& design_;  // of a table
  std::unique_ptr<ArrayPort> model_;
  ArrayStimulus stimulus_;
  Scoreboard scoreboard_;
  uint8_t fault_;
  bool taken_ = false;
  int64_t cycle_ = 0;
};

void check(const CosimOptions& options) {
  if (options.blocks < 1) throw UsageError("a run needs at least 1 block product");
  if (!(options.backpressure >= 0 && options.backpressure <= 1))
    throw UsageError("back-pressure is a share of the time, from 0 to 1");
}

CosimResult empty_result(const CosimOptions& options, const ArrayDesign& design) {
  CosimResult result;
  result.format_a = options.format_a ? options.format_a->name : "any";
  result.format_b = options.format_b ? options.format_b->name : "any";
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

std::vector<const BenchSource*> chosen_arrays(const CosimOptions& options) {
  std::vector<const BenchSource*> taken = chosen(options, bench_arrays(), /*any_shape=*/false);
  if (!taken.empty()) return taken;
  std::string built;
  for (const BenchSource& source : bench_arrays())
    built += (built.empty() ? "" : ", ") + std::string(source.design.datapath->name) + " " +
             std::to_string(source.design.shape.rows) + "×" +
             std::to_string(source.design.shape.cols);
  throw UsageError("no such array was built; valid: " + built);
}

}  // namespace

std::vector<CosimResult> run_cosim(const CosimOptions& options) {
  check(options);
  const std::vector<const BenchSource*> arrays = chosen_arrays(options);
  require_place_for_coverage();  // before the work
  std::vector<CosimResult> results;
  int64_t done = 0;  // block products of the arrays before
  for (size_t i = 0; i < arrays.size(); ++i) {
    const int64_t target = options.blocks * int64_t(i + 1) / int64_t(arrays.size());
    CosimResult result = empty_result(options, arrays[i]->design);
    LockStep(options, arrays[i]->make()).run(result, [&] {
      if (options.progress)
        options.progress(std::min(done + result.blocks, options.blocks), options.blocks);
      return done + result.blocks >= target;
    });
    done += result.blocks;
    results.push_back(std::move(result));
  }
  // Coverage is that of all arrays which collect it together.
  std::string data;
  for (const BenchSource* source : chosen(options, covered_arrays(), /*any_shape=*/true)) {
    CosimResult result = empty_result(options, source->design);
    LockStep covered(options, source->make());
    covered.run(result, [&] { return result.cycles >= covered_cycles; });
    result.coverage_data = covered.rtl().coverage();
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
  const Accumulation kind = design.datapath->kind;
  if (!(fault.kinds & kind_bit(kind))) {
    std::string names;
    for (const Datapath& d : datapaths)
      if (fault.kinds & kind_bit(d.kind) && d.kind != Accumulation::aligned)
        names += (names.empty() ? "" : ", ") + std::string(d.name);
    return "a datapath of " + names;
  }
  const FaultConditions run{options.format_a, options.format_b, kind, options.backpressure};
  return fault.need->is_met(run) ? "" : std::string(fault.need->what);
}

std::vector<FaultResult> run_faults(const CosimOptions& options, std::string_view only) {
  check(options);
  if (!only.empty()) find_by_name(faults, "fault", only);
  const BenchSource& source = *chosen_arrays(options).front();
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
    CosimResult run;
    LockStep(options, source.make(), uint8_t(i + 1)).run(run, [&] {
      return run.blocks >= options.blocks;
    });
    results.push_back({.name = std::string(fault.name),
                       .caught = !run.passed(),
                       .cycles = run.cycles,
                       .failure = run.failure});
    if (options.progress) options.progress(int64_t(i + 1), int64_t(faults.size()));
  }
  return results;
}

}  // namespace mxref
