#include "rtl_models/cosim/scoreboard.h"

#include <sstream>

#include "emu/datapaths.h"
#include "emu/dot.h"

namespace mxref {

void compare(const std::string& signal, uint64_t expected, uint64_t got,
             std::vector<Mismatch>& mismatches) {
  if (expected == got) return;
  const auto hex = [](uint64_t value) {
    std::ostringstream text;
    text << "0x" << std::hex << value;
    return text.str();
  };
  mismatches.push_back({signal, hex(expected), hex(got)});
}

void compare(const std::string& signal, const std::vector<uint32_t>& expected,
             const std::vector<uint32_t>& got, std::vector<Mismatch>& mismatches) {
  for (size_t i = 0; i < expected.size(); ++i)
    if (expected[i] != got[i])
      compare(signal + "[" + std::to_string(i) + "]", expected[i], got[i], mismatches);
}

void Scoreboard::reset() {
  acc_.assign(size_t(shape_.rows) * size_t(shape_.cols), 0);
  updates_.clear();
  rows_.clear();
}

void Scoreboard::beat_taken(const ArrayInputs& beat) {
  if (beat.in_first) {
    format_a_ = beat.format_a;
    format_b_ = beat.format_b;
    if (beat.in_preload)
      acc_ = beat.c;
    else
      acc_.assign(acc_.size(), 0);
  }
  const ElementFormat& format_a = *array_formats[format_a_]->element;
  const ElementFormat& format_b = *array_formats[format_b_]->element;
  const auto codes = [](const std::vector<uint8_t>& pins, int lane, const ElementFormat& format) {
    std::array<uint8_t, array_block> block;
    for (size_t i = 0; i < block.size(); ++i)
      block[i] = pins[size_t(lane) * array_block + i] & uint8_t((1u << format.bits()) - 1);
    return block;
  };
  size_t i = 0;
  for (int r = 0; r < shape_.rows; ++r) {
    const auto a = codes(beat.a_codes, r, format_a);
    for (int c = 0; c < shape_.cols; ++c, ++i)
      acc_[i] = accumulate_block(datapath("fused"), acc_[i],
                                 block_sum(format_a, a, format_b, codes(beat.b_codes, c, format_b)),
                                 beat.a_scales[size_t(r)], beat.b_scales[size_t(c)]);
  }
  updates_.push_back({beat.in_first, beat.in_last, acc_});
  if (!beat.in_last) return;
  for (int r = 0; r < shape_.rows; ++r) {
    const auto row = acc_.begin() + r * shape_.cols;
    rows_.push_back({uint32_t(r), {row, row + shape_.cols}});
  }
}

void Scoreboard::check_trace(const ArrayOutputs& out, std::vector<Mismatch>& mismatches) {
  compare("trace_valid (block that was never taken)", 0, updates_.empty(), mismatches);
  if (updates_.empty()) return;
  const Update& update = updates_.front();
  compare("trace_first", update.first, out.trace_first, mismatches);
  compare("trace_last", update.last, out.trace_last, mismatches);
  compare("trace_acc", update.acc, out.trace_acc, mismatches);
  updates_.pop_front();
}

void Scoreboard::check_row(const ArrayOutputs& out, std::vector<Mismatch>& mismatches) {
  compare("out_valid (row of no tile)", 0, rows_.empty(), mismatches);
  if (rows_.empty()) return;
  const Row& row = rows_.front();
  compare("out_row", row.number, out.out_row, mismatches);
  compare("out_last", row.number + 1 == uint32_t(shape_.rows), out.out_last, mismatches);
  compare("out_data", row.data, out.out_data, mismatches);
  rows_.pop_front();
}

}  // namespace mxref
