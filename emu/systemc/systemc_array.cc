#include "emu/systemc/systemc_array.h"

#include <map>

#include "emu/array_driver.h"
#include "emu/array_engine.h"
#include "emu/systemc/array_pins.h"
#include "emu/systemc/mx_array.h"
#include "emu/systemc/simulation_context.h"

// SystemC's library has a main() that calls this; ours never does.
int sc_main(int, char*[]) { return 0; }

namespace mxref {
namespace {

constexpr ArrayShape engine_shape{8, 8};

class SystemcArray : public ArrayPort {
 public:
  explicit SystemcArray(const ArrayDesign& design)
      : design_(design), array_("array", design), outputs_(design.shape) {
    array_.clk_i(clk_);
    bind(array_, pins_);
  }
  ~SystemcArray() override { context_.enter(); }
  const ArrayDesign& design() const override { return design_; }
  const ArrayOutputs& outputs() const override { return outputs_; }

  void clock(const ArrayInputs& inputs) override {
    context_.enter();
    write(inputs);
    const sc_core::sc_time half_period(0.5, sc_core::SC_NS);
    clk_.write(true);
    sc_core::sc_start(half_period);
    clk_.write(false);
    sc_core::sc_start(half_period);
    read();
  }

 private:
  void write(const ArrayInputs& in) {
    const auto put = [](auto& pin, const auto& lanes) {
      std::decay_t<decltype(pin.read())> value;
      value.assign(lanes.begin(), lanes.end());
      pin.write(value);
    };
    pins_.rst_n.write(in.rst_n);
    pins_.in_valid.write(in.in_valid);
    pins_.in_first.write(in.in_first);
    pins_.in_last.write(in.in_last);
    pins_.in_preload.write(in.in_preload);
    pins_.in_lanes.write(in.in_lanes);
    pins_.out_type.write(uint8_t(in.out_type));
    pins_.format_a.write(in.format_a);
    pins_.format_b.write(in.format_b);
    put(pins_.a_codes, in.a_codes);
    put(pins_.a_scales, in.a_scales);
    put(pins_.b_codes, in.b_codes);
    put(pins_.b_scales, in.b_scales);
    put(pins_.c, in.c);
    pins_.out_ready.write(in.out_ready);
  }
  void read() {
    outputs_.in_ready = pins_.in_ready.read();
    outputs_.out_valid = pins_.out_valid.read();
    outputs_.out_last = pins_.out_last.read();
    outputs_.out_row = pins_.out_row.read();
    outputs_.out_data = pins_.out_data.read();
    outputs_.trace_valid = pins_.trace_valid.read();
    outputs_.trace_first = pins_.trace_first.read();
    outputs_.trace_last = pins_.trace_last.read();
    outputs_.trace_stages = pins_.trace_stages.read();
    outputs_.trace_acc = pins_.trace_acc.read();
  }

  SimulationContext context_;  // before what is elaborated in it
  ArrayDesign design_;
  sc_core::sc_signal<bool> clk_;
  ArrayPins pins_;
  MxArray array_;
  ArrayOutputs outputs_;
};

}  // namespace

std::unique_ptr<ArrayPort> make_systemc_array(const ArrayDesign& design) {
  return std::make_unique<SystemcArray>(design);
}

std::unique_ptr<Engine> make_systemc_engine() {
  // A model of any datapath is made when it is asked for.
  using Sources = std::map<const Datapath*, ArraySource>;
  const auto choose = [sources = std::make_shared<Sources>()](
                          const BlockFormat& a, const BlockFormat& b, int block,
                          const Datapath& datapath, std::string& reason) -> const ArraySource* {
    const ArrayDesign design{.shape = engine_shape, .datapath = &datapath};
    reason = array_refuses(design, a, b, block, datapath);
    if (!reason.empty()) return nullptr;
    const auto make = [design] { return make_systemc_array(design); };
    return &sources->try_emplace(&datapath, ArraySource{design, make}).first->second;
  };
  return make_array_engine("systemc", /*arrays=*/1, choose);
}

}  // namespace mxref
