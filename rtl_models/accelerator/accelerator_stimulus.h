#pragma once
// Random pins for the accelerator: a host that fills buffers, programs jobs and starts them, reads
// back, and makes every mistake of the table now and then; a stream of operand packets beside it.
// Valid stays until ready, as AXI wants.

#include <deque>
#include <random>

#include "emu/accelerator/host_side.h"

namespace mxref {

class AcceleratorStimulus {
 public:
  AcceleratorStimulus(const accelerator::Design& design, uint64_t seed);

  // The pins of the next edge; `out` are the outputs before it.
  const accelerator::Inputs& next(const accelerator::Outputs& out);
  // The register that the answer on the read channel is of; what is no register is ~0.
  uint32_t read_address() const { return read_address_; }

 private:
  struct Write {
    uint32_t address = 0, data = 0;
    uint8_t strobes = 0xF;
  };
  // What the host does next: writes in order, or waits.
  struct Action {
    enum { write, wait, wait_idle, hold_results } kind = write;
    Write data = {};
    int cycles = 0;
  };

  uint64_t below(uint64_t count) { return random_() % count; }
  bool chance(int percent) { return below(100) < uint64_t(percent); }
  void count_transfers();
  void reset();
  void plan();
  void plan_job();
  void plan_cut();
  void plan_mistake();
  void plan_packet();
  void add(uint32_t address, uint32_t data) {
    actions_.push_back({Action::write, {address, data}});
  }
  uint32_t random_place(bool is_operand);
  uint32_t wrong_place();
  uint32_t random_word(uint32_t address);
  void put_write();
  void put_read();
  void put_stream();

  const accelerator::Design& design_;
  std::mt19937_64 random_;
  accelerator::Inputs pins_;
  accelerator::Outputs at_edge_;  // at which the pins stand
  std::deque<Action> actions_;
  std::deque<std::pair<uint32_t, bool>> stream_;  // words, and whether they are last
  std::deque<Write> address_half_, data_half_;    // of writes that are on their way
  int reset_cycles_ = 2, phase_cycles_ = 0, stall_percent_ = 0, hold_cycles_ = 0;
  int writes_open_ = 0;  // not answered
  uint32_t read_address_ = ~0u, status_ = 0;
  bool status_is_fresh_ = false;
};

}  // namespace mxref
