#include "emu/accelerator/axi_lite_master.h"

namespace mxref::accelerator {

constexpr int patience_cycles = 1000;

AxiLiteMaster::AxiLiteMaster(Port& port) : port_(port) {
  pins_.rst_n = false;
  clock();
  pins_.rst_n = pins_.m_tready = true;
}

void AxiLiteMaster::clock() {
  port_.clock(pins_);
  ++cycles_;
}

uint32_t AxiLiteMaster::read32(uint32_t address) {
  pins_.arvalid = pins_.rready = true;
  pins_.araddr = address;
  for (int i = 0; i < patience_cycles; ++i) {
    const Outputs before = port_.outputs();  // with which the edge meets the pins
    clock();
    if (before.arready) pins_.arvalid = false;
    if (!before.rvalid) continue;
    pins_.rready = false;
    if (before.rresp != okay) throw bus_error(false, address, 0, before.rresp);
    return before.rdata;
  }
  throw HardwareError("the accelerator does not answer a read");
}

void AxiLiteMaster::write32(uint32_t address, uint32_t data) {
  pins_.awvalid = pins_.wvalid = pins_.bready = true;
  pins_.awaddr = address;
  pins_.wdata = data;
  pins_.wstrb = 0xF;
  for (int i = 0; i < patience_cycles; ++i) {
    const Outputs before = port_.outputs();
    clock();
    if (before.awready) pins_.awvalid = false;
    if (before.wready) pins_.wvalid = false;
    if (!before.bvalid) continue;
    pins_.bready = false;
    if (before.bresp != okay) throw bus_error(true, address, data, before.bresp);
    return;
  }
  throw HardwareError("the accelerator does not answer a write");
}

}  // namespace mxref::accelerator
