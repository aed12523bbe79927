#include "emu/systemc/mx_array.h"

#include <algorithm>

#include "emu/datapaths.h"

namespace mxref {

MxArray::MxArray(const sc_core::sc_module_name& name, ArrayShape shape)
    : sc_module(name),
      shape_(shape),
      format_a_(array_formats[0]),
      format_b_(array_formats[0]),
      acc_(size_t(shape.rows) * size_t(shape.cols)) {
  sum_.elements.resize(acc_.size());
  term_.elements.resize(acc_.size());
  sum_.start = term_.start = result_.data = beat_.start = acc_;
  SC_METHOD(rising_edge);
  sensitive << clk_i.pos();
  dont_initialize();
}

// The last stage first: each then finds its neighbours as they were before the edge.
void MxArray::rising_edge() {
  if (!rst_ni.read()) {
    beat_.valid = sum_.valid = term_.valid = result_.valid = trace_.valid = false;
    return drive_outputs();
  }
  const bool to_beat = beat_ready(), to_sum = sum_ready(), to_term = term_ready();
  const bool to_acc = term_.valid && acc_ready();
  if (result_.valid && out_ready_i.read()) send_row();
  trace_ = {to_acc, term_.first, term_.last};
  if (to_acc) accumulate();
  if (to_term) {
    if (sum_.valid)
      term_ = sum_;
    else
      term_.valid = false;
  }
  if (to_sum) {
    sum_.valid = beat_.valid;
    if (beat_.valid) sum_products();
  }
  if (to_beat) {
    beat_.valid = in_valid_i.read();
    if (beat_.valid) take_beat();
  }
  drive_outputs();
}

void MxArray::send_row() {
  if (++result_.row == shape_.rows) result_.valid = false;
}

void MxArray::accumulate() {
  for (size_t i = 0; i < acc_.size(); ++i) {
    const ScaledSum& term = term_.elements[i];
    acc_[i] = accumulate_block(datapath("fused"), term_.first ? term_.start[i] : acc_[i], term.sum,
                               term.scale_a, term.scale_b);
  }
  if (term_.last) result_ = {true, 0, acc_};
}

void MxArray::sum_products() {
  sum_.first = beat_.first;
  sum_.last = beat_.last;
  sum_.start = beat_.start;
  const auto block = [](const Lanes<uint8_t>& codes, size_t lane) {
    return std::span(codes).subspan(lane * array_block, array_block);
  };
  for (size_t r = 0, i = 0; r < size_t(shape_.rows); ++r)
    for (size_t c = 0; c < size_t(shape_.cols); ++c, ++i)
      sum_.elements[i] = {block_sum(*format_a_->element, block(beat_.a_codes, r),
                                    *format_b_->element, block(beat_.b_codes, c)),
                          beat_.a_scales[r], beat_.b_scales[c]};
}

void MxArray::take_beat() {
  beat_.first = in_first_i.read();
  beat_.last = in_last_i.read();
  if (beat_.first) {
    format_a_ = array_formats[format_a_i.read()];
    format_b_ = array_formats[format_b_i.read()];
    if (in_preload_i.read())
      beat_.start = c_i.read();
    else
      std::ranges::fill(beat_.start, 0u);
  }
  // The pins are a byte wide for every format; bits above the format's are ignored.
  const auto take = [](const Lanes<uint8_t>& pins, const ElementFormat& format) {
    Lanes<uint8_t> codes(pins);
    for (uint8_t& code : codes) code &= uint8_t((1u << format.bits()) - 1);
    return codes;
  };
  beat_.a_codes = take(a_codes_i.read(), *format_a_->element);
  beat_.b_codes = take(b_codes_i.read(), *format_b_->element);
  beat_.a_scales = a_scales_i.read();
  beat_.b_scales = b_scales_i.read();
}

void MxArray::drive_outputs() {
  in_ready_o.write(beat_ready());
  out_valid_o.write(result_.valid);
  out_row_o.write(uint32_t(result_.row));
  out_last_o.write(result_.row == shape_.rows - 1);
  // The row after the last is none: the port keeps what it had.
  if (result_.valid) {
    const auto row = result_.data.begin() + result_.row * shape_.cols;
    Lanes<uint32_t> data;
    data.assign(row, row + shape_.cols);
    out_data_o.write(data);
  }
  trace_valid_o.write(trace_.valid);
  trace_first_o.write(trace_.first);
  trace_last_o.write(trace_.last);
  trace_acc_o.write(acc_);
  trace_stages_o.write(uint8_t((beat_.valid ? stage_beat : 0) | (sum_.valid ? stage_sum : 0) |
                               (term_.valid ? stage_term : 0) |
                               (result_.valid ? stage_result : 0)));
}

}  // namespace mxref
