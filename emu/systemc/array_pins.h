#pragma once
// A signal for each port of MxArray but the clock.

#include "emu/systemc/mx_array.h"

namespace mxref {

struct ArrayPins {
  sc_core::sc_signal<bool> rst_n, in_valid, in_first, in_last, in_preload, in_ready;
  sc_core::sc_signal<uint8_t> in_lanes, format_a, format_b, out_type;
  sc_core::sc_signal<Lanes<uint8_t>> a_codes, a_scales, b_codes, b_scales;
  sc_core::sc_signal<Lanes<uint32_t>> c;
  sc_core::sc_signal<bool> out_valid, out_last, out_ready;
  sc_core::sc_signal<uint32_t> out_row;
  sc_core::sc_signal<Lanes<uint32_t>> out_data;
  sc_core::sc_signal<bool> trace_valid, trace_first, trace_last;
  sc_core::sc_signal<uint8_t> trace_stages;
  sc_core::sc_signal<Lanes<uint32_t>> trace_acc;
};

inline void bind(MxArray& array, ArrayPins& pins) {
  array.rst_ni(pins.rst_n);
  array.in_valid_i(pins.in_valid);
  array.in_first_i(pins.in_first);
  array.in_last_i(pins.in_last);
  array.in_preload_i(pins.in_preload);
  array.in_ready_o(pins.in_ready);
  array.in_lanes_i(pins.in_lanes);
  array.out_type_i(pins.out_type);
  array.format_a_i(pins.format_a);
  array.format_b_i(pins.format_b);
  array.a_codes_i(pins.a_codes);
  array.a_scales_i(pins.a_scales);
  array.b_codes_i(pins.b_codes);
  array.b_scales_i(pins.b_scales);
  array.c_i(pins.c);
  array.out_valid_o(pins.out_valid);
  array.out_last_o(pins.out_last);
  array.out_ready_i(pins.out_ready);
  array.out_row_o(pins.out_row);
  array.out_data_o(pins.out_data);
  array.trace_valid_o(pins.trace_valid);
  array.trace_first_o(pins.trace_first);
  array.trace_last_o(pins.trace_last);
  array.trace_stages_o(pins.trace_stages);
  array.trace_acc_o(pins.trace_acc);
}

}  // namespace mxref
