#pragma once
// The pins of the quantizer and the dequantizer, as plain structs: one interface to the Verilated
// units and to their SystemC models. What a unit does not have on its pins is not read, or stays 0.
// Cycle by cycle behaviour: the headers of mx_quantize.sv and mx_dequantize.sv.

#include <array>
#include <cstdint>

#include "emu/array_port.h"
#include "emu/block.h"

namespace mxref {

enum class ConversionUnit { quantizer, dequantizer };

// What a unit is built for.
struct ConversionDesign {
  ConversionUnit unit = ConversionUnit::quantizer;
  FormatSet formats = FormatSet().set();
  // Of the quantizer. A block that asks for what it has not is converted by `floor`, or toward 0.
  bool has_mse = true;
  bool has_stochastic = true;

  int lanes() const;  // of a beat: the longest block
};

inline constexpr int most_lanes = 32;

// A block: what goes in, and how it is converted. Numbers of rows are those of the tables.
struct ConversionBeat {
  std::array<uint32_t, most_lanes> data = {};  // of the quantizer; a bfloat16 in the low half
  std::array<uint8_t, most_lanes> codes = {};  // of the dequantizer
  uint8_t scale = 0;                           // of the dequantizer
  uint8_t lanes = 1;
  bool is_bfloat16 = false;
  uint8_t format = 0, rule = 0, rounding = 0;
  bool prescale = false;  // p = 3/4, else 1
  uint64_t seed = 0, index = 0;
  float tensor_scale = 1;
};

struct ConversionInputs {
  bool rst_n = true;  // synchronous, active low
  bool in_valid = false;
  ConversionBeat beat;
  bool out_ready = false;
  // A row of quantize_faults (rtl_models/rtl/quantize_faults.h), from 1; 0 is none. A model without
  // faults ignores it.
  uint8_t fault = 0;
};

// A block as it comes out: codes and scale, or values; 0 in lanes that it does not have.
struct ConvertedBlock {
  std::array<uint32_t, most_lanes> data = {};
  std::array<uint8_t, most_lanes> codes = {};
  uint8_t scale = 0;
  uint8_t lanes = 0;
  bool operator==(const ConvertedBlock&) const = default;
};
struct ConversionOutputs {
  bool in_ready = false;
  bool out_valid = false;
  ConvertedBlock block;
  bool operator==(const ConversionOutputs&) const = default;
};

// How a unit converts what is on its pins; a block with a tensor scale has no rule and no
// pre-scale, whatever the pins say.
Conversion conversion_of(const ConversionDesign& design, const ConversionBeat& beat);
// The definition: what the unit makes of a block.
ConvertedBlock convert(const ConversionDesign& design, const ConversionBeat& beat);
// Cycles for which the block stands in the unit's last stage before the buffer of results.
int conversion_cycles(const ConversionDesign& design, const ConversionBeat& beat);

class ConversionPort {
 public:
  virtual ~ConversionPort() = default;
  virtual const ConversionDesign& design() const = 0;
  // One rising edge of the clock while the pins hold `inputs`.
  virtual void clock(const ConversionInputs& inputs) = 0;
  // The pins after the last edge. Defined after the first edge with rst_n low.
  virtual const ConversionOutputs& outputs() const = 0;
};

}  // namespace mxref
