#pragma once
// What the beats of an array do to its accumulators, by the definition: a beat is cut into steps,
// or some beats make up one, and a step meets the accumulators. No time: who calls says when.

#include <cstdint>
#include <span>
#include <vector>

#include "emu/array_port.h"
#include "emu/exact_sum.h"

namespace mxref {

// A beat as an array keeps it.
struct ArrayBeat {
  bool is_first = false, is_last = false;  // of its tile
  int lanes = 0;                           // elements of each of its blocks
  const BlockFormat *format_a = &block_formats.front(), *format_b = &block_formats.front();
  OutType out_type = OutType::f32;
  std::vector<uint8_t> a_codes, a_scales, b_codes, b_scales;  // as the pins', no ignored bits
  std::vector<uint32_t> start;  // (rows, cols) binary32: where its tile's accumulators start
};
// The pins of a beat that is taken. What goes with a tile's first beat alone stays in the others.
void take_beat(const ArrayInputs& pins, ArrayBeat& beat);

// One step, or the blocks of it that have come.
struct ArrayStep {
  bool is_first = false, is_last = false;  // of its tile
  bool is_full = false;                    // no blocks are to come
  bool continues = false;                  // blocks of it came before these
  const BlockFormat *format_a = nullptr, *format_b = nullptr;
  OutType out_type = OutType::f32;
  int terms = 0, codes = 0, blocks = 0;     // of a row: room for codes, codes and blocks there are
  std::vector<uint8_t> a_codes, b_codes;    // (rows, terms), (cols, terms)
  std::vector<uint8_t> a_scales, b_scales;  // (rows, terms), (cols, terms): a block has one
  std::vector<uint32_t> start;              // as in the beat
};

// Cuts the beats of tiles into steps, one after the other.
class StepCutter {
 public:
  explicit StepCutter(const ArrayDesign& design) : design_(design) {}
  // The next beat begins a tile, whatever came before.
  void reset() { step_ = terms_ = 0; }
  // The next step of a beat, and whether it is the beat's last.
  ArrayStep next(const ArrayBeat& beat);
  bool is_last(const ArrayBeat& beat) const {
    return (step_ + 1) * design_.step_lanes() >= beat.lanes;
  }

 private:
  const ArrayDesign& design_;
  int step_ = 0;   // of the beat
  int terms_ = 0;  // of the step, in the blocks before
  bool is_first_ = false;
};
// The blocks of `more` behind those of `step`.
void append(ArrayStep& step, const ArrayStep& more);

// The accumulators of an array, (rows, cols) binary32: of `exact` the rounded sum so far.
class Accumulators {
 public:
  explicit Accumulators(const ArrayDesign& design);
  const std::vector<uint32_t>& values() const { return values_; }
  // A full step.
  void apply(const ArrayStep& step);

 private:
  void apply_block(const ArrayStep& step);

  const ArrayDesign& design_;
  std::vector<uint32_t> values_;
  std::vector<ExactSum> exact_;  // of that datapath alone
};

// The bits that leave the array for a binary32.
uint32_t to_out_type(uint32_t bits, OutType type);

}  // namespace mxref
