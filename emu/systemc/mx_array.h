#pragma once
// The MX array as a SystemC module: the ports, the handshake and the registers of mx_mac_array
// (rtl_models/README.md), its arithmetic called from emu. It owns time, never arithmetic. No
// planted faults, so no fault_i.

#include <cstdint>
#include <ostream>
#include <systemc>
#include <vector>

#include "emu/array_port.h"
#include "emu/dot.h"

namespace mxref {

// The payload of a wide port: one value a lane.
template <typename T>
struct Lanes : std::vector<T> {
  using std::vector<T>::vector;
  using std::vector<T>::operator=;
};
template <typename T>
std::ostream& operator<<(std::ostream& out, const Lanes<T>& lanes) {
  for (const T& lane : lanes) out << uint64_t(lane) << ' ';
  return out;
}
template <typename T>
void sc_trace(sc_core::sc_trace_file* file, const Lanes<T>& lanes, const std::string& name) {
  for (size_t i = 0; i < lanes.size(); ++i)
    sc_core::sc_trace(file, lanes[i], name + "_" + std::to_string(i));
}

class MxArray : public sc_core::sc_module {
 public:
  sc_core::sc_in<bool> clk_i{"clk_i"}, rst_ni{"rst_ni"};
  sc_core::sc_in<bool> in_valid_i{"in_valid_i"}, in_first_i{"in_first_i"}, in_last_i{"in_last_i"},
      in_preload_i{"in_preload_i"};
  sc_core::sc_out<bool> in_ready_o{"in_ready_o"};
  sc_core::sc_in<uint8_t> format_a_i{"format_a_i"}, format_b_i{"format_b_i"};
  sc_core::sc_in<Lanes<uint8_t>> a_codes_i{"a_codes_i"}, a_scales_i{"a_scales_i"};
  sc_core::sc_in<Lanes<uint8_t>> b_codes_i{"b_codes_i"}, b_scales_i{"b_scales_i"};
  sc_core::sc_in<Lanes<uint32_t>> c_i{"c_i"};
  sc_core::sc_out<bool> out_valid_o{"out_valid_o"}, out_last_o{"out_last_o"};
  sc_core::sc_in<bool> out_ready_i{"out_ready_i"};
  sc_core::sc_out<uint32_t> out_row_o{"out_row_o"};
  sc_core::sc_out<Lanes<uint32_t>> out_data_o{"out_data_o"};
  sc_core::sc_out<bool> trace_valid_o{"trace_valid_o"}, trace_first_o{"trace_first_o"},
      trace_last_o{"trace_last_o"};
  sc_core::sc_out<uint8_t> trace_stages_o{"trace_stages_o"};
  sc_core::sc_out<Lanes<uint32_t>> trace_acc_o{"trace_acc_o"};

  SC_HAS_PROCESS(MxArray);
  MxArray(const sc_core::sc_module_name& name, ArrayShape shape);

 private:
  // The registers, each a pipeline stage: what the RTL calls beat_q, sum_q, term_q, acc_q,
  // result_q. `start` is what the accumulators begin with, taken with the first block of a tile.
  struct Beat {
    bool valid = false, first = false, last = false;
    Lanes<uint8_t> a_codes, a_scales, b_codes, b_scales;
    Lanes<uint32_t> start;
  };
  // One element's block sum with the two scales that it is to meet.
  struct ScaledSum {
    BlockSum sum;
    uint8_t scale_a, scale_b;
  };
  struct Sums {
    bool valid = false, first = false, last = false;
    std::vector<ScaledSum> elements;  // (rows, cols)
    Lanes<uint32_t> start;
  };
  struct Result {
    bool valid = false;
    int row = 0;
    Lanes<uint32_t> data;  // (rows, cols)
  };
  struct Trace {
    bool valid = false, first = false, last = false;
  };

  // Whether a stage can take what stands before it.
  bool acc_ready() const { return !(term_.last && result_.valid); }
  bool term_ready() const { return !term_.valid || acc_ready(); }
  bool sum_ready() const { return !sum_.valid || term_ready(); }
  bool beat_ready() const { return !beat_.valid || sum_ready(); }

  void rising_edge();
  void send_row();
  void accumulate();    // term_ → acc_, and result_ with a tile's last block
  void sum_products();  // beat_ → sum_
  void take_beat();     // ports → beat_
  void drive_outputs();

  const ArrayShape shape_;
  const BlockFormat *format_a_, *format_b_;  // of the tile in beat_
  Beat beat_;
  Sums sum_, term_;
  Lanes<uint32_t> acc_;  // (rows, cols)
  Trace trace_;
  Result result_;
};

}  // namespace mxref
