#pragma once
// The pins of the accelerator, as plain structs: one interface to the Verilated RTL and to the
// SystemC model. Cycle by cycle behaviour: rtl_models/accelerator/README.md.

#include <cstdint>
#include <vector>

#include "emu/array_port.h"

namespace mxref::accelerator {

struct Design {
  ArrayDesign array;
  int depth = 0;  // blocks of a buffer
};

// Answers of AXI.
inline constexpr uint8_t okay = 0, slverr = 2, decerr = 3;

// What the pins hold while the clock rises.
struct Inputs {
  bool rst_n = true;  // synchronous, active low
  // AXI4-Lite
  bool awvalid = false, wvalid = false, bready = false, arvalid = false, rready = false;
  uint32_t awaddr = 0, wdata = 0, araddr = 0;
  uint8_t wstrb = 0;
  // AXI4-Stream of operands, and of results
  bool s_tvalid = false, s_tlast = false, m_tready = false;
  uint32_t s_tdata = 0;
  // Number of a planted fault, 0 = none (rtl_models/accelerator/faults.h). A model without faults
  // ignores it.
  uint8_t fault = 0;
};

// What the pins hold between two rising edges: functions of registers alone.
struct Outputs {
  bool awready = false, wready = false, bvalid = false, arready = false, rvalid = false;
  uint8_t bresp = 0, rresp = 0;
  uint32_t rdata = 0;
  bool s_tready = false, m_tvalid = false, m_tlast = false, m_tuser = false;
  std::vector<uint32_t> m_tdata;  // (cols)
  bool irq = false;
};

class Port {
 public:
  virtual ~Port() = default;
  virtual const Design& design() const = 0;
  // One rising edge of the clock while the pins hold `inputs`.
  virtual void clock(const Inputs& inputs) = 0;
  // The pins after the last edge. Defined after the first edge with rst_n low.
  virtual const Outputs& outputs() const = 0;
};

}  // namespace mxref::accelerator
