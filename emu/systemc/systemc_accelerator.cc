#include "emu/systemc/systemc_accelerator.h"

#include "emu/systemc/mx_accelerator.h"
#include "emu/systemc/simulation_context.h"

namespace mxref {
namespace {

using accelerator::Design;
using accelerator::Inputs;
using accelerator::Outputs;
using sc_core::sc_signal;

struct Pins {
  sc_signal<bool> clk, rst_n, awvalid, awready, wvalid, wready, bvalid, bready, arvalid, arready,
      rvalid, rready, s_tvalid, s_tready, s_tlast, m_tvalid, m_tready, m_tlast, m_tuser, irq;
  sc_signal<uint32_t> awaddr, wdata, araddr, rdata, s_tdata;
  sc_signal<uint8_t> wstrb, bresp, rresp;
  sc_signal<Lanes<uint32_t>> m_tdata;
};

void bind(MxAccelerator& top, Pins& pins) {
  top.clk_i(pins.clk);
  top.rst_ni(pins.rst_n);
  top.s_axi_awvalid_i(pins.awvalid);
  top.s_axi_awready_o(pins.awready);
  top.s_axi_awaddr_i(pins.awaddr);
  top.s_axi_wvalid_i(pins.wvalid);
  top.s_axi_wready_o(pins.wready);
  top.s_axi_wdata_i(pins.wdata);
  top.s_axi_wstrb_i(pins.wstrb);
  top.s_axi_bvalid_o(pins.bvalid);
  top.s_axi_bready_i(pins.bready);
  top.s_axi_bresp_o(pins.bresp);
  top.s_axi_arvalid_i(pins.arvalid);
  top.s_axi_arready_o(pins.arready);
  top.s_axi_araddr_i(pins.araddr);
  top.s_axi_rvalid_o(pins.rvalid);
  top.s_axi_rready_i(pins.rready);
  top.s_axi_rdata_o(pins.rdata);
  top.s_axi_rresp_o(pins.rresp);
  top.s_axis_tvalid_i(pins.s_tvalid);
  top.s_axis_tready_o(pins.s_tready);
  top.s_axis_tdata_i(pins.s_tdata);
  top.s_axis_tlast_i(pins.s_tlast);
  top.m_axis_tvalid_o(pins.m_tvalid);
  top.m_axis_tready_i(pins.m_tready);
  top.m_axis_tdata_o(pins.m_tdata);
  top.m_axis_tlast_o(pins.m_tlast);
  top.m_axis_tuser_o(pins.m_tuser);
  top.irq_o(pins.irq);
}

class SystemcAccelerator : public accelerator::Port {
 public:
  explicit SystemcAccelerator(const Design& design) : design_(design), top_("top", design) {
    bind(top_, pins_);
    outputs_.m_tdata.resize(size_t(design.array.shape.cols));
  }
  ~SystemcAccelerator() override { context_.enter(); }
  const Design& design() const override { return design_; }
  const Outputs& outputs() const override { return outputs_; }

  // What follows from the inputs settles before the clock rises.
  void clock(const Inputs& inputs) override {
    context_.enter();
    const sc_core::sc_time half_period(0.5, sc_core::SC_NS);
    write(inputs);
    pins_.clk.write(false);
    sc_core::sc_start(half_period);
    pins_.clk.write(true);
    sc_core::sc_start(half_period);
    read();
  }

 private:
  void write(const Inputs& in) {
    pins_.rst_n.write(in.rst_n);
    pins_.awvalid.write(in.awvalid);
    pins_.awaddr.write(in.awaddr);
    pins_.wvalid.write(in.wvalid);
    pins_.wdata.write(in.wdata);
    pins_.wstrb.write(in.wstrb);
    pins_.bready.write(in.bready);
    pins_.arvalid.write(in.arvalid);
    pins_.araddr.write(in.araddr);
    pins_.rready.write(in.rready);
    pins_.s_tvalid.write(in.s_tvalid);
    pins_.s_tdata.write(in.s_tdata);
    pins_.s_tlast.write(in.s_tlast);
    pins_.m_tready.write(in.m_tready);
  }
  void read() {
    outputs_.awready = pins_.awready.read();
    outputs_.wready = pins_.wready.read();
    outputs_.bvalid = pins_.bvalid.read();
    outputs_.bresp = pins_.bresp.read();
    outputs_.arready = pins_.arready.read();
    outputs_.rvalid = pins_.rvalid.read();
    outputs_.rresp = pins_.rresp.read();
    outputs_.rdata = pins_.rdata.read();
    outputs_.s_tready = pins_.s_tready.read();
    outputs_.m_tvalid = pins_.m_tvalid.read();
    outputs_.m_tdata = pins_.m_tdata.read();
    outputs_.m_tlast = pins_.m_tlast.read();
    outputs_.m_tuser = pins_.m_tuser.read();
    outputs_.irq = pins_.irq.read();
  }

  SimulationContext context_;  // before what is elaborated in it
  Design design_;
  Pins pins_;
  MxAccelerator top_;
  Outputs outputs_;
};

}  // namespace

std::unique_ptr<accelerator::Port> make_systemc_accelerator(const Design& design) {
  return std::make_unique<SystemcAccelerator>(design);
}

}  // namespace mxref
