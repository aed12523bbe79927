#pragma once
// Two models of the accelerator on the same random pins, edge by edge: every output is compared in
// every cycle, payloads where they are valid. Programming is random, a good part of it wrong;
// all channels have gaps and back-pressure; resets come in the middle of everything.

#include <bitset>
#include <functional>
#include <string>

#include "emu/accelerator/port.h"
#include "emu/accelerator/registers.h"

namespace mxref {

struct LockstepOptions {
  uint64_t seed = 1;
  int64_t cycles = 100'000;
  uint8_t fault = 0;  // in the first model
  std::function<void(int64_t cycle)> before_cycle = {};
  std::function<int64_t()> assertions_failed =
      {};  // of the first model; the first one stops the run
};

struct LockstepResult {
  int64_t cycles = 0, compared = 0;                // payloads
  int64_t mismatches = 0;                          // 1 where outputs differ
  int64_t rows = 0;                                // of results that left by the stream
  int64_t jobs = 0;                                // whose end the host saw
  std::bitset<accelerator::errors.size()> errors;  // codes that the host read
  std::string failure;  // seed, cycle, signal, expected, got of the first difference; else empty
  bool passed() const { return failure.empty(); }
};
// got: what is under test; expected: what it is compared with. Stops at the first difference.
LockstepResult run_lockstep(accelerator::Port& got, accelerator::Port& expected,
                            const LockstepOptions& options);

// A job whose rows nobody takes for so many cycles, many more than those of random pins without a
// reset: whether the counter of its cycles goes on. What is wrong; empty where nothing is.
std::string check_long_job(accelerator::Port& port, int64_t cycles);

}  // namespace mxref
