#pragma once
// Random pins for an array, cycle by cycle: tiles of random length and formats, C, short blocks,
// gaps, back-pressure, resets, special values (emu/vectors/stimulus.h). Where the array may not
// look, between the beats, behind a block and at what goes with a tile's first beat alone, the pins
// are noise.

#include "emu/vectors/stimulus.h"
#include "rtl_models/cosim/cosim.h"

namespace mxref {

class ArrayStimulus {
 public:
  ArrayStimulus(const CosimOptions& options, const ArrayDesign& design);

  // The pins of the next edge. `beat_taken`: the last edge took the beat that the pins held.
  const ArrayInputs& next(bool beat_taken);
  // As next(), and no new beats: what is in the array drains.
  const ArrayInputs& drain(bool beat_taken);

 private:
  // Traffic changes its character every now and then; chances in eighths.
  struct Phase {
    int cycles = 0;
    uint64_t gap = 0, stall = 0, longest_tile = 1;
  };

  // Whether the pins hold a beat that must stay. What they show in reset is none.
  bool waits(bool beat_taken) const { return pins_.rst_n && pins_.in_valid && !beat_taken; }
  bool chance(uint64_t eighths) { return stimulus_.below(8) < eighths; }
  void begin_phase();
  void begin_tile();
  void put_beat();
  void draw_formats();
  void put_codes(const BlockFormat& format, std::vector<uint8_t>& codes);
  void put_infinity();
  void put_wide_sums();
  void put_cancelling_pair();
  void put_end();
  void put_scales_of_subnormals();
  void put_sums_below_normal();
  BlockSum sum_of(size_t row, size_t col) const;
  void put_accumulators();
  void put_largest_subnormals();
  uint32_t with_rare_bits(uint32_t accumulator);
  void put_ignored_bits(const BlockFormat& format, std::vector<uint8_t>& codes);
  void put_gap();
  void put_noise_of_the_start();
  template <typename Lane>
  void put_noise(std::vector<Lane>& lanes);

  const CosimOptions& options_;
  const ArrayDesign& design_;
  Stimulus stimulus_;
  ArrayInputs pins_;
  Phase phase_;
  int reset_cycles_ = 2;      // that are still to come
  uint64_t blocks_left_ = 0;  // of the tile, the beat on the pins included
  // Of some tiles every block is at an end of what its formats and scales can hold.
  enum class End { none, least, largest, either } tile_end_ = End::none;
  bool tile_negative_ = false;  // at the end
  const BlockFormat *tile_format_a_ = nullptr, *tile_format_b_ = nullptr;
};

}  // namespace mxref
