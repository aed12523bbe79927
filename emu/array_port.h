#pragma once
// The pins of the MX array, as plain structs: one interface to the Verilated RTL and to the SystemC
// model, so that a bench or a driver does not know which it holds. Cycle by cycle behaviour:
// rtl_models/README.md.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "emu/formats.h"

namespace mxref {

// The formats of the array's operands, by the number that its pins carry.
inline constexpr std::array array_formats{&block_format_of(e2m1), &block_format_of(e4m3)};

// Elements of one block, and so of one beat of each row and column. The array has no other.
inline constexpr int array_block = 32;

struct ArrayShape {
  int rows = 0;
  int cols = 0;
  bool operator==(const ArrayShape&) const = default;
};

// What the pins hold while the clock rises. Vectors have these sizes always.
struct ArrayInputs {
  explicit ArrayInputs(ArrayShape shape)
      : a_codes(size_t(shape.rows) * array_block),
        a_scales(size_t(shape.rows)),
        b_codes(size_t(shape.cols) * array_block),
        b_scales(size_t(shape.cols)),
        c(size_t(shape.rows) * size_t(shape.cols)) {}

  bool rst_n = true;  // synchronous, active low
  // The beat.
  bool in_valid = false;
  bool in_first = false;                   // first block of a tile: formats and C are taken with it
  bool in_last = false;                    // last block of a tile: its results follow
  bool in_preload = false;                 // with first: the accumulators start at c, else at +0
  uint8_t format_a = 0, format_b = 0;      // with first: a number of array_formats
  std::vector<uint8_t> a_codes, a_scales;  // (rows, 32) codes, (rows) e8m0
  std::vector<uint8_t> b_codes, b_scales;  // (cols, 32) codes, (cols) e8m0
  std::vector<uint32_t> c;                 // (rows, cols) binary32 bits
  bool out_ready = false;
  // Number of a planted fault, 0 = none (rtl_models/rtl/faults.h); constant from reset to reset. A
  // model without faults ignores it.
  uint8_t fault = 0;
};

// What the pins hold between two rising edges: functions of registers alone.
struct ArrayOutputs {
  explicit ArrayOutputs(ArrayShape shape)
      : out_data(size_t(shape.cols)), trace_acc(size_t(shape.rows) * size_t(shape.cols)) {}

  bool in_ready = false;
  bool out_valid = false;
  bool out_last = false;           // the row is the tile's last
  uint32_t out_row = 0;            // row of the tile
  std::vector<uint32_t> out_data;  // (cols) binary32 bits
  // The trace. Meaningful where trace_valid: the last edge moved a block into the accumulators.
  bool trace_valid = false;
  bool trace_first = false, trace_last = false;  // that block's flags
  uint8_t trace_stages = 0;                      // always: valid bits of the registers, see README
  std::vector<uint32_t> trace_acc;               // (rows, cols) binary32 bits after the update
};
// trace_stages, from the lowest bit.
enum ArrayStage : uint8_t {
  stage_beat = 1,
  stage_sum = 2,
  stage_term = 4,
  stage_result = 8,
};

class ArrayPort {
 public:
  virtual ~ArrayPort() = default;
  virtual ArrayShape shape() const = 0;
  // One rising edge of the clock while the pins hold `inputs`.
  virtual void clock(const ArrayInputs& inputs) = 0;
  // The pins after the last edge. Defined after the first edge with rst_n low.
  virtual const ArrayOutputs& outputs() const = 0;
};

}  // namespace mxref
