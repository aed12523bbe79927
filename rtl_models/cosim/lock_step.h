#pragma once
// One RTL array and one SystemC model on the same pins, from reset.

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "rtl_models/cosim/array_stimulus.h"
#include "rtl_models/cosim/cosim.h"
#include "rtl_models/cosim/scoreboard.h"
#include "rtl_models/engine/verilated_array.h"

namespace mxref {

class LockStep {
 public:
  LockStep(const CosimOptions& options, std::unique_ptr<BenchArray> rtl, uint8_t fault = 0);

  // Until `done` says so, or something differs; then what is inside drains.
  void run(CosimResult& result, const std::function<bool()>& done);
  BenchArray& rtl() { return *rtl_; }
  // From this cycle on every one goes to an FST file. Throws InputError where it cannot be written.
  void open_waves_at(int64_t cycle, std::filesystem::path file);
  // The signal that stopped the run; empty where nothing differed.
  const std::string& signal() const { return signal_; }

 private:
  void step(CosimResult& result, ArrayInputs pins);
  void check_transfers(CosimResult& result, const ArrayInputs& pins,
                       std::vector<Mismatch>& mismatches);
  void fail(CosimResult& result, const Mismatch& mismatch, const char* against);

  const CosimOptions& options_;
  std::unique_ptr<BenchArray> rtl_;
  const ArrayDesign& design_;  // of a table
  std::unique_ptr<ArrayPort> model_;
  ArrayStimulus stimulus_;
  Scoreboard scoreboard_;
  uint8_t fault_;
  bool taken_ = false;
  int64_t cycle_ = 0;
  std::string signal_;
  int64_t waves_from_ = -1;  // a cycle; -1: no waves
  std::filesystem::path waves_;
};

}  // namespace mxref
