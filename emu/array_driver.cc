#include "emu/array_driver.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <utility>

namespace mxref {

ArrayOperand cut_into_beats(const MxTensor& x, int height, int lanes) {
  ArrayOperand operand;
  operand.height = height;
  operand.lanes = lanes;
  operand.rows = x.rows();
  operand.K = x.cols();
  operand.blocks = x.blocks_per_row();
  operand.format = &x.format();
  const size_t row_blocks = size_t(operand.groups() * operand.blocks * height);
  operand.codes.assign(row_blocks * size_t(lanes), 0);
  operand.scales.assign(row_blocks, x.format().scale->one);
  for (int64_t row = 0; row < x.rows(); ++row)
    for (int64_t block = 0; block < operand.blocks; ++block) {
      const int64_t row_block = (row / height * operand.blocks + block) * height + row % height;
      std::copy_n(x.row_codes(row).begin() + block * x.block(), operand.block_lanes(block),
                  operand.codes.begin() + row_block * lanes);
      operand.scales[size_t(row_block)] = x.row_scales(row)[size_t(block)];
    }
  return operand;
}

static std::string names_of_set(const FormatSet& set) {
  std::string list;
  for (const BlockFormat& f : block_formats)
    if (set[format_number(f)]) list += (list.empty() ? "" : ", ") + std::string(f.name);
  return list;
}

std::string array_refuses(const ArrayDesign& design, const BlockFormat& a, const BlockFormat& b,
                          int block, const Datapath& datapath) {
  const Datapath& built = *design.datapath;
  if (datapath.kind != built.kind || datapath.ftz != built.ftz ||
      (datapath.kind == Accumulation::aligned && !(datapath.alignment == built.alignment)))
    return "the array has the datapath " + std::string(built.name) + " alone";
  for (const auto& [format, set] :
       {std::pair{&a, &design.formats_a}, std::pair{&b, &design.formats_b}})
    if (!(*set)[format_number(*format)])
      return "the array has the formats " + names_of_set(*set) + " alone";
  if (block != a.block) return "the array has blocks of " + std::to_string(a.block) + " alone";
  return "";
}

namespace {

// The operands' side: puts the beats of a range of tiles on the pins, one after the other.
class Feeder {
 public:
  Feeder(const ArrayOperand& a, const ArrayOperand& b, TileRange tiles, std::span<const float> c,
         ArrayInputs& pins)
      : a_(a), b_(b), c_(c), tile_(tiles.first), end_(tiles.last), pins_(pins) {
    pins_.format_a = uint8_t(format_number(*a.format));
    pins_.format_b = uint8_t(format_number(*b.format));
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
    pins_.in_lanes = uint8_t(a_.block_lanes(block_));
    std::ranges::copy(a_.beat_codes(group_a, block_), pins_.a_codes.begin());
    std::ranges::copy(a_.beat_scales(group_a, block_), pins_.a_scales.begin());
    std::ranges::copy(b_.beat_codes(group_b, block_), pins_.b_codes.begin());
    std::ranges::copy(b_.beat_scales(group_b, block_), pins_.b_scales.begin());
    pins_.in_preload = pins_.in_first && !c_.empty();
    if (pins_.in_preload) put_c(group_a * a_.height, group_b * b_.height);
  }
  void put_c(int64_t m0, int64_t n0) {
    for (int64_t r = 0; r < a_.height; ++r)
      for (int64_t col = 0; col < b_.height; ++col) {
        const int64_t m = m0 + r, n = n0 + col;
        const float value = m < a_.rows && n < b_.rows ? c_[size_t(m * b_.rows + n)] : 0.0f;
        pins_.c[size_t(r * b_.height + col)] = std::bit_cast<uint32_t>(value);
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
  ArrayInputs pins(array.design());
  pins.rst_n = false;
  array.clock(pins);
  pins.rst_n = true;
  pins.out_ready = true;
  Feeder feeder(a, b, tiles, c, pins);
  const ArrayOutputs& out = array.outputs();
  int64_t cycles = 1;
  const int64_t patience_cycles = 100 + a.height + a.lanes;  // no stall of a sound array is longer
  int64_t idle_cycles = 0;
  for (int64_t tile = tiles.first; tile < tiles.last; ++cycles) {
    const bool taken = pins.in_valid && out.in_ready;
    idle_cycles = taken || out.out_valid ? 0 : idle_cycles + 1;
    if (idle_cycles > patience_cycles) throw std::runtime_error("the array stopped answering");
    if (out.out_valid) {
      const int64_t m = tile / b.groups() * a.height + out.out_row;
      const int64_t n = tile % b.groups() * b.height;
      if (m < a.rows)
        std::transform(
            out.out_data.begin(), out.out_data.begin() + std::min<int64_t>(b.height, b.rows - n),
            d.begin() + m * b.rows + n, [](uint32_t bits) { return std::bit_cast<float>(bits); });
      tile += out.out_last;
    }
    array.clock(pins);
    if (taken) feeder.beat_was_taken();
  }
  return cycles;
}

}  // namespace mxref
