#pragma once
// The MX array as a SystemC module: the ports, the handshake and the registers of mx_mac_array
// (rtl_models/README.md), its arithmetic called from emu. It owns time, never arithmetic. No
// planted faults, so no fault_i.

#include <cstdint>
#include <systemc>
#include <vector>

#include "emu/array_port.h"
#include "emu/array_steps.h"
#include "emu/systemc/lanes.h"

namespace mxref {

class MxArray : public sc_core::sc_module {
 public:
  sc_core::sc_in<bool> clk_i{"clk_i"}, rst_ni{"rst_ni"};
  sc_core::sc_in<bool> in_valid_i{"in_valid_i"}, in_first_i{"in_first_i"}, in_last_i{"in_last_i"},
      in_preload_i{"in_preload_i"};
  sc_core::sc_out<bool> in_ready_o{"in_ready_o"};
  sc_core::sc_in<uint8_t> in_lanes_i{"in_lanes_i"};
  sc_core::sc_in<uint8_t> format_a_i{"format_a_i"}, format_b_i{"format_b_i"};
  sc_core::sc_in<uint8_t> out_type_i{"out_type_i"};
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
  MxArray(const sc_core::sc_module_name& name, const ArrayDesign& design);

 private:
  // The registers, each a pipeline stage: what the RTL calls beat, sum, term, acc, result.
  struct BeatRegister {
    bool valid = false;
    ArrayBeat beat;
  };
  struct StepRegister {
    bool valid = false;
    ArrayStep step;
  };
  struct Result {
    bool valid = false;
    int row = 0;
    OutType type = OutType::f32;
    std::vector<uint32_t> data;  // (rows, cols) binary32
  };
  struct Trace {
    bool valid = false, first = false, last = false;
  };

  // Whether a stage can take what stands before it. A step that lacks blocks does not wait.
  bool acc_ready() const { return !(term_.step.is_last && result_.valid); }
  bool term_ready() const { return !term_.valid || !term_.step.is_full || acc_ready(); }
  bool sum_ready() const { return !sum_.valid || term_ready(); }
  bool beat_ready() const { return !beat_.valid || (sum_ready() && is_last_step()); }
  bool is_last_step() const { return cutter_.is_last(beat_.beat); }

  void rising_edge();
  void send_row();
  void accumulate();  // term_ → accumulators, and result_ with a tile's last step
  void collect();     // sum_ → term_
  void take_pins();   // ports → beat_
  void drive_outputs();

  const ArrayDesign design_;
  BeatRegister beat_;
  StepCutter cutter_;
  StepRegister sum_, term_;
  Accumulators accumulators_;
  Trace trace_;
  Result result_;
};

}  // namespace mxref
