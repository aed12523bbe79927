#pragma once
// The accelerator as a loosely timed TLM-2.0 target: the registers, memory and errors of the
// hardware, its jobs at once and busy for as long as the array's stated cycles. Operands and
// results go through the tile memory; streams belong to the pins.

#include <tlm.h>
#include <tlm_utils/simple_target_socket.h>

#include <systemc>

#include "emu/accelerator/functional.h"

namespace mxref {

class TlmAccelerator : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<TlmAccelerator> socket{"socket"};
  sc_core::sc_out<bool> irq_o{"irq_o"};

  SC_HAS_PROCESS(TlmAccelerator);
  TlmAccelerator(const sc_core::sc_module_name& name, const accelerator::Design& design,
                 const sc_core::sc_time& period);

 private:
  // Words in a row; 1 to any number of them, none over the end of a region.
  void b_transport(tlm::tlm_generic_payload& transaction, sc_core::sc_time& delay);
  // Registers are read without effect; only the memory can be written, D too.
  unsigned int transport_dbg(tlm::tlm_generic_payload& transaction);
  // The tile memory while no job runs: A, B and C to read and write, D to read. One range each,
  // with the addresses in it that the shape does not have. A pointer gives no errors: there, where
  // the bus answers DECERR, a write stays in the model's memory and no job and no read over the bus
  // sees it.
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& transaction, tlm::tlm_dmi& dmi);

  tlm::tlm_response_status access(tlm::tlm_generic_payload& transaction, sc_core::sc_time& delay);
  void settle(const sc_core::sc_time& now);  // a job that has ended by then
  void drive_interrupt();

  accelerator::Functional functional_;
  const sc_core::sc_time period_;
  sc_core::sc_time job_end_;
  sc_core::sc_event changed_, job_ended_;
};

}  // namespace mxref
