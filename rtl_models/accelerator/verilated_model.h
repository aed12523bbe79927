#pragma once
// A Verilated accelerator behind the pins of emu/accelerator/port.h. Included where the tables of
// them are made; else nobody sees Verilator.

#include "rtl_models/accelerator/bench_accelerator.h"
#include "rtl_models/engine/verilated_model.h"

namespace mxref {

// Model: what Verilator made of mx_accelerator_checks of a design, or of mx_accelerator, which has
// no assertions.
template <typename Model>
class VerilatedAccelerator : public BenchAccelerator {
 public:
  explicit VerilatedAccelerator(const accelerator::Design& design)
      : model_(&context_), design_(design) {
    outputs_.m_tdata.resize(size_t(design.array.shape.cols));
  }
  ~VerilatedAccelerator() override {
    Verilated::threadContextp(&context_);  // as VerilatedArray's
    model_.final();
  }
  const accelerator::Design& design() const override { return design_; }
  const accelerator::Outputs& outputs() const override { return outputs_; }
  int64_t assertions_failed() const override {
    if constexpr (requires(Model & model) { model.failures_o; }) return model_.failures_o;
    return 0;
  }
  void open_waves(const std::filesystem::path& path) override { waves_.open(model_, path); }
  std::string coverage() override { return coverage_data(context_); }

  void clock(const accelerator::Inputs& inputs) override {
    put_inputs(inputs);
    set_clock(false);  // signals that follow from the inputs settle before assertions sample them
    set_clock(true);
    get_outputs();
  }

 protected:
  VerilatedContext context_;
  Model model_;

 private:
  void set_clock(bool level) {
    model_.clk_i = level;
    model_.eval();
    waves_.after_eval();
  }
  void put_inputs(const accelerator::Inputs& in) {
    model_.rst_ni = in.rst_n;
    model_.fault_i = in.fault;
    model_.s_axi_awvalid_i = in.awvalid;
    model_.s_axi_awaddr_i = in.awaddr;
    model_.s_axi_wvalid_i = in.wvalid;
    model_.s_axi_wdata_i = in.wdata;
    model_.s_axi_wstrb_i = in.wstrb;
    model_.s_axi_bready_i = in.bready;
    model_.s_axi_arvalid_i = in.arvalid;
    model_.s_axi_araddr_i = in.araddr;
    model_.s_axi_rready_i = in.rready;
    model_.s_axis_tvalid_i = in.s_tvalid;
    model_.s_axis_tdata_i = in.s_tdata;
    model_.s_axis_tlast_i = in.s_tlast;
    model_.m_axis_tready_i = in.m_tready;
  }
  void get_outputs() {
    outputs_.awready = model_.s_axi_awready_o;
    outputs_.wready = model_.s_axi_wready_o;
    outputs_.bvalid = model_.s_axi_bvalid_o;
    outputs_.bresp = model_.s_axi_bresp_o;
    outputs_.arready = model_.s_axi_arready_o;
    outputs_.rvalid = model_.s_axi_rvalid_o;
    outputs_.rresp = model_.s_axi_rresp_o;
    outputs_.rdata = model_.s_axi_rdata_o;
    outputs_.s_tready = model_.s_axis_tready_o;
    outputs_.m_tvalid = model_.m_axis_tvalid_o;
    outputs_.m_tlast = model_.m_axis_tlast_o;
    outputs_.m_tuser = model_.m_axis_tuser_o;
    get(model_.m_axis_tdata_o, outputs_.m_tdata);
    outputs_.irq = model_.irq_o;
  }

  VerilatedWaves waves_{context_};
  const accelerator::Design& design_;  // of a table
  accelerator::Outputs outputs_;
};

template <typename Model>
std::unique_ptr<BenchAccelerator> make_verilated_accelerator(const accelerator::Design& design) {
  return std::make_unique<VerilatedAccelerator<Model>>(design);
}

}  // namespace mxref
