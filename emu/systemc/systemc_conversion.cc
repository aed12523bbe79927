#include "emu/systemc/systemc_conversion.h"

#include <algorithm>
#include <bit>
#include <memory>

#include "emu/systemc/mx_conversion.h"
#include "emu/systemc/simulation_context.h"

namespace mxref {
namespace {

// A signal for each port of both units.
struct ConversionPins {
  sc_core::sc_signal<bool> clk, rst_n, in_valid, in_ready, in_type, prescale, out_valid, out_ready;
  sc_core::sc_signal<uint8_t> in_lanes, format, rule, rounding, in_scale, out_lanes, out_scale;
  sc_core::sc_signal<uint32_t> tensor_scale;
  sc_core::sc_signal<uint64_t> seed, index;
  sc_core::sc_signal<Lanes<uint32_t>> in_data, out_data;
  sc_core::sc_signal<Lanes<uint8_t>> in_codes, out_codes;
};

void bind(MxQuantizer& unit, ConversionPins& pins) {
  unit.in_data_i(pins.in_data);
  unit.in_type_i(pins.in_type);
  unit.rule_i(pins.rule);
  unit.rounding_i(pins.rounding);
  unit.seed_i(pins.seed);
  unit.index_i(pins.index);
  unit.out_codes_o(pins.out_codes);
  unit.out_scale_o(pins.out_scale);
}
void bind(MxDequantizer& unit, ConversionPins& pins) {
  unit.in_codes_i(pins.in_codes);
  unit.in_scale_i(pins.in_scale);
  unit.out_data_o(pins.out_data);
}

template <typename Unit>
class SystemcConversion : public ConversionPort {
 public:
  explicit SystemcConversion(const ConversionDesign& design)
      : design_(design), unit_("unit", design) {
    unit_.clk_i(pins_.clk);
    unit_.rst_ni(pins_.rst_n);
    unit_.in_valid_i(pins_.in_valid);
    unit_.in_ready_o(pins_.in_ready);
    unit_.in_lanes_i(pins_.in_lanes);
    unit_.format_i(pins_.format);
    unit_.prescale_i(pins_.prescale);
    unit_.tensor_scale_i(pins_.tensor_scale);
    unit_.out_valid_o(pins_.out_valid);
    unit_.out_ready_i(pins_.out_ready);
    unit_.out_lanes_o(pins_.out_lanes);
    bind(unit_, pins_);
  }
  ~SystemcConversion() override { context_.enter(); }
  const ConversionDesign& design() const override { return design_; }
  const ConversionOutputs& outputs() const override { return outputs_; }

  void clock(const ConversionInputs& inputs) override {
    context_.enter();
    write(inputs);
    const sc_core::sc_time half_period(0.5, sc_core::SC_NS);
    pins_.clk.write(true);
    sc_core::sc_start(half_period);
    pins_.clk.write(false);
    sc_core::sc_start(half_period);
    read();
  }

 private:
  // The lanes of a beat that the design has.
  template <typename T>
  Lanes<T> lanes_of(const std::array<T, most_lanes>& all) const {
    Lanes<T> lanes;
    lanes.assign(all.begin(), all.begin() + design_.lanes());
    return lanes;
  }
  void write(const ConversionInputs& in) {
    pins_.rst_n.write(in.rst_n);
    pins_.in_valid.write(in.in_valid);
    pins_.out_ready.write(in.out_ready);
    pins_.in_lanes.write(in.beat.lanes);
    pins_.format.write(in.beat.format);
    pins_.prescale.write(in.beat.prescale);
    pins_.tensor_scale.write(std::bit_cast<uint32_t>(in.beat.tensor_scale));
    pins_.in_data.write(lanes_of(in.beat.data));
    pins_.in_type.write(in.beat.is_bfloat16);
    pins_.rule.write(in.beat.rule);
    pins_.rounding.write(in.beat.rounding);
    pins_.seed.write(in.beat.seed);
    pins_.index.write(in.beat.index);
    pins_.in_codes.write(lanes_of(in.beat.codes));
    pins_.in_scale.write(in.beat.scale);
  }
  void read() {
    outputs_.in_ready = pins_.in_ready.read();
    outputs_.out_valid = pins_.out_valid.read();
    outputs_.block.lanes = pins_.out_lanes.read();
    outputs_.block.scale = pins_.out_scale.read();
    std::ranges::copy(pins_.out_codes.read(), outputs_.block.codes.begin());
    std::ranges::copy(pins_.out_data.read(), outputs_.block.data.begin());
  }

  SimulationContext context_;  // before what is elaborated in it
  ConversionDesign design_;
  ConversionPins pins_;
  Unit unit_;
  ConversionOutputs outputs_;
};

}  // namespace

std::unique_ptr<ConversionPort> make_systemc_conversion(const ConversionDesign& design) {
  if (design.unit == ConversionUnit::quantizer)
    return std::make_unique<SystemcConversion<MxQuantizer>>(design);
  return std::make_unique<SystemcConversion<MxDequantizer>>(design);
}

}  // namespace mxref
