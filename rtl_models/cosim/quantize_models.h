#pragma once
// The Verilated quantizers and dequantizers that were built, behind one set of pins. What a unit
// does not have on its pins is not read, or stays 0.

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "emu/block.h"
#include "rtl_models/rtl/quantize_faults.h"

namespace mxref {

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
  uint8_t fault = 0;  // a row of quantize_faults, from 1; 0 is none
};

// A block as it comes out: codes and scale, or values.
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

// What a model was built for.
struct ConversionBuild {
  std::string_view name;
  ConversionUnit unit = ConversionUnit::quantizer;
  uint32_t formats = 0;  // a bit for each row of block_formats
  bool has_mse = true;
  bool has_stochastic = true;
  bool has_faults = false;
  bool is_covered = false;  // it collects coverage, which makes it slow

  bool has_format(size_t row) const { return (formats >> row & 1) != 0; }
  int lanes() const;  // of a beat: the longest block
};

class ConversionModel {
 public:
  explicit ConversionModel(const ConversionBuild& build) : build_(build) {}
  virtual ~ConversionModel() = default;
  const ConversionBuild& build() const { return build_; }
  // After the last edge.
  const ConversionOutputs& outputs() const { return outputs_; }
  // One cycle: the pins, then the rising edge. Returns whether the outputs stayed as they were
  // before the edge whatever the pins said, as they must.
  virtual bool clock(const ConversionInputs& inputs) = 0;
  // Of a covered model. Throws InputError where it cannot be written.
  virtual void write_coverage(const std::filesystem::path& path) = 0;

 protected:
  ConversionBuild build_;
  ConversionOutputs outputs_;
};

// All formats, smaller sets, and a covered one of each unit.
const std::vector<ConversionBuild>& conversion_builds();
std::unique_ptr<ConversionModel> make_conversion_model(const ConversionBuild& build);

}  // namespace mxref
