#include "emu/systemc/tlm_accelerator.h"

#include <cstring>

namespace mxref {

using namespace accelerator;
using sc_core::sc_time;

namespace {
// From the address to the answer, of the RTL with a ready host.
constexpr int write_cycles = 3, read_cycles = 5;
constexpr uint32_t word_bytes = 4;
constexpr uint32_t operands_begin = region("a_codes") << region_shift;
constexpr uint32_t operands_end = region("d") << region_shift;
constexpr uint32_t results_end = operands_end + (1u << region_shift);
}  // namespace

TlmAccelerator::TlmAccelerator(const sc_core::sc_module_name& name, const Design& design,
                               const sc_time& period)
    : sc_module(name), functional_(design), period_(period) {
  socket.register_b_transport(this, &TlmAccelerator::b_transport);
  socket.register_transport_dbg(this, &TlmAccelerator::transport_dbg);
  socket.register_get_direct_mem_ptr(this, &TlmAccelerator::get_direct_mem_ptr);
  SC_METHOD(drive_interrupt);
  sensitive << changed_ << job_ended_;
}

void TlmAccelerator::settle(const sc_time& now) {
  if (functional_.is_busy() && now >= job_end_) functional_.finish();
}

void TlmAccelerator::drive_interrupt() {
  settle(sc_core::sc_time_stamp());
  irq_o.write(functional_.interrupt());
}

void TlmAccelerator::b_transport(tlm::tlm_generic_payload& transaction, sc_time& delay) {
  transaction.set_dmi_allowed(false);
  transaction.set_response_status(access(transaction, delay));
  if (transaction.is_response_ok() && transaction.get_address() >= operands_begin)
    transaction.set_dmi_allowed(!functional_.is_busy());
}

tlm::tlm_response_status TlmAccelerator::access(tlm::tlm_generic_payload& transaction,
                                                sc_time& delay) {
  const unsigned length = transaction.get_data_length();
  if (length == 0 || length % word_bytes != 0 || transaction.get_streaming_width() < length)
    return tlm::TLM_BURST_ERROR_RESPONSE;
  const unsigned char* const enable = transaction.get_byte_enable_ptr();
  const unsigned enables = transaction.get_byte_enable_length();
  if (enable != nullptr && enables == 0) return tlm::TLM_BURST_ERROR_RESPONSE;
  if (transaction.get_command() == tlm::TLM_IGNORE_COMMAND) return tlm::TLM_OK_RESPONSE;
  if (transaction.get_address() >> address_bits != 0) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  bool is_whole = true;
  for (unsigned i = 0; enable != nullptr && i < length; ++i)
    is_whole = is_whole && enable[i % enables] == TLM_BYTE_ENABLED;
  if (transaction.is_read() && !is_whole) return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  for (unsigned i = 0; i < length; i += word_bytes) {
    const auto address = uint32_t(transaction.get_address() + i);
    settle(sc_core::sc_time_stamp() + delay);
    uint32_t word = 0;
    uint8_t answer;
    if (transaction.is_read()) {
      answer = functional_.read(address, word);
      std::memcpy(transaction.get_data_ptr() + i, &word, word_bytes);
      delay += read_cycles * period_;
    } else {
      std::memcpy(&word, transaction.get_data_ptr() + i, word_bytes);
      const bool was_busy = functional_.is_busy();
      answer = functional_.write(address, word, is_whole);
      delay += write_cycles * period_;
      if (!was_busy && functional_.is_busy()) {
        const sc_time duration = double(functional_.job_cycles()) * period_;
        job_end_ = sc_core::sc_time_stamp() + delay + duration;
        socket->invalidate_direct_mem_ptr(operands_begin, results_end - 1);
        job_ended_.cancel();  // of a job that was aborted
        job_ended_.notify(delay + duration);
      }
    }
    // Of accesses that run ahead of the simulation the first counts: all are in the state by then.
    changed_.notify(delay);
    if (answer == decerr) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
    if (answer == slverr)
      return is_whole ? tlm::TLM_COMMAND_ERROR_RESPONSE : tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  }
  return tlm::TLM_OK_RESPONSE;
}

unsigned int TlmAccelerator::transport_dbg(tlm::tlm_generic_payload& transaction) {
  const unsigned length = transaction.get_data_length();
  unsigned done = 0;
  for (; done + word_bytes <= length; done += word_bytes) {
    const auto address = uint32_t(transaction.get_address() + done);
    const Place place = place_of(functional_.design(), address);
    if (transaction.get_address() + done >= 1u << address_bits || !place.is_mapped) break;
    unsigned char* data = transaction.get_data_ptr() + done;
    if (transaction.is_read()) {
      uint32_t word = 0;
      functional_.read(address, word);
      std::memcpy(data, &word, word_bytes);
    } else if (transaction.is_write()) {
      if (place.region == region("registers")) break;
      std::memcpy(&functional_.memory()[address / word_bytes], data, word_bytes);
    }
  }
  return done;
}

bool TlmAccelerator::get_direct_mem_ptr(tlm::tlm_generic_payload& transaction, tlm::tlm_dmi& dmi) {
  const uint64_t address = transaction.get_address();
  settle(sc_core::sc_time_stamp());
  // What is denied: a range around the address.
  dmi.allow_none();
  dmi.set_start_address(address);
  dmi.set_end_address(address);
  if (functional_.is_busy() || address < operands_begin || address >= results_end) return false;
  const bool is_result = address >= operands_end;
  const uint32_t begin = is_result ? operands_end : operands_begin;
  const uint32_t end = is_result ? results_end : operands_end;
  if (is_result && transaction.is_write()) return false;
  dmi.set_start_address(begin);
  dmi.set_end_address(end - 1);
  dmi.set_dmi_ptr(
      reinterpret_cast<unsigned char*>(functional_.memory().data() + begin / word_bytes));
  dmi.set_read_latency(read_cycles * period_);
  dmi.set_write_latency(write_cycles * period_);
  if (is_result)
    dmi.allow_read();
  else
    dmi.allow_read_write();
  return true;
}

}  // namespace mxref
