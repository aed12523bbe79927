#pragma once

#include <memory>
#include <systemc>

namespace mxref {

// SystemC elaborates once a simulation context; each array has its own, made current where needed.
struct SimulationContext {
  std::unique_ptr<sc_core::sc_simcontext> context = std::make_unique<sc_core::sc_simcontext>();
  SimulationContext() { enter(); }
  void enter() const { sc_core::sc_curr_simcontext = context.get(); }
};

}  // namespace mxref
