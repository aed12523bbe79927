#include "emu/systemc/systemc_array.h"

#include <map>

#include "emu/array_driver.h"
#include "emu/array_engine.h"
#include "emu/systemc/mx_array.h"

// SystemC's library has a main() that calls this; ours never does.
int sc_main(int, char*[]) { return 0; }

namespace mxref {
namespace {

using sc_core::sc_signal;

constexpr ArrayShape engine_shape{8, 8};

struct Pins {
  sc_signal<bool> clk, rst_n, in_valid, in_first, in_last, in_preload, in_ready;
  sc_signal<uint8_t> in_lanes, format_a, format_b, out_type;
  sc_signal<Lanes<uint8_t>> a_codes, a_scales, b_codes, b_scales;
  sc_signal<Lanes<uint32_t>> c;
  sc_signal<bool> out_valid, out_last, out_ready;
  sc_signal<uint32_t> out_row;
  sc_signal<Lanes<uint32_t>> out_data;
  sc_signal<bool> trace_valid, trace_first, trace_last;
  sc_signal<uint8_t> trace_stages;
  sc_signal<Lanes<uint32_t>> trace_acc;
};

void bind(MxArray& array, Pins& pins) {
  array.clk_i(pins.clk);
  array.rst_ni(pins.rst_n);
  array.in_valid_i(pins.in_valid);
  array.in_first_i(pins.in_first);
  array.in_last_i(pins.in_last);
  array.in_preload_i(pins.in_preload);
  array.in_ready_o(pins.in_ready);
  array.in_lanes_i(pins.in_lanes);
  array.out_type_i(pins.out_type);
  array.format_a_i(pins.format_a);
  array.format_b_i(pins.format_b);
  array.a_codes_i(pins.a_codes);
  array.a_scales_i(pins.a_scales);
  array.b_codes_i(pins.b_codes);
  array.b_scales_i(pins.b_scales);
  array.c_i(pins.c);
  array.out_valid_o(pins.out_valid);
  array.out_last_o(pins.out_last);
  array.out_ready_i(pins.out_ready);
  array.out_row_o(pins.out_row);
  array.out_data_o(pins.out_data);
  array.trace_valid_o(pins.trace_valid);
  array.trace_first_o(pins.trace_first);
  array.trace_last_o(pins.trace_last);
  array.trace_stages_o(pins.trace_stages);
  array.trace_acc_o(pins.trace_acc);
}

// SystemC elaborates once a simulation context; each array has its own, made current where needed.
struct Context {
  std::unique_ptr<sc_core::sc_simcontext> context = std::make_unique<sc_core::sc_simcontext>();
  Context() { enter(); }
  void enter() const { sc_core::sc_curr_simcontext = context.get(); }
};

class SystemcArray : public ArrayPort {
 public:
  explicit SystemcArray(const ArrayDesign& design)
      : design_(design), array_("array", design), outputs_(design.shape) {
    bind(array_, pins_);
  }
  ~SystemcArray() override { context_.enter(); }
  const ArrayDesign& design() const override { return design_; }
  const ArrayOutputs& outputs() const override { return outputs_; }

  void clock(const ArrayInputs& inputs) override {
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

  Context context_;  // before what is elaborated in it
  ArrayDesign design_;
  Pins pins_;
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
