#pragma once
// What the accelerator does with a host's accesses, without time: registers, tile memory, errors,
// the check of a start. The cycle model and the TLM target are this with their clocks.

#include <cstdint>
#include <vector>

#include "emu/accelerator/port.h"
#include "emu/accelerator/registers.h"

namespace mxref::accelerator {

// What an address means.
struct Place {
  bool is_mapped = false;
  uint32_t region = 0;
  int buffer = 0;
  int major = 0;  // block, or row of C and D
  int minor = 0;  // row or column
  int word = 0;   // of codes
};
Place place_of(const Design& design, uint32_t address);
// The address of a word of the tile memory.
uint32_t address_of(const Place& place);
inline uint32_t address_of(uint32_t region, int buffer, int major, int minor, int word = 0) {
  return address_of({true, region, buffer, major, minor, word});
}
// The place behind this one in a packet of the operand stream; false where there is none.
bool advance(const Design& design, Place& place);

// What job, formats and length say of the next job.
struct Job {
  bool first = false, last = false, preload = false, stream = false;
  int buffer = 0, result_buffer = 0;
  uint32_t format_a = 0, format_b = 0, out_type = 0;
  uint32_t blocks = 0, last_elements = 0;
};

// What runs now.
struct Running {
  bool busy = false, open = false;
  Job job;                   // the one that runs, or ran last
  uint32_t blocks_left = 0;  // that were not read from the tile memory
  int64_t tile_blocks = 0;   // of the tile, up to and with this job
  // What it becomes when a job starts.
  Running with(const Job& next) const {
    return {true, true, next, next.blocks, (next.first ? 0 : tile_blocks) + next.blocks};
  }
  // Whether a buffer must not be written.
  bool uses(int buffer) const { return busy && blocks_left > 0 && buffer == job.buffer; }
};

struct Counters {
  uint32_t busy_cycles = 0, stalled_cycles = 0, beats = 0, rows_out = 0, packets = 0;
};

class HostSide {
 public:
  // Throws UsageError where the memory map has no room for the design.
  explicit HostSide(const Design& design);

  // The error of a write or a read, 0 where it is good, and the answer that goes with one.
  uint8_t write_error(uint32_t address, bool is_whole, const Running& running) const;
  uint8_t read_error(uint32_t address) const;
  static uint8_t answer(uint8_t error);

  // A write without error: what it asks for beyond the registers and the memory.
  struct Request {
    bool start = false, abort = false, clears_counters = false, clears_done = false,
         clears_error = false;
  };
  Request request_of(uint32_t address, uint32_t data) const;
  void write(uint32_t address, uint32_t data);
  uint32_t read(uint32_t address, const Running& running) const;

  Job next_job() const;
  // The first thing that is wrong with starting it, 0 where nothing is.
  uint8_t start_error(const Running& running) const;

  // The first error since it was cleared stays.
  void raise(uint8_t error);
  void clear_error() { error_code_ = 0; }
  void set_done(bool done) { done_ = done; }
  bool interrupt() const;
  void reset();  // registers, not the memory

  uint32_t memory_word(const Place& place) const;
  void set_memory_word(const Place& place, uint32_t word) { memory_[address_of(place) / 4] = word; }
  // The whole address space, word by word; region 0 is empty.
  std::vector<uint32_t>& memory() { return memory_; }
  // A block of a job, on the pins of the array.
  void put_beat(const Job& job, int block, ArrayInputs& pins) const;

  Counters counters;

 private:
  uint32_t read_register(uint32_t offset, const Running& running) const;

  const Design design_;
  std::vector<uint32_t> memory_;
  uint32_t interrupt_ = 0, job_ = 0, formats_ = 0, length_ = 0;
  bool done_ = false;
  uint8_t error_code_ = 0;
};

}  // namespace mxref::accelerator
