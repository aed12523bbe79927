#include "rtl_models/cosim/quantize_bench.h"

#include <algorithm>
#include <deque>
#include <span>
#include <sstream>

#include "emu/error.h"
#include "emu/systemc/systemc_conversion.h"
#include "rtl_models/cosim/quantize_stimulus.h"
#include "rtl_models/cosim/waves.h"
#include "rtl_models/rtl/quantize_faults.h"

namespace mxref {
namespace {

struct ConversionMismatch {
  std::string signal;
  uint64_t expected, got;
};

void compare_blocks(const ConvertedBlock& expected, const ConvertedBlock& got,
                    std::vector<ConversionMismatch>& mismatches) {
  const auto compare = [&](const std::string& signal, uint64_t a, uint64_t b) {
    if (a != b) mismatches.push_back({signal, a, b});
  };
  compare("out_scale", expected.scale, got.scale);
  compare("out_lanes", expected.lanes, got.lanes);
  for (size_t i = 0; i < most_lanes; ++i) {
    const std::string lane = "[" + std::to_string(i) + "]";
    compare("out_codes" + lane, expected.codes[i], got.codes[i]);
    compare("out_data" + lane, expected.data[i], got.data[i]);
  }
}

std::string hex(uint64_t value) {
  std::ostringstream text;
  text << "0x" << std::hex << value;
  return text.str();
}

// How a block is converted, for a failure's text.
std::string describe(const ConversionBuild& build, const ConversionBeat& beat) {
  std::ostringstream text;
  text << block_formats[beat.format].name;
  if (build.design.unit == ConversionUnit::quantizer)
    text << ", rule " << scale_rules[beat.rule].name << ", rounding "
         << roundings[beat.rounding].name << (beat.is_bfloat16 ? ", bfloat16" : ", binary32")
         << ", conversion seed " << hex(beat.seed) << ", index " << beat.index;
  else
    text << ", scale " << hex(beat.scale);
  text << ", pre-scale " << (beat.prescale ? "3/4" : "1") << ", tensor scale "
       << hex(std::bit_cast<uint32_t>(beat.tensor_scale)) << ", lanes";
  for (size_t i = 0; i < beat.lanes; ++i)
    text << " "
         << hex(build.design.unit == ConversionUnit::quantizer ? beat.data[i]
                                                               : uint64_t(beat.codes[i]));
  return text.str();
}

// One unit on random pins, from reset.
class ConversionBench {
 public:
  ConversionBench(const ConversionBuild& build, const ConversionBenchOptions& options,
                  uint8_t fault)
      : build_(build),
        options_(options),
        fault_(fault),
        rtl_(build.make()),
        model_(make_systemc_conversion(build.design)),
        stimulus_(build.design, options.format, options.seed) {}

  void run(ConversionBenchResult& result) {
    const auto goes_on = [&] {
      return options_.blocks > 0 ? result.blocks < options_.blocks : stimulus_.directed_left() > 0;
    };
    for (pins_.rst_n = false; cycle_ < 2;) step(result);
    while (goes_on() && result.passed()) {
      next_pins();
      step(result);
    }
    // What is inside must come out: four blocks, each in a few cycles.
    constexpr int enough_cycles = 100;
    for (int i = 0; i < enough_cycles && result.passed(); ++i) {
      pins_.rst_n = pins_.out_ready = true;
      if (!waits_) put_gap();
      step(result);
    }
    if (result.passed() && !inside_.empty())
      fail(result, "the definition", {{"out_valid (blocks missing)", 1, 0}}, &inside_.front());
    result.cycles = cycle_;
  }
  ConversionModel& rtl() { return *rtl_; }
  // From this cycle on every one goes to options.waves.
  void open_waves_at(int64_t cycle) { waves_from_ = cycle; }

 private:
  // Traffic changes its character every now and then; chances in eighths.
  struct Phase {
    int cycles = 0;
    uint64_t gap = 0, stall = 0;
  };
  bool chance(uint64_t eighths) { return stimulus_.below(8) < eighths; }

  void begin_phase() {
    constexpr uint64_t thousand = 1000, chances[] = {1, 4, 7};
    const auto share = uint64_t(options_.backpressure * thousand);
    const auto draw = [&] {
      return stimulus_.below(thousand) < share ? chances[stimulus_.below(3)] : 0;
    };
    phase_.cycles = 50 + int(stimulus_.below(200));
    phase_.gap = draw();
    phase_.stall = draw();
  }

  void put_gap() {
    pins_.in_valid = false;
    pins_.beat = stimulus_.noise();
  }

  void next_pins() {
    constexpr uint64_t cycles_between_resets = 1500;
    if (phase_.cycles-- == 0) begin_phase();
    pins_.out_ready = !chance(phase_.stall);
    if (reset_cycles_ == 0 && stimulus_.below(cycles_between_resets) == 0)
      reset_cycles_ = 1 + int(stimulus_.below(3));
    pins_.rst_n = reset_cycles_ == 0;
    if (!pins_.rst_n) {  // whatever the inputs say, a reset empties the unit
      --reset_cycles_;
      put_gap();
      pins_.in_valid = chance(4);
    } else if (waits_) {  // valid stays, and the block with it
    } else if (chance(phase_.gap)) {
      put_gap();
    } else {
      pins_.in_valid = true;
      pins_.beat = stimulus_.next();
    }
  }

  // What the last edge left, the transfers of the coming one, and the edge.
  void step(ConversionBenchResult& result) {
    if (cycle_ == waves_from_) rtl_->open_waves(options_.waves);
    if (cycle_ > 0) {  // outputs mean something after the first edge in reset
      compare_with_model(result);
      if (result.passed()) check_transfers(result);
    }
    pins_.fault = fault_;
    rtl_->clock(pins_);
    model_->clock(pins_);
    if (!rtl_->is_independent() && cycle_ > 0 && result.passed())
      fail(result, "registers alone", {{"an output (changed without an edge)", 0, 1}}, nullptr);
    ++cycle_;
  }

  void compare_with_model(ConversionBenchResult& result) {
    const ConversionOutputs &expected = model_->outputs(), &got = rtl_->outputs();
    std::vector<ConversionMismatch> mismatches;
    if (expected.in_ready != got.in_ready)
      mismatches.push_back({"in_ready", expected.in_ready, got.in_ready});
    if (expected.out_valid != got.out_valid)
      mismatches.push_back({"out_valid", expected.out_valid, got.out_valid});
    if (expected.out_valid && got.out_valid) compare_blocks(expected.block, got.block, mismatches);
    const ConversionBeat* block = inside_.empty() ? nullptr : &inside_.front();
    if (!mismatches.empty()) fail(result, "the SystemC model", mismatches, block);
  }

  void check_transfers(ConversionBenchResult& result) {
    const ConversionOutputs& out = rtl_->outputs();
    const bool taken = pins_.rst_n && pins_.in_valid && out.in_ready;
    const bool sent = pins_.rst_n && out.out_valid && pins_.out_ready;
    if (sent && inside_.empty())
      return fail(result, "the definition", {{"out_valid (block of none)", 0, 1}}, nullptr);
    if (sent) {
      const ConversionBeat beat = inside_.front();
      inside_.pop_front();
      std::vector<ConversionMismatch> mismatches;
      compare_blocks(convert(build_.design, beat), out.block, mismatches);
      ++result.blocks;
      result.elements += beat.lanes;
      if (!mismatches.empty()) return fail(result, "the definition", mismatches, &beat);
    }
    if (taken) inside_.push_back(pins_.beat);
    waits_ = pins_.rst_n && pins_.in_valid && !taken;
    result.stalled_cycles += waits_ || (pins_.rst_n && out.out_valid && !sent);
    if (!pins_.rst_n) {
      result.dropped += int64_t(inside_.size());
      for (const ConversionBeat& beat : inside_) stimulus_.again(beat);
      inside_.clear();
    }
  }

  void fail(ConversionBenchResult& result, const char* by,
            const std::vector<ConversionMismatch>& mismatches, const ConversionBeat* beat) {
    std::ostringstream text;
    const ConversionMismatch& first = mismatches.front();
    text << build_.name << ", seed " << options_.seed << ", cycle " << cycle_ << ", signal "
         << first.signal << ": expected " << hex(first.expected) << " by " << by << ", got "
         << hex(first.got);
    if (beat) text << "\n  block: " << describe(build_, *beat);
    text << "\n  options: blocks " << options_.blocks << ", back-pressure "
         << options_.backpressure;
    if (options_.format) text << ", format " << options_.format->name;
    if (fault_) text << ", fault " << quantize_faults[size_t(fault_) - 1].name;
    result.mismatches = int64_t(mismatches.size());
    result.failure = text.str();
  }

  const ConversionBuild& build_;
  const ConversionBenchOptions& options_;
  uint8_t fault_;
  std::unique_ptr<ConversionModel> rtl_;
  std::unique_ptr<ConversionPort> model_;
  ConversionStimulus stimulus_;
  ConversionInputs pins_;
  Phase phase_;
  int reset_cycles_ = 0;
  bool waits_ = false;  // the block on the pins was not taken
  std::deque<ConversionBeat> inside_;
  int64_t cycle_ = 0, waves_from_ = -1;
};

}  // namespace

ConversionBenchResult run_conversion_bench(const ConversionBuild& build,
                                           const ConversionBenchOptions& options, uint8_t fault) {
  if (!(options.backpressure >= 0 && options.backpressure <= 1))
    throw UsageError("back-pressure is a share of the time, from 0 to 1");
  if (options.format && !build.design.formats[format_number(*options.format)])
    throw UsageError("the model " + std::string(build.name) + " has no " +
                     std::string(options.format->name));
  ConversionBenchResult result;
  result.model = build.name;
  ConversionBench bench(build, options, fault);
  bench.run(result);
  if (build.is_covered) result.coverage_data = bench.rtl().coverage();
  if (result.passed() || options.waves.empty()) return result;
  ConversionBenchResult again;
  ConversionBench repeated(build, options, fault);
  repeated.open_waves_at(first_cycle_of_waves(result.cycles));
  repeated.run(again);
  return result;
}

}  // namespace mxref
