#pragma once
// Random tiles through an array, with random gaps and back-pressure on both sides; every update of
// the accumulators and every row of results compared with emu.

#include <deque>
#include <string>

#include "emu/array_port.h"
#include "emu/vectors/stimulus.h"

namespace mxref {

struct Traffic {
  uint64_t seed = 1;
  int64_t tiles = 100;
  int max_blocks = 8;       // of a tile, at least 1
  int valid_percent = 100;  // of cycles in which a beat is offered, where none waits
  int ready_percent = 100;  // of cycles in which a row is taken
  int64_t reset_at = -1;    // cycle in which reset is low in the middle of the work; -1: none
  uint8_t fault = 0;
  uint64_t nan_every = 256;  // Stimulus
};

struct Verdict {
  int64_t cycles = 0;
  int64_t compared = 0;    // accumulators and results
  int64_t mismatches = 0;  // and rows that came when none was due
  bool finished = false;   // false where the array stopped answering
  std::string first;       // the first mismatch: operands in hex, seed, cycle
  bool good() const { return finished && mismatches == 0; }
};

Verdict drive(ArrayPort& array, const Traffic& traffic);

}  // namespace mxref
