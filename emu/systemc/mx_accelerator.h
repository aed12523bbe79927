#pragma once
// The accelerator as a SystemC module: the pins of mx_accelerator in every cycle
// (rtl_models/accelerator/README.md). The array in it is MxArray; what registers and memory do is
// emu/accelerator's. It owns time, never arithmetic. No planted faults, so no fault_i.

#include <systemc>

#include "emu/accelerator/host_side.h"
#include "emu/systemc/array_pins.h"

namespace mxref {

class MxAccelerator : public sc_core::sc_module {
 public:
  sc_core::sc_in<bool> clk_i{"clk_i"}, rst_ni{"rst_ni"};
  // AXI4-Lite
  sc_core::sc_in<bool> s_axi_awvalid_i{"s_axi_awvalid_i"}, s_axi_wvalid_i{"s_axi_wvalid_i"},
      s_axi_bready_i{"s_axi_bready_i"}, s_axi_arvalid_i{"s_axi_arvalid_i"},
      s_axi_rready_i{"s_axi_rready_i"};
  sc_core::sc_in<uint32_t> s_axi_awaddr_i{"s_axi_awaddr_i"}, s_axi_wdata_i{"s_axi_wdata_i"},
      s_axi_araddr_i{"s_axi_araddr_i"};
  sc_core::sc_in<uint8_t> s_axi_wstrb_i{"s_axi_wstrb_i"};
  sc_core::sc_out<bool> s_axi_awready_o{"s_axi_awready_o"}, s_axi_wready_o{"s_axi_wready_o"},
      s_axi_bvalid_o{"s_axi_bvalid_o"}, s_axi_arready_o{"s_axi_arready_o"},
      s_axi_rvalid_o{"s_axi_rvalid_o"};
  sc_core::sc_out<uint8_t> s_axi_bresp_o{"s_axi_bresp_o"}, s_axi_rresp_o{"s_axi_rresp_o"};
  sc_core::sc_out<uint32_t> s_axi_rdata_o{"s_axi_rdata_o"};
  // AXI4-Stream: operands in, rows of results out
  sc_core::sc_in<bool> s_axis_tvalid_i{"s_axis_tvalid_i"}, s_axis_tlast_i{"s_axis_tlast_i"},
      m_axis_tready_i{"m_axis_tready_i"};
  sc_core::sc_in<uint32_t> s_axis_tdata_i{"s_axis_tdata_i"};
  sc_core::sc_out<bool> s_axis_tready_o{"s_axis_tready_o"}, m_axis_tvalid_o{"m_axis_tvalid_o"},
      m_axis_tlast_o{"m_axis_tlast_o"}, m_axis_tuser_o{"m_axis_tuser_o"};
  sc_core::sc_out<Lanes<uint32_t>> m_axis_tdata_o{"m_axis_tdata_o"};
  sc_core::sc_out<bool> irq_o{"irq_o"};

  SC_HAS_PROCESS(MxAccelerator);
  MxAccelerator(const sc_core::sc_module_name& name, const accelerator::Design& design);

 private:
  // The registers of the bus: an address and data of a write, its answer, a read.
  struct Bus {
    bool aw_valid = false, w_valid = false, b_valid = false;
    uint32_t aw_addr = 0, w_data = 0;
    uint8_t w_strb = 0, b_resp = 0;
    enum { idle, fetch, select, answer } read = idle;
    uint32_t ar_addr = 0, r_data = 0;
    uint8_t r_resp = 0;
    bool writes() const { return aw_valid && w_valid && !b_valid; }
    bool is_whole() const { return w_strb == 0xF; }
  };
  // The word of the operand stream that was taken last, and the packet that it is of.
  struct Packet {
    bool valid = false, last = false;
    uint32_t data = 0;
    bool inside = false, skips = false, past_end = false;
    accelerator::Place place;  // of the next word
    bool writes() const { return valid && inside && !skips && !past_end; }
  };
  // A row of results on its way out, or the end of a packet that was cut off; the packet behind it.
  struct Row {
    bool valid = false, last = false, is_cut = false;
    Lanes<uint32_t> data;
    bool in_packet = false, cuts = false;  // cuts: an end has still to leave
  };

  bool host_writes_memory() const;
  bool stream_is_blocked() const;
  bool stream_leaves() const { return packet_.valid && !stream_is_blocked(); }
  bool row_ready() const;

  void rising_edge();
  void reset();
  void move_packet(uint8_t& error);
  void move_bus();
  void move_row(bool row_taken, bool aborts);
  void fetch();
  void count(bool beat_taken, bool row_taken, bool packet_ended);
  void drive_outputs();
  void drive_array();  // what the array sees of inputs

  const accelerator::Design design_;
  accelerator::HostSide host_;
  accelerator::Running running_;
  Bus bus_;
  Packet packet_;
  Row row_;
  bool beat_valid_ = false;
  ArrayPins array_pins_;
  MxArray array_;
  sc_core::sc_signal<bool> aborts_{"aborts"};
  sc_core::sc_event registers_changed_;
};

}  // namespace mxref
