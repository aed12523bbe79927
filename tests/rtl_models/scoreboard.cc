#include "tests/rtl_models/scoreboard.h"

#include <cstdio>
#include <vector>

#include "emu/dot.h"

namespace mxref {
namespace {

std::string hex(uint32_t bits) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", bits);
  return text;
}

class Scoreboard {
 public:
  Scoreboard(ArrayPort& array, const Traffic& traffic)
      : array_(array),
        traffic_(traffic),
        stimulus_(traffic.seed, traffic.nan_every),
        pins_(array.shape()),
        acc_(pins_.c.size()) {}

  Verdict run() {
    pins_.fault = traffic_.fault;
    pins_.rst_n = false;
    array_.clock(pins_);
    pins_.rst_n = true;
    int64_t quiet_cycles = 0;
    while (tiles_done_ < traffic_.tiles && quiet_cycles < 1000) {
      const bool reset = verdict_.cycles == traffic_.reset_at;
      const int64_t before = verdict_.compared;
      choose_pins();
      pins_.rst_n = !reset;
      taken_ = false;
      if (!reset) watch();
      array_.clock(pins_);
      if (reset) forget();
      if (taken_) pins_.in_valid = false;
      ++verdict_.cycles;
      quiet_cycles = verdict_.compared > before ? 0 : quiet_cycles + 1;
      if (verdict_.mismatches > 0) break;
    }
    verdict_.finished = tiles_done_ == traffic_.tiles;
    return verdict_;
  }

 private:
  struct Row {
    uint32_t number;
    bool last;
    std::vector<uint32_t> data;
  };

  bool one_in_percent(int percent) { return int(stimulus_.below(100)) < percent; }

  void choose_pins() {
    pins_.out_ready = one_in_percent(traffic_.ready_percent);
    if (pins_.in_valid) return;  // waits
    pins_.in_valid = one_in_percent(traffic_.valid_percent);
    if (pins_.in_valid) draw_beat();
  }

  void draw_beat() {
    if (blocks_left_ == 0) {
      blocks_left_ = 1 + int(stimulus_.below(uint64_t(traffic_.max_blocks)));
      pins_.in_first = true;
      pins_.format_a = uint8_t(stimulus_.below(block_formats.size()));
      pins_.format_b = uint8_t(stimulus_.below(block_formats.size()));
    } else {
      pins_.in_first = false;
    }
    const auto draw = [&](const ElementFormat& format, std::vector<uint8_t>& codes,
                          std::vector<uint8_t>& scales) {
      for (size_t lane = 0; lane < scales.size(); ++lane) {
        stimulus_.codes(format, std::span(codes).subspan(lane * array_block, array_block));
        scales[lane] = stimulus_.scale();
      }
    };
    draw(format_a(), pins_.a_codes, pins_.a_scales);
    draw(format_b(), pins_.b_codes, pins_.b_scales);
    pins_.in_last = --blocks_left_ == 0;
    if (!pins_.in_first) return;
    pins_.in_preload = stimulus_.below(4) != 0;
    for (size_t i = 0; i < pins_.c.size(); ++i)
      pins_.c[i] = stimulus_.accumulator(sum_of(i), a_scale(i), b_scale(i));
  }

  const ElementFormat& format_a() const { return *block_formats[pins_.format_a].element; }
  const ElementFormat& format_b() const { return *block_formats[pins_.format_b].element; }
  size_t cols() const { return size_t(array_.shape().cols); }
  uint8_t a_scale(size_t i) const { return pins_.a_scales[i / cols()]; }
  uint8_t b_scale(size_t i) const { return pins_.b_scales[i % cols()]; }
  BlockSum sum_of(size_t i) const {
    const auto block = [](const std::vector<uint8_t>& codes, size_t lane) {
      return std::span(codes).subspan(lane * array_block, array_block);
    };
    return block_sum(format_a(), block(pins_.a_codes, i / cols()), format_b(),
                     block(pins_.b_codes, i % cols()));
  }

  // What happens at the coming edge.
  void watch() {
    const ArrayOutputs& out = array_.outputs();
    if (out.trace_valid) check_trace(out);
    if (out.out_valid && pins_.out_ready) check_row(out);
    taken_ = pins_.in_valid && out.in_ready;
    if (taken_) expect();
  }

  void expect() {
    for (size_t i = 0; i < acc_.size(); ++i) {
      if (pins_.in_first) acc_[i] = pins_.in_preload ? pins_.c[i] : 0;
      acc_[i] = accumulate_block(datapath("fused"), acc_[i], sum_of(i), a_scale(i), b_scale(i));
    }
    due_updates_.push_back(acc_);
    if (!pins_.in_last) return;
    for (size_t r = 0; r < size_t(array_.shape().rows); ++r)
      due_rows_.push_back(
          {uint32_t(r),
           r + 1 == size_t(array_.shape().rows),
           {acc_.begin() + long(r * cols()), acc_.begin() + long((r + 1) * cols())}});
  }

  void compare(const char* what, size_t index, uint32_t expected, uint32_t got) {
    ++verdict_.compared;
    if (expected == got) return;
    if (verdict_.mismatches++ == 0)
      verdict_.first = std::string(what) + " " + std::to_string(index) + ": expected " +
                       hex(expected) + ", got " + hex(got) + " (cycle " +
                       std::to_string(verdict_.cycles) + ", seed " + std::to_string(traffic_.seed) +
                       ")";
  }

  void check_trace(const ArrayOutputs& out) {
    if (due_updates_.empty()) return compare("update without a beat", 0, 0, 1);
    for (size_t i = 0; i < acc_.size(); ++i)
      compare("accumulator", i, due_updates_.front()[i], out.trace_acc[i]);
    due_updates_.pop_front();
  }

  void check_row(const ArrayOutputs& out) {
    if (due_rows_.empty()) return compare("row that was not due", out.out_row, 0, 1);
    const Row& row = due_rows_.front();
    compare("row number", row.number, row.number, out.out_row);
    compare("last row", row.number, row.last, out.out_last);
    for (size_t c = 0; c < cols(); ++c) compare("result", c, row.data[c], out.out_data[c]);
    tiles_done_ += row.last;
    due_rows_.pop_front();
  }

  void forget() {
    due_updates_.clear();
    due_rows_.clear();
    blocks_left_ = 0;
    pins_.in_valid = false;
  }

  ArrayPort& array_;
  Traffic traffic_;
  Stimulus stimulus_;
  ArrayInputs pins_;
  int blocks_left_ = 0;
  bool taken_ = false;
  std::vector<uint32_t> acc_;
  std::deque<std::vector<uint32_t>> due_updates_;
  std::deque<Row> due_rows_;
  int64_t tiles_done_ = 0;
  Verdict verdict_;
};

}  // namespace

Verdict drive(ArrayPort& array, const Traffic& traffic) { return Scoreboard(array, traffic).run(); }

}  // namespace mxref
