#include "rtl_models/cosim/quantize_models.h"

#include <verilated.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <string>

#include "emu/error.h"
#include "rtl_models/engine/verilated_coverage.h"
#include "rtl_models/engine/verilated_waves.h"
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

static_assert(std::endian::native == std::endian::little);

// Lanes ↔ a port of Verilator's: words, the lowest bits first.
template <typename Port, typename Lanes>
void put(Port& port, const Lanes& lanes) {
  static_assert(sizeof(Port) <= sizeof(Lanes));
  std::memcpy(&port, lanes.data(), sizeof(Port));
}
template <typename Port, typename Lanes>
void get(const Port& port, Lanes& lanes) {
  static_assert(sizeof(Port) <= sizeof(Lanes));
  std::memcpy(lanes.data(), &port, sizeof(Port));
}

// What both units have. Unit: the class that knows the pins of one of them.
template <typename Verilated, template <typename> typename Unit>
class VerilatedConversion final : public ConversionModel {
 public:
  explicit VerilatedConversion(const ConversionDesign& design)
      : design_(design), model_(&context_) {}
  ~VerilatedConversion() override {
    ::Verilated::threadContextp(&context_);  // as VerilatedArray's
    model_.final();
  }
  const ConversionDesign& design() const override { return design_; }
  const ConversionOutputs& outputs() const override { return outputs_; }
  bool is_independent() const override { return is_independent_; }

  void clock(const ConversionInputs& in) override {
    model_.rst_ni = in.rst_n;
    model_.in_valid_i = in.in_valid;
    model_.out_ready_i = in.out_ready;
    model_.fault_i = in.fault;
    model_.format_i = in.beat.format;
    model_.in_lanes_i = in.beat.lanes;
    model_.prescale_i = in.beat.prescale;
    model_.tensor_scale_i = std::bit_cast<uint32_t>(in.beat.tensor_scale);
    Unit<Verilated>::put_beat(model_, in.beat);
    set_clock(false);
    is_independent_ = read() == outputs_;
    set_clock(true);
    outputs_ = read();
  }
  void open_waves(const std::filesystem::path& path) override { waves_.open(model_, path); }
  std::string coverage() override { return coverage_data(context_); }

 private:
  void set_clock(bool level) {
    model_.clk_i = level;
    model_.eval();
    waves_.after_eval();
  }
  ConversionOutputs read() const {
    ConversionOutputs out;
    out.in_ready = model_.in_ready_o;
    out.out_valid = model_.out_valid_o;
    out.block.lanes = model_.out_lanes_o;
    Unit<Verilated>::get_block(model_, out.block);
    return out;
  }

  ConversionDesign design_;
  VerilatedContext context_;
  Verilated model_;
  VerilatedWaves waves_{context_};
  ConversionOutputs outputs_;
  bool is_independent_ = true;
};

template <typename Verilated>
struct Quantizer {
  static void put_beat(Verilated& model, const ConversionBeat& beat) {
    put(model.in_data_i, beat.data);
    model.in_type_i = beat.is_bfloat16;
    model.rule_i = beat.rule;
    model.rounding_i = beat.rounding;
    model.seed_i = beat.seed;
    model.index_i = beat.index;
  }
  static void get_block(const Verilated& model, ConvertedBlock& block) {
    get(model.out_codes_o, block.codes);
    block.scale = model.out_scale_o;
  }
};

template <typename Verilated>
struct Dequantizer {
  static void put_beat(Verilated& model, const ConversionBeat& beat) {
    put(model.in_codes_i, beat.codes);
    model.in_scale_i = beat.scale;
  }
  static void get_block(const Verilated& model, ConvertedBlock& block) {
    get(model.out_data_o, block.data);
  }
};

FormatSet set_of(std::initializer_list<std::string_view> names) {
  FormatSet set;
  for (std::string_view name : names) set.set(format_number(block_format(name)));
  return set;
}

struct Row {
  ConversionBuild build;
  std::function<std::unique_ptr<ConversionModel>(const ConversionDesign&)> make;
};
template <typename Verilated, template <typename> typename Unit>
Row row(const ConversionBuild& build) {
  return {build, [](const ConversionDesign& design) {
            return std::make_unique<VerilatedConversion<Verilated, Unit>>(design);
          }};
}

// As rtl_models/cosim/CMakeLists.txt builds them.
const std::vector<Row>& rows() {
  constexpr ConversionUnit quantizer = ConversionUnit::quantizer,
                           dequantizer = ConversionUnit::dequantizer;
  const ConversionDesign all_quantizer{quantizer}, all_dequantizer{dequantizer};
  static const std::vector<Row> rows{
      row<Vbench_quantize, Quantizer>(
          {.name = "quantize", .design = all_quantizer, .has_faults = true}),
      row<Vbench_quantize_mxfp4, Quantizer>({.name = "quantize_mxfp4",
                                             .design = {.unit = quantizer,
                                                        .formats = set_of({"mxfp4"}),
                                                        .has_mse = false,
                                                        .has_stochastic = false}}),
      row<Vbench_quantize_mxfp8, Quantizer>(
          {.name = "quantize_mxfp8",
           .design = {.unit = quantizer,
                      .formats = set_of({"mxfp8_e4m3", "mxfp8_e5m2"}),
                      .has_stochastic = false}}),
      row<Vbench_quantize_nvfp4, Quantizer>(
          {.name = "quantize_nvfp4",
           .design = {.unit = quantizer, .formats = set_of({"nvfp4"}), .has_mse = false}}),
      row<Vbench_dequantize, Dequantizer>(
          {.name = "dequantize", .design = all_dequantizer, .has_faults = true}),
      row<Vbench_dequantize_mxint8, Dequantizer>(
          {.name = "dequantize_mxint8",
           .design = {.unit = dequantizer, .formats = set_of({"mxint8"})}}),
      row<Vbench_dequantize_nvfp4, Dequantizer>(
          {.name = "dequantize_nvfp4",
           .design = {.unit = dequantizer, .formats = set_of({"nvfp4"})}}),
      row<Vcovered_quantize, Quantizer>(
          {.name = "covered_quantize", .design = all_quantizer, .is_covered = true}),
      row<Vcovered_dequantize, Dequantizer>(
          {.name = "covered_dequantize", .design = all_dequantizer, .is_covered = true}),
  };
  return rows;
}

}  // namespace

const std::vector<ConversionBuild>& conversion_builds() {
  static const std::vector<ConversionBuild> builds = [] {
    std::vector<ConversionBuild> list;
    for (const Row& r : rows()) list.push_back(r.build);
    return list;
  }();
  return builds;
}

std::unique_ptr<ConversionModel> make_conversion_model(const ConversionBuild& build) {
  for (const Row& r : rows())
    if (r.build.name == build.name) return r.make(build.design);
  throw UsageError("no model '" + std::string(build.name) + "' was built");
}

}  // namespace mxref
