#include "rtl_models/cosim/lock_step.h"

#include <sstream>

#include "emu/systemc/systemc_array.h"
#include "rtl_models/rtl/faults.h"

namespace mxref {

// What differs between what the RTL shows and what the SystemC model shows: every cycle, the
// payload where it is valid.
static void compare_outputs(const ArrayOutputs& model, const ArrayOutputs& rtl,
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

// A described datapath stands in quotes in a shell.
static std::string as_argument(std::string_view name) {
  return name.starts_with('{') ? "'" + std::string(name) + "'" : std::string(name);
}

LockStep::LockStep(const CosimOptions& options, std::unique_ptr<BenchArray> rtl, uint8_t fault)
    : options_(options),
      rtl_(std::move(rtl)),
      design_(rtl_->design()),
      model_(make_systemc_array(design_)),
      stimulus_(options, design_),
      scoreboard_(design_),
      fault_(fault) {}

void LockStep::run(CosimResult& result, const std::function<bool()>& done) {
  while (!done() && result.passed()) step(result, stimulus_.next(taken_));
  // What is inside must come out: a tile in each of the stages at most, and a beat on the pins.
  const int64_t enough_cycles = 8 + 6 * (design_.shape.rows + 1) + 2 * design_.lanes();
  for (int64_t i = 0; i < enough_cycles && result.passed(); ++i)
    step(result, stimulus_.drain(taken_));
  if (!result.passed() || scoreboard_.is_empty()) return;
  ++result.mismatches;
  fail(result, {"out_valid (results missing)", "0x1", "0x0"}, "the definition");
}

void LockStep::open_waves_at(int64_t cycle, std::filesystem::path file) {
  waves_from_ = cycle;
  waves_ = std::move(file);
}

void LockStep::step(CosimResult& result, ArrayInputs pins) {
  if (cycle_ == waves_from_) rtl_->open_waves(waves_);
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
    fail(result, mismatches.front(), against);
  else if (result.assertions_failed > 0)
    fail(result, {"an assertion in the RTL", "holds", "failed"}, "its property");
  ++cycle_;
}

// The transfers of the coming edge, and the block that the last one moved.
void LockStep::check_transfers(CosimResult& result, const ArrayInputs& pins,
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

void LockStep::fail(CosimResult& result, const Mismatch& mismatch, const char* against) {
  signal_ = mismatch.signal;
  std::ostringstream text;
  text << "seed " << options_.seed << ", cycle " << cycle_ << ", signal " << mismatch.signal
       << ": expected " << mismatch.expected << " by " << against << ", got " << mismatch.got
       << "\n  repeat: mxref cosim";
  // Every array has its run, of a share of the blocks.
  if (!options_.array_library.empty()) text << " --array " << options_.array_library;
  if (options_.shape.rows) text << " --rows " << options_.shape.rows;
  if (options_.shape.cols) text << " --cols " << options_.shape.cols;
  if (options_.datapath) text << " --datapath " << as_argument(options_.datapath->name);
  if (options_.format_a) text << " --format " << options_.format_a->name;
  if (options_.format_b) text << " --format-b " << options_.format_b->name;
  text << " --blocks " << options_.blocks << " --backpressure " << options_.backpressure
       << " --seed " << options_.seed;
  if (fault_) text << " --faults " << faults[fault_ - 1].name;
  result.failure = text.str();
}

}  // namespace mxref
