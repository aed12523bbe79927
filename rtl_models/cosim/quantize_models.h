#pragma once
// The Verilated quantizers and dequantizers that were built.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "emu/conversion_port.h"

namespace mxref {

class ConversionModel : public ConversionPort {
 public:
  // Whether at the last edge the outputs were, whatever the inputs said, what they had been after
  // the edge before: functions of registers alone.
  virtual bool is_independent() const = 0;
  // From now on every cycle goes to an FST file. Throws InputError where it cannot be written.
  virtual void open_waves(const std::filesystem::path& path) = 0;
  // As Verilator's own tool reads it: of a covered model; another has no points.
  virtual std::string coverage() = 0;
};

// A unit that was built, and how to make one.
struct ConversionBuild {
  std::string_view name;
  ConversionDesign design;
  std::function<std::unique_ptr<ConversionModel>(const ConversionDesign& design)> make_of;
  bool has_faults = false;
  bool is_covered = false;  // it collects coverage, which makes it slow
  std::unique_ptr<ConversionModel> make() const { return make_of(design); }
};
// All formats, smaller sets, and a covered one of each unit.
const std::vector<ConversionBuild>& conversion_builds();

}  // namespace mxref
