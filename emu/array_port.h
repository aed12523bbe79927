#pragma once
// The pins of the MX array, as plain structs: one interface to the Verilated RTL and to the SystemC
// model, so that a bench or a driver does not know which it holds. Cycle by cycle behaviour:
// rtl_models/README.md.

#include <bitset>
#include <cstdint>
#include <memory>
#include <vector>

#include "emu/datapaths.h"
#include "emu/formats.h"

namespace mxref {

// A format's number, which the pins carry, is its row in block_formats; a set of formats has a bit
// for each.
using FormatSet = std::bitset<block_formats.size()>;
inline size_t format_number(const BlockFormat& format) {
  return size_t(&format - block_formats.data());
}

struct ArrayShape {
  int rows = 0;
  int cols = 0;
  bool operator==(const ArrayShape&) const = default;
};

// What an array is built for.
struct ArrayDesign {
  ArrayShape shape;
  const Datapath* datapath = &datapaths.front();
  FormatSet formats_a = FormatSet().set(), formats_b = FormatSet().set();

  // Codes of one row in a beat: the longest block. A shorter one leaves the last of them unread.
  int lanes() const;
  // Lanes that an element of the array takes in a cycle, and products whose sum meets the
  // accumulator in one step.
  int step_lanes() const;
  int step_terms() const;
  // Blocks of a tile: on `exact` its sum has room for 2^16.
  int64_t most_blocks() const {
    return datapath->kind == Accumulation::exact ? int64_t(1) << 16 : INT64_MAX;
  }
};

// What leaves the array: binary32, or 16 bits rounded from it.
enum class OutType : uint8_t { f32, bf16, f16 };

// What the pins hold while the clock rises. Vectors have these sizes always.
struct ArrayInputs {
  explicit ArrayInputs(const ArrayDesign& design)
      : a_codes(size_t(design.shape.rows * design.lanes())),
        a_scales(size_t(design.shape.rows)),
        b_codes(size_t(design.shape.cols * design.lanes())),
        b_scales(size_t(design.shape.cols)),
        c(size_t(design.shape.rows) * size_t(design.shape.cols)) {}

  bool rst_n = true;  // synchronous, active low
  // The beat.
  bool in_valid = false;
  bool in_first = false;                   // first block of a tile: formats and C are taken with it
  bool in_last = false;                    // last block of a tile: its results follow
  bool in_preload = false;                 // with first: the accumulators start at c, else at +0
  uint8_t in_lanes = 0;                    // elements of the block; further lanes are not read
  uint8_t format_a = 0, format_b = 0;      // with first: format numbers
  OutType out_type = OutType::f32;         // with first
  std::vector<uint8_t> a_codes, a_scales;  // (rows, lanes) codes, (rows) scales
  std::vector<uint8_t> b_codes, b_scales;  // (cols, lanes) codes, (cols) scales
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
  std::vector<uint32_t> out_data;  // (cols) bits of the tile's out_type
  // The trace. Meaningful where trace_valid: the last edge moved a step into the accumulators.
  bool trace_valid = false;
  bool trace_first = false, trace_last = false;  // that step is its tile's first, last
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
  virtual const ArrayDesign& design() const = 0;
  // One rising edge of the clock while the pins hold `inputs`.
  virtual void clock(const ArrayInputs& inputs) = 0;
  // The pins after the last edge. Defined after the first edge with rst_n low.
  virtual const ArrayOutputs& outputs() const = 0;
};

}  // namespace mxref
