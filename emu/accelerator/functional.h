#pragma once
// The accelerator without a clock: registers, tile memory and jobs, each computed when it starts
// and ended when who calls says so. It has no streams: rows of results stay in D. The TLM target is
// this with time; alone it is a plain stand-in for the hardware under a driver.

#include <cstdint>

#include "emu/accelerator/host_side.h"
#include "emu/array_steps.h"

namespace mxref::accelerator {

class Functional {
 public:
  explicit Functional(const Design& design);

  // A host's accesses: the answer of the bus.
  uint8_t write(uint32_t address, uint32_t data, bool is_whole = true);
  uint8_t read(uint32_t address, uint32_t& data);

  bool is_busy() const { return running_.busy; }
  // Cycles for which the job that runs is busy where nothing holds results back; of the first
  // beats' stalls under a tile before it nothing is known here.
  int64_t job_cycles() const { return job_cycles_; }
  // The job that runs ends.
  void finish();
  bool interrupt() const { return host_.interrupt(); }

  // The whole address space, word by word; registers are not in it.
  std::vector<uint32_t>& memory() { return host_.memory(); }
  const Design& design() const { return design_; }

 private:
  void start();

  const Design design_;
  HostSide host_;
  Running running_;
  StepCutter cutter_;
  Accumulators accumulators_;
  ArrayBeat beat_;
  ArrayStep step_;
  int64_t job_cycles_ = 0;
};

}  // namespace mxref::accelerator
