#pragma once
// A bus functional model of AXI4-Lite over the pins of an accelerator: each access runs the clock
// until it is answered.

#include "emu/accelerator/driver.h"
#include "emu/accelerator/port.h"

namespace mxref::accelerator {

class AxiLiteMaster : public Mmio {
 public:
  // Resets what is behind the pins.
  explicit AxiLiteMaster(Port& port);
  // Throw BusError; HardwareError where no answer comes.
  uint32_t read32(uint32_t address) override;
  void write32(uint32_t address, uint32_t data) override;
  int64_t cycles() const { return cycles_; }

 private:
  void clock();

  Port& port_;
  Inputs pins_;
  int64_t cycles_ = 0;
};

}  // namespace mxref::accelerator
