#include "emu/systemc/mx_array.h"

#include <algorithm>

namespace mxref {

MxArray::MxArray(const sc_core::sc_module_name& name, const ArrayDesign& design)
    : sc_module(name), design_(design), cutter_(design_), accumulators_(design_) {
  SC_METHOD(rising_edge);
  sensitive << clk_i.pos();
  dont_initialize();
}

// The last stage first: each then finds its neighbours as they were before the edge.
void MxArray::rising_edge() {
  if (!rst_ni.read()) {
    beat_.valid = sum_.valid = term_.valid = result_.valid = trace_.valid = false;
    cutter_.reset();
    return drive_outputs();
  }
  const bool to_beat = beat_ready(), to_sum = sum_ready(), to_term = term_ready();
  const bool to_acc = term_.valid && term_.step.is_full && acc_ready();
  if (result_.valid && out_ready_i.read()) send_row();
  trace_ = {to_acc, term_.step.is_first, term_.step.is_last};
  if (to_acc) accumulate();
  if (to_term) {
    if (sum_.valid) collect();
    term_.valid = sum_.valid;
  }
  if (to_sum) {
    if (beat_.valid) sum_.step = cutter_.next(beat_.beat);
    sum_.valid = beat_.valid;
  }
  if (to_beat) {
    beat_.valid = in_valid_i.read();
    if (beat_.valid) take_pins();
  }
  drive_outputs();
}

void MxArray::send_row() {
  if (++result_.row == design_.shape.rows) result_.valid = false;
}

void MxArray::accumulate() {
  accumulators_.apply(term_.step);
  if (term_.step.is_last) result_ = {true, 0, term_.step.out_type, accumulators_.values()};
}

void MxArray::collect() {
  if (sum_.step.continues)
    append(term_.step, sum_.step);
  else
    term_.step = sum_.step;
}

void MxArray::take_pins() {
  ArrayInputs pins(design_);
  pins.in_first = in_first_i.read();
  pins.in_last = in_last_i.read();
  pins.in_preload = in_preload_i.read();
  pins.in_lanes = in_lanes_i.read();
  pins.format_a = format_a_i.read();
  pins.format_b = format_b_i.read();
  pins.out_type = OutType(out_type_i.read());
  pins.a_codes = a_codes_i.read();
  pins.a_scales = a_scales_i.read();
  pins.b_codes = b_codes_i.read();
  pins.b_scales = b_scales_i.read();
  if (pins.in_first) pins.c = c_i.read();
  take_beat(pins, beat_.beat);
}

void MxArray::drive_outputs() {
  in_ready_o.write(beat_ready());
  out_valid_o.write(result_.valid);
  out_row_o.write(uint32_t(result_.row));
  out_last_o.write(result_.row == design_.shape.rows - 1);
  // The row after the last is none: the port keeps what it had.
  if (result_.valid) {
    Lanes<uint32_t> data;
    data.resize(size_t(design_.shape.cols));
    const auto row = result_.data.begin() + result_.row * design_.shape.cols;
    std::transform(row, row + design_.shape.cols, data.begin(),
                   [&](uint32_t bits) { return to_out_type(bits, result_.type); });
    out_data_o.write(data);
  }
  trace_valid_o.write(trace_.valid);
  trace_first_o.write(trace_.first);
  trace_last_o.write(trace_.last);
  Lanes<uint32_t> acc;
  acc.assign(accumulators_.values().begin(), accumulators_.values().end());
  trace_acc_o.write(acc);
  trace_stages_o.write(uint8_t((beat_.valid ? stage_beat : 0) | (sum_.valid ? stage_sum : 0) |
                               (term_.valid ? stage_term : 0) |
                               (result_.valid ? stage_result : 0)));
}

}  // namespace mxref
