#include "rtl_models/cosim/quantize_models.h"

#include "rtl_models/cosim/verilated_conversion.h"
#include "Vbench_dequantize.h"
#include "Vbench_dequantize_mxint8.h"
#include "Vbench_dequantize_nvfp4.h"
#include "Vbench_quantize.h"
#include "Vbench_quantize_mxfp4.h"
#include "Vbench_quantize_mxfp8.h"
#include "Vbench_quantize_nvfp4.h"
#include "Vcovered_dequantize.h"
#include "Vcovered_quantize.h"

namespace mxref {
namespace {

FormatSet set_of(std::initializer_list<std::string_view> names) {
  FormatSet set;
  for (std::string_view name : names) set.set(format_number(block_format(name)));
  return set;
}

}  // namespace

// As rtl_models/cosim/CMakeLists.txt builds them.
const std::vector<ConversionBuild>& conversion_builds() {
  constexpr ConversionUnit quantizer = ConversionUnit::quantizer,
                           dequantizer = ConversionUnit::dequantizer;
  static const std::vector<ConversionBuild> builds{
      {.name = "quantize",
       .design = {quantizer},
       .make_of = make_verilated_conversion<Vbench_quantize, Quantizer>,
       .has_faults = true},
      {.name = "quantize_mxfp4",
       .design = {.unit = quantizer,
                  .formats = set_of({"mxfp4"}),
                  .has_mse = false,
                  .has_stochastic = false},
       .make_of = make_verilated_conversion<Vbench_quantize_mxfp4, Quantizer>},
      {.name = "quantize_mxfp8",
       .design = {.unit = quantizer,
                  .formats = set_of({"mxfp8_e4m3", "mxfp8_e5m2"}),
                  .has_stochastic = false},
       .make_of = make_verilated_conversion<Vbench_quantize_mxfp8, Quantizer>},
      {.name = "quantize_nvfp4",
       .design = {.unit = quantizer, .formats = set_of({"nvfp4"}), .has_mse = false},
       .make_of = make_verilated_conversion<Vbench_quantize_nvfp4, Quantizer>},
      {.name = "dequantize",
       .design = {dequantizer},
       .make_of = make_verilated_conversion<Vbench_dequantize, Dequantizer>,
       .has_faults = true},
      {.name = "dequantize_mxint8",
       .design = {.unit = dequantizer, .formats = set_of({"mxint8"})},
       .make_of = make_verilated_conversion<Vbench_dequantize_mxint8, Dequantizer>},
      {.name = "dequantize_nvfp4",
       .design = {.unit = dequantizer, .formats = set_of({"nvfp4"})},
       .make_of = make_verilated_conversion<Vbench_dequantize_nvfp4, Dequantizer>},
      {.name = "covered_quantize",
       .design = {quantizer},
       .make_of = make_verilated_conversion<Vcovered_quantize, Quantizer>,
       .is_covered = true},
      {.name = "covered_dequantize",
       .design = {dequantizer},
       .make_of = make_verilated_conversion<Vcovered_dequantize, Dequantizer>,
       .is_covered = true},
  };
  return builds;
}

}  // namespace mxref
