#include "rtl_models/accelerator/verilated_accelerator.h"

#include <verilated.h>

#include <cstring>

#include "Vaccelerator.h"

namespace mxref {
namespace {

using accelerator::Design;
using accelerator::Inputs;
using accelerator::Outputs;

class VerilatedAccelerator : public BenchAccelerator {
 public:
  VerilatedAccelerator() : model_(&context_) {
    outputs_.m_tdata.resize(size_t(design().array.shape.cols));
  }
  ~VerilatedAccelerator() override {
    Verilated::threadContextp(&context_);  // as VerilatedArray's
    model_.final();
  }
  const Design& design() const override { return bench_accelerator_design(); }
  const Outputs& outputs() const override { return outputs_; }
  int64_t assertions_failed() const override { return model_.failures_o; }

  void clock(const Inputs& inputs) override {
    put(inputs);
    set_clock(false);  // signals that follow from the inputs settle before assertions sample them
    set_clock(true);
    get();
  }

 private:
  void set_clock(bool level) {
    model_.clk_i = level;
    model_.eval();
    context_.timeInc(1);
  }
  void put(const Inputs& in) {
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
  void get() {
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
    std::memcpy(outputs_.m_tdata.data(), &model_.m_axis_tdata_o,
                outputs_.m_tdata.size() * sizeof(uint32_t));
    outputs_.irq = model_.irq_o;
  }

  VerilatedContext context_;
  Vaccelerator model_;
  Outputs outputs_;
};

}  // namespace

const Design& bench_accelerator_design() {
  static const Design design = [] {
    Design d{.array = {.shape = {2, 3}}, .depth = 3};
    d.array.formats_b.reset(format_number(block_format("mxint8")));
    return d;
  }();
  return design;
}

std::unique_ptr<BenchAccelerator> make_bench_accelerator() {
  return std::make_unique<VerilatedAccelerator>();
}

}  // namespace mxref
