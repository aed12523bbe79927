#include "emu/systemc/tlm_layer.h"

#include <tlm_utils/simple_initiator_socket.h>

#include <cstring>
#include <exception>
#include <functional>

#include "emu/systemc/simulation_context.h"
#include "emu/systemc/tlm_accelerator.h"

namespace mxref {
namespace {

using namespace accelerator;
using sc_core::sc_time;

// Accesses of the driver as transactions, or where it has a pointer, without. Runs ahead of the
// simulation by a quantum at most.
class Initiator : public sc_core::sc_module, public Mmio {
 public:
  tlm_utils::simple_initiator_socket<Initiator> socket{"socket"};

  SC_HAS_PROCESS(Initiator);
  Initiator(const sc_core::sc_module_name& name, bool uses_dmi, std::function<void(Mmio&)> program)
      : sc_module(name), uses_dmi_(uses_dmi), program_(std::move(program)) {
    socket.register_invalidate_direct_mem_ptr(this, &Initiator::forget);
    SC_THREAD(run);
  }

  uint32_t read32(uint32_t address) override {
    uint32_t word = 0;
    access(tlm::TLM_READ_COMMAND, address, word);
    return word;
  }
  void write32(uint32_t address, uint32_t data) override {
    access(tlm::TLM_WRITE_COMMAND, address, data);
  }

  int64_t transactions = 0, direct_accesses = 0;
  std::exception_ptr failure;

 private:
  void run() {
    try {
      program_(*this);
    } catch (...) {  // an exception must not leave a process
      failure = std::current_exception();
    }
    wait(delay_);
  }
  void forget(sc_dt::uint64, sc_dt::uint64) { dmi_.allow_none(); }

  void access(tlm::tlm_command command, uint32_t address, uint32_t& word) {
    auto* bytes = reinterpret_cast<unsigned char*>(&word);
    const bool is_read = command == tlm::TLM_READ_COMMAND;
    if ((is_read ? dmi_.is_read_allowed() : dmi_.is_write_allowed()) &&
        address >= dmi_.get_start_address() && address <= dmi_.get_end_address()) {
      unsigned char* memory = dmi_.get_dmi_ptr() + (address - dmi_.get_start_address());
      if (is_read)
        std::memcpy(bytes, memory, sizeof word);
      else
        std::memcpy(memory, bytes, sizeof word);
      delay_ += is_read ? dmi_.get_read_latency() : dmi_.get_write_latency();
      ++direct_accesses;
      return;
    }
    tlm::tlm_generic_payload transaction;
    transaction.set_command(command);
    transaction.set_address(address);
    transaction.set_data_ptr(bytes);
    transaction.set_data_length(sizeof word);
    transaction.set_streaming_width(sizeof word);
    transaction.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    socket->b_transport(transaction, delay_);
    ++transactions;
    if (!transaction.is_response_ok())
      throw bus_error(
          !is_read, address, word,
          transaction.get_response_status() == tlm::TLM_ADDRESS_ERROR_RESPONSE ? decerr : slverr);
    if (uses_dmi_ && transaction.is_dmi_allowed()) socket->get_direct_mem_ptr(transaction, dmi_);
    const sc_time quantum(1, sc_core::SC_US);
    if (delay_ < quantum) return;
    wait(delay_);
    delay_ = sc_core::SC_ZERO_TIME;
  }

  const bool uses_dmi_;
  const std::function<void(Mmio&)> program_;
  tlm::tlm_dmi dmi_;
  sc_time delay_;
};

}  // namespace

TlmLayer run_layer_on_tlm(const Design& design, const MxTensor& a, const MxTensor& b,
                          std::span<const float> c, bool uses_dmi) {
  const SimulationContext context;
  TlmLayer layer;
  layer.d.resize(size_t(a.rows() * b.rows()));
  Initiator initiator("initiator", uses_dmi, [&](Mmio& mmio) {
    Driver driver(mmio);
    driver.multiply(a, b, c, layer.d);
    layer.counters = driver.counters();
  });
  TlmAccelerator target("target", design, sc_time(1, sc_core::SC_NS));
  sc_core::sc_signal<bool> irq("irq");
  initiator.socket.bind(target.socket);
  target.irq_o(irq);
  sc_core::sc_start();
  if (initiator.failure) std::rethrow_exception(initiator.failure);
  layer.nanoseconds = sc_core::sc_time_stamp() / sc_time(1, sc_core::SC_NS);
  layer.transactions = initiator.transactions;
  layer.direct_accesses = initiator.direct_accesses;
  return layer;
}

}  // namespace mxref
