#pragma once
// The pins of the E8M0 scaling unit, and those that were built.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "emu/datapaths.h"

namespace mxref {

// Its parameters.
struct ScalingDesign {
  int sum_bits = 42;
  SumRounding rounding = SumRounding::rne;
  bool ftz = false;
};

struct ScalingInputs {
  bool rst_n = true, valid = false;
  uint64_t sum = 0;  // its lowest bits, two's complement
  uint8_t a_scale = 0, b_scale = 0;
  int8_t a_unit_log2 = 0, b_unit_log2 = 0;
  uint8_t fault = 0;  // a number of rtl_models/rtl/faults.h, 0 for none
};

class ScalingUnit {
 public:
  virtual ~ScalingUnit() = default;
  virtual void clock(const ScalingInputs& in) = 0;
  virtual bool valid() const = 0;
  virtual uint32_t value() const = 0;
  // As ConversionModel's.
  virtual void open_waves(const std::filesystem::path& path) = 0;
  virtual std::string coverage() = 0;
};

// A unit that was built, and how to make one.
struct ScalingSource {
  std::string_view name;
  ScalingDesign design;
  std::unique_ptr<ScalingUnit> (*make)();
};
// The first has faults and collects coverage; of the other every parameter is another.
const std::vector<ScalingSource>& scaling_units();

}  // namespace mxref
