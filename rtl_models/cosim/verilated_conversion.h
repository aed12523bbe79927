#pragma once
// A Verilated quantizer or dequantizer behind the pins of emu/conversion_port.h. Included where the
// tables of them are made; else nobody sees Verilator.

#include <bit>
#include <cstring>
#include <memory>
#include <string>

#include "rtl_models/cosim/quantize_models.h"
#include "rtl_models/engine/verilated_coverage.h"
#include "rtl_models/engine/verilated_waves.h"

namespace mxref {

static_assert(std::endian::native == std::endian::little);

// Lanes ↔ a port of Verilator's: words, the lowest bits first.
template <typename Port, typename Lanes>
void put_lanes(Port& port, const Lanes& lanes) {
  static_assert(sizeof(Port) <= sizeof(Lanes));
  std::memcpy(&port, lanes.data(), sizeof(Port));
}
template <typename Port, typename Lanes>
void get_lanes(const Port& port, Lanes& lanes) {
  static_assert(sizeof(Port) <= sizeof(Lanes));
  std::memcpy(lanes.data(), &port, sizeof(Port));
}

// What both units have. Unit: the class that knows the pins of one of them.
template <typename Verilated, template <typename> typename Unit>
class VerilatedConversion : public ConversionModel {
 public:
  explicit VerilatedConversion(const ConversionDesign& design)
      : model_(&context_), design_(design) {}
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

 protected:
  VerilatedContext context_;
  Verilated model_;

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
  VerilatedWaves waves_{context_};
  ConversionOutputs outputs_;
  bool is_independent_ = true;
};

template <typename Verilated>
struct Quantizer {
  static void put_beat(Verilated& model, const ConversionBeat& beat) {
    put_lanes(model.in_data_i, beat.data);
    model.in_type_i = beat.is_bfloat16;
    model.rule_i = beat.rule;
    model.rounding_i = beat.rounding;
    model.seed_i = beat.seed;
    model.index_i = beat.index;
  }
  static void get_block(const Verilated& model, ConvertedBlock& block) {
    get_lanes(model.out_codes_o, block.codes);
    block.scale = model.out_scale_o;
  }
};

template <typename Verilated>
struct Dequantizer {
  static void put_beat(Verilated& model, const ConversionBeat& beat) {
    put_lanes(model.in_codes_i, beat.codes);
    model.in_scale_i = beat.scale;
  }
  static void get_block(const Verilated& model, ConvertedBlock& block) {
    get_lanes(model.out_data_o, block.data);
  }
};

template <typename Verilated, template <typename> typename Unit>
std::unique_ptr<ConversionModel> make_verilated_conversion(const ConversionDesign& design) {
  return std::make_unique<VerilatedConversion<Verilated, Unit>>(design);
}

}  // namespace mxref
