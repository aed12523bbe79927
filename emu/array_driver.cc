#include "emu/array_driver.h"

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "emu/e8m0.h"

namespace mxref {

ArrayOperand cut_into_beats(const MxTensor& x, int lanes) {
  ArrayOperand operand;
  operand.lanes = lanes;
  operand.rows = x.rows();
  operand.blocks = x.blocks_per_row();
  operand.format = array_format(x.format());
  const size_t lane_blocks = size_t(operand.groups() * operand.blocks * lanes);
  operand.codes.assign(lane_blocks * array_block, 0);
  operand.scales.assign(lane_blocks, e8m0::encode_sat(0));
  for (int64_t row = 0; row < x.rows(); ++row)
    for (int64_t block = 0; block < operand.blocks; ++block) {
      const int64_t start = block * array_block;
      const auto lane_block = size_t((row / lanes * operand.blocks + block) * lanes + row % lanes);
      std::copy_n(x.row_codes(row).begin() + start,
                  std::min<int64_t>(array_block, x.cols() - start),
                  operand.codes.begin() + int64_t(lane_block) * array_block);
      operand.scales[lane_block] = x.row_scales(row)[size_t(block)];
    }
  return operand;
}

static std::string array_format_list() {
  std::string list;
  for (const BlockFormat* f : array_formats)
    list += (list.empty() ? "" : ", ") + std::string(f->name);
  return list;
}

uint8_t array_format(const BlockFormat& format) {
  const auto found = std::ranges::find(array_formats, &format);
  if (found == array_formats.end())
    throw UsageError("the array has the formats " + array_format_list());
  return uint8_t(found - array_formats.begin());
}

std::string array_refuses(const BlockFormat& a, const BlockFormat& b, int block,
                          const Datapath& datapath) {
  if (datapath.kind != Accumulation::fused || datapath.ftz)
    return "the array has the datapath fused alone";
  for (const BlockFormat* format : {&a, &b})
    if (std::ranges::find(array_formats, format) == array_formats.end())
      return "the array has the formats " + array_format_list() + " alone";
  if (block != array_block)
    return "the array has blocks of " + std::to_string(array_block) + " alone";
  return "";
}

namespace {

// The operands' side: puts the beats of a range of tiles on the pins, one after the other.
class Feeder {
 public:
  Feeder(const ArrayOperand& a, const ArrayOperand& b, TileRange tiles, std::span<const float> c,
         ArrayInputs& pins)
      : a_(a), b_(b), c_(c), tile_(tiles.first), end_(tiles.last), pins_(pins) {
    pins_.format_a = a.format;
    pins_.format_b = b.format;
    put_beat();
  }
  void beat_was_taken() {
    if (++block_ == a_.blocks) {
      block_ = 0;
      ++tile_;
    }
    put_beat();
  }

 private:
  void put_beat() {
    pins_.in_valid = tile_ < end_;
    if (!pins_.in_valid) return;
    const int64_t group_a = tile_ / b_.groups(), group_b = tile_ % b_.groups();
    pins_.in_first = block_ == 0;
    pins_.in_last = block_ == a_.blocks - 1;
    std::ranges::copy(a_.beat_codes(group_a, block_), pins_.a_codes.begin());
    std::ranges::copy(a_.beat_scales(group_a, block_), pins_.a_scales.begin());
    std::ranges::copy(b_.beat_codes(group_b, block_), pins_.b_codes.begin());
    std::ranges::copy(b_.beat_scales(group_b, block_), pins_.b_scales.begin());
    pins_.in_preload = pins_.in_first && !c_.empty();
    if (pins_.in_preload) put_c(group_a * a_.lanes, group_b * b_.lanes);
  }
  void put_c(int64_t m0, int64_t n0) {
    for (int64_t r = 0; r < a_.lanes; ++r)
      for (int64_t col = 0; col < b_.lanes; ++col) {
        const int64_t m = m0 + r, n = n0 + col;
        const float value = m < a_.rows && n < b_.rows ? c_[size_t(m * b_.rows + n)] : 0.0f;
        pins_.c[size_t(r * b_.lanes + col)] = std::bit_cast<uint32_t>(value);
      }
  }

  const ArrayOperand &a_, &b_;
  std::span<const float> c_;
  int64_t tile_, end_, block_ = 0;
  ArrayInputs& pins_;
};

}  // namespace

int64_t run_tiles(ArrayPort& array, const ArrayOperand& a, const ArrayOperand& b, TileRange tiles,
                  std::span<const float> c, std::span<float> d) {
  if (tiles.first == tiles.last) return 0;
  ArrayInputs pins(array.shape());
  pins.rst_n = false;
  array.clock(pins);
  pins.rst_n = true;
  pins.out_ready = true;
  Feeder feeder(a, b, tiles, c, pins);
  const ArrayOutputs& out = array.outputs();
  int64_t cycles = 1;
  const int64_t patience_cycles = 100 + a.lanes;  // no stall of a sound array lasts that long
  int64_t idle_cycles = 0;
  for (int64_t tile = tiles.first; tile < tiles.last; ++cycles) {
    const bool taken = pins.in_valid && out.in_ready;
    idle_cycles = taken || out.out_valid ? 0 : idle_cycles + 1;
    if (idle_cycles > patience_cycles) throw std::runtime_error("the array stopped answering");
    if (out.out_valid) {
      const int64_t m = tile / b.groups() * a.lanes + out.out_row;
      const int64_t n = tile % b.groups() * b.lanes;
      if (m < a.rows)
        std::transform(
            out.out_data.begin(), out.out_data.begin() + std::min<int64_t>(b.lanes, b.rows - n),
            d.begin() + m * b.rows + n, [](uint32_t bits) { return std::bit_cast<float>(bits); });
      tile += out.out_last;
    }
    array.clock(pins);
    if (taken) feeder.beat_was_taken();
  }
  return cycles;
}

}  // namespace mxref
