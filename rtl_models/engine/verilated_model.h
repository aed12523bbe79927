#pragma once
// A Verilated model behind the pins of emu/array_port.h. Included where the tables of arrays are
// made; else nobody sees Verilator.

#include <verilated.h>

#include <bit>
#include <cstring>
#include <string>

#include "rtl_models/engine/verilated_array.h"
#include "rtl_models/engine/verilated_coverage.h"
#include "rtl_models/engine/verilated_waves.h"

namespace mxref {

static_assert(std::endian::native == std::endian::little);

// Lanes ↔ a port of Verilator's: an integer or words, the lowest bits first.
template <typename Port, typename Lane>
void put(Port& port, const std::vector<Lane>& lanes) {
  static_assert(sizeof(Lane) <= sizeof(Port));
  std::memcpy(&port, lanes.data(), lanes.size() * sizeof(Lane));
}
template <typename Port>
void get(const Port& port, std::vector<uint32_t>& lanes) {
  std::memcpy(lanes.data(), &port, lanes.size() * sizeof(uint32_t));
}

// Base: ArrayPort or BenchArray. Model: what Verilator made of the array of a design.
template <typename Base, typename Model>
class VerilatedArray : public Base {
 public:
  explicit VerilatedArray(const ArrayDesign& design)
      : model_(&context_), design_(design), outputs_(design.shape) {}
  ~VerilatedArray() override {
    // The model takes its scopes out of the thread's context, which may be that of an array made
    // later, and gone.
    Verilated::threadContextp(&context_);
    model_.final();
  }

  const ArrayDesign& design() const override { return design_; }
  const ArrayOutputs& outputs() const override { return outputs_; }
  void clock(const ArrayInputs& inputs) override {
    put_inputs(inputs);
    set_clock(false);  // signals that follow from the inputs settle before assertions sample them
    set_clock(true);
    get_outputs();
  }

 protected:
  virtual void after_eval() {}
  VerilatedContext context_;
  Model model_;

 private:
  void set_clock(bool level) {
    model_.clk_i = level;
    model_.eval();
    after_eval();
  }
  void put_inputs(const ArrayInputs& in) {
    model_.rst_ni = in.rst_n;
    model_.out_ready_i = in.out_ready;
    model_.fault_i = in.fault;
    model_.in_valid_i = in.in_valid;
    // Operands are half of the engine's time: its array gets those alone that it takes. The bench's
    // gets all pins, for it must be seen that it takes no others.
    constexpr bool is_bench = std::is_same_v<Base, BenchArray>;
    if (!is_bench && !in.in_valid) return;
    model_.in_first_i = in.in_first;
    model_.in_last_i = in.in_last;
    model_.in_preload_i = in.in_preload;
    model_.in_lanes_i = in.in_lanes;
    model_.out_type_i = uint8_t(in.out_type);
    model_.format_a_i = in.format_a;
    model_.format_b_i = in.format_b;
    put(model_.a_codes_i, in.a_codes);
    put(model_.a_scales_i, in.a_scales);
    put(model_.b_codes_i, in.b_codes);
    put(model_.b_scales_i, in.b_scales);
    if (is_bench || in.in_preload) put(model_.c_i, in.c);
  }
  void get_outputs() {
    outputs_.in_ready = model_.in_ready_o;
    outputs_.out_valid = model_.out_valid_o;
    outputs_.out_last = model_.out_last_o;
    outputs_.out_row = model_.out_row_o;
    get(model_.out_data_o, outputs_.out_data);
    outputs_.trace_valid = model_.trace_valid_o;
    outputs_.trace_first = model_.trace_first_o;
    outputs_.trace_last = model_.trace_last_o;
    outputs_.trace_stages = model_.trace_stages_o;
    get(model_.trace_acc_o, outputs_.trace_acc);
  }

  const ArrayDesign& design_;  // of a table
  ArrayOutputs outputs_;
};

template <typename Model>
class VerilatedBenchArray : public VerilatedArray<BenchArray, Model> {
 public:
  explicit VerilatedBenchArray(const ArrayDesign& design)
      : VerilatedArray<BenchArray, Model>(design) {}

  // An array without the checks around it has no assertions.
  int64_t assertions_failed() const override {
    if constexpr (requires(Model & model) { model.failures_o; }) return this->model_.failures_o;
    return 0;
  }
  void open_waves(const std::filesystem::path& path) override { waves_.open(this->model_, path); }
  std::string coverage() override { return coverage_data(this->context_); }

 protected:
  void after_eval() override { waves_.after_eval(); }

 private:
  VerilatedWaves waves_{this->context_};
};

template <typename Model>
std::unique_ptr<BenchArray> make_verilated_bench_array(const ArrayDesign& design) {
  return std::make_unique<VerilatedBenchArray<Model>>(design);
}

}  // namespace mxref
