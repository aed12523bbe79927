#include "rtl_models/cosim/scoreboard.h"

#include <sstream>

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
  cutter_.reset();
  updates_.clear();
  rows_.clear();
}

void Scoreboard::beat_taken(const ArrayInputs& pins) {
  take_beat(pins, beat_);
  for (bool is_last = false; !is_last;) {
    is_last = cutter_.is_last(beat_);
    const ArrayStep part = cutter_.next(beat_);
    if (part.continues)
      append(step_, part);
    else
      step_ = part;
    if (step_.is_full) step(step_);
  }
}

void Scoreboard::step(const ArrayStep& step) {
  accumulators_.apply(step);
  const std::vector<uint32_t>& acc = accumulators_.values();
  updates_.push_back({step.is_first, step.is_last, acc});
  if (!step.is_last) return;
  const auto cols = size_t(design_.shape.cols);
  for (int r = 0; r < design_.shape.rows; ++r) {
    Row row{uint32_t(r), std::vector<uint32_t>(cols)};
    for (size_t c = 0; c < cols; ++c)
      row.data[c] = to_out_type(acc[size_t(r) * cols + c], step.out_type);
    rows_.push_back(std::move(row));
  }
}

void Scoreboard::check_trace(const ArrayOutputs& out, std::vector<Mismatch>& mismatches) {
  compare("trace_valid (step that was never taken)", 0, updates_.empty(), mismatches);
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
  compare("out_last", row.number + 1 == uint32_t(design_.shape.rows), out.out_last, mismatches);
  compare("out_data", row.data, out.out_data, mismatches);
  rows_.pop_front();
}

}  // namespace mxref
