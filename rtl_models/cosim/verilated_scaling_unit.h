#pragma once
// A Verilated scaling unit behind the pins of scaling_unit.h. Included where one is made; else
// nobody sees Verilator.

#include "rtl_models/cosim/scaling_unit.h"
#include "rtl_models/engine/verilated_coverage.h"
#include "rtl_models/engine/verilated_waves.h"

namespace mxref {

template <typename Model>
class VerilatedScalingUnit : public ScalingUnit {
 public:
  VerilatedScalingUnit() : model_(&context_) {}
  ~VerilatedScalingUnit() override {
    Verilated::threadContextp(&context_);  // as VerilatedArray's
    model_.final();
  }
  bool valid() const override { return model_.valid_o; }
  uint32_t value() const override { return model_.value_o; }
  void open_waves(const std::filesystem::path& path) override { waves_.open(model_, path); }
  std::string coverage() override { return coverage_data(context_); }

  void clock(const ScalingInputs& in) override {
    model_.rst_ni = in.rst_n;
    model_.valid_i = in.valid;
    model_.sum_i = in.sum;
    model_.a_scale_i = in.a_scale;
    model_.b_scale_i = in.b_scale;
    model_.a_unit_log2_i = uint8_t(in.a_unit_log2);
    model_.b_unit_log2_i = uint8_t(in.b_unit_log2);
    model_.fault_i = in.fault;
    for (const bool level : {false, true}) {
      model_.clk_i = level;
      model_.eval();
      waves_.after_eval();
    }
  }

 protected:
  VerilatedContext context_;
  Model model_;

 private:
  VerilatedWaves waves_{context_};
};

}  // namespace mxref
