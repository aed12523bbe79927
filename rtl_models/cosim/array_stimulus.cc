#include "rtl_models/cosim/array_stimulus.h"

#include <algorithm>
#include <cstring>

#include "emu/binary32.h"
#include "emu/e8m0.h"

namespace mxref {

ArrayStimulus::ArrayStimulus(const CosimOptions& options, const ArrayDesign& design)
    : options_(options),
      design_(design),
      stimulus_(options.seed, /*nan_every=*/128),
      pins_(design) {}

const ArrayInputs& ArrayStimulus::next(bool beat_taken) {
  constexpr uint64_t cycles_between_resets = 1000;
  if (phase_.cycles-- == 0) begin_phase();
  if (reset_cycles_ == 0 && stimulus_.below(cycles_between_resets) == 0)
    reset_cycles_ = 1 + int(stimulus_.below(3));
  pins_.out_ready = !chance(phase_.stall);
  if (reset_cycles_ > 0) {  // whatever the inputs say, a reset empties the array
    --reset_cycles_;
    pins_.rst_n = false;
    put_gap();
    pins_.in_valid = chance(4);
    blocks_left_ = 0;
    return pins_;
  }
  const bool held = waits(beat_taken);
  pins_.rst_n = true;
  if (held) return pins_;  // valid stays, and the payload with it
  if (chance(phase_.gap)) {
    put_gap();
    return pins_;
  }
  pins_.in_valid = true;
  pins_.in_first = blocks_left_ == 0;
  if (pins_.in_first)
    begin_tile();
  else
    put_noise_of_the_start();
  pins_.in_last = --blocks_left_ == 0;
  put_beat();
  return pins_;
}

const ArrayInputs& ArrayStimulus::drain(bool beat_taken) {
  const bool held = waits(beat_taken);
  pins_.rst_n = pins_.out_ready = true;
  if (!held) put_gap();
  return pins_;
}

void ArrayStimulus::begin_phase() {
  constexpr uint64_t thousand = 1000;
  constexpr uint64_t chances[] = {1, 4, 7};
  constexpr uint64_t lengths[] = {1, 2, 4, 20};
  const auto share = uint64_t(options_.backpressure * thousand);
  phase_.cycles = 50 + int(stimulus_.below(200));
  phase_.gap = stimulus_.below(thousand) < share ? chances[stimulus_.below(3)] : 0;
  phase_.stall = stimulus_.below(thousand) < share ? chances[stimulus_.below(3)] : 0;
  phase_.longest_tile = lengths[stimulus_.below(4)];
}

void ArrayStimulus::begin_tile() {
  blocks_left_ = 1 + stimulus_.below(phase_.longest_tile);
  draw_formats();
  constexpr End ends[] = {End::least, End::largest, End::either};
  tile_end_ = stimulus_.below(16) == 0 ? ends[stimulus_.below(3)] : End::none;
  tile_negative_ = chance(4);
  pins_.in_preload = chance(6);
  pins_.out_type = chance(4) ? OutType::f32 : OutType(stimulus_.below(3));
}

// Formats meet where both have e8m0 scales, or both others.
void ArrayStimulus::draw_formats() {
  const auto draw = [&](const BlockFormat* fixed, const FormatSet& set) {
    if (fixed) return fixed;
    for (;;)
      if (const auto number = stimulus_.below(block_formats.size()); set[number])
        return &block_formats[number];
  };
  do {
    tile_format_a_ = draw(options_.format_a, design_.formats_a);
    tile_format_b_ = draw(options_.format_b, design_.formats_b);
  } while (tile_format_a_->scale != tile_format_b_->scale);
  pins_.format_a = uint8_t(format_number(*tile_format_a_));
  pins_.format_b = uint8_t(format_number(*tile_format_b_));
}

void ArrayStimulus::put_beat() {
  const auto block = uint64_t(tile_format_a_->block);
  // A tile may end in a short block.
  pins_.in_lanes = uint8_t(pins_.in_last && chance(2) ? 1 + stimulus_.below(block) : block);
  put_codes(*tile_format_a_, pins_.a_codes);
  put_codes(*tile_format_b_, pins_.b_codes);
  for (uint8_t& scale : pins_.a_scales) scale = stimulus_.scale(*tile_format_a_->scale);
  for (uint8_t& scale : pins_.b_scales) scale = stimulus_.scale(*tile_format_b_->scale);
  if (chance(1)) put_infinity();
  if (pins_.in_first && chance(1)) put_wide_sums();
  if (stimulus_.below(32) == 0) put_cancelling_pair();
  if (chance(1)) put_scales_of_subnormals();
  if (stimulus_.below(32) == 0) put_sums_below_normal();
  if (tile_end_ != End::none) put_end();
  if (pins_.in_first) put_accumulators();
  if (pins_.in_first && stimulus_.below(16) == 0) put_largest_subnormals();
  put_ignored_bits(*tile_format_a_, pins_.a_codes);
  put_ignored_bits(*tile_format_b_, pins_.b_codes);
}

void ArrayStimulus::put_gap() {
  pins_.in_valid = false;
  pins_.in_first = chance(4);
  pins_.in_last = chance(4);
  for (auto* bytes : {&pins_.a_codes, &pins_.a_scales, &pins_.b_codes, &pins_.b_scales})
    put_noise(*bytes);
  put_noise_of_the_start();
}

void ArrayStimulus::put_noise_of_the_start() {
  pins_.in_preload = chance(4);
  pins_.format_a = uint8_t(stimulus_.below(block_formats.size()));
  pins_.format_b = uint8_t(stimulus_.below(block_formats.size()));
  pins_.out_type = OutType(stimulus_.below(3));
  put_noise(pins_.c);
}

template <typename Lane>
void ArrayStimulus::put_noise(std::vector<Lane>& lanes) {
  const auto bytes = std::as_writable_bytes(std::span(lanes));
  for (size_t i = 0; i < bytes.size(); i += sizeof(uint64_t)) {
    const uint64_t word = stimulus_.word();
    std::memcpy(bytes.data() + i, &word, std::min(sizeof word, bytes.size() - i));
  }
}

void ArrayStimulus::put_codes(const BlockFormat& format, std::vector<uint8_t>& codes) {
  const auto lanes = size_t(design_.lanes());
  for (size_t row = 0; row < codes.size(); row += lanes) {
    stimulus_.codes(*format.element, std::span(codes).subspan(row, pins_.in_lanes));
    for (size_t i = pins_.in_lanes; i < lanes; ++i) codes[row + i] = uint8_t(stimulus_.word());
  }
}

BlockSum ArrayStimulus::sum_of(size_t row, size_t col) const {
  const auto block = [&](const std::vector<uint8_t>& codes, size_t index) {
    return std::span(codes).subspan(index * size_t(design_.lanes()), pins_.in_lanes);
  };
  return block_sum(*tile_format_a_->element, block(pins_.a_codes, row), *tile_format_b_->element,
                   block(pins_.b_codes, col));
}

// Also where they are not preloaded: the array must then ignore them.
void ArrayStimulus::put_accumulators() {
  constexpr uint32_t infinity = binary32::infinity, minus = binary32::sign_mask;
  const auto cols = pins_.b_scales.size();
  const ScaleFormat &scale_a = *tile_format_a_->scale, &scale_b = *tile_format_b_->scale;
  for (size_t i = 0; i < pins_.c.size(); ++i) {
    const BlockSum sum = sum_of(i / cols, i % cols);
    const uint8_t a = pins_.a_scales[i / cols], b = pins_.b_scales[i % cols];
    pins_.c[i] = chance(1)
                     ? minus ^ accumulate_block(datapath("fused"), 0, sum, a, b, scale_a, scale_b)
                     : with_rare_bits(stimulus_.accumulator(sum, a, b, scale_a, scale_b));
  }
  if (chance(1)) pins_.c[stimulus_.below(pins_.c.size())] = chance(4) ? infinity : minus | infinity;
}

// C of A's first row is the largest subnormal number; a single product, half of its last place or
// a little more, makes it the least normal.
void ArrayStimulus::put_largest_subnormals() {
  if (tile_format_a_->scale != &e8m0_scale) return;
  constexpr uint32_t largest = (uint32_t(1) << binary32::mantissa_bits) - 1;
  const auto lanes = size_t(design_.lanes());
  const bool negative = chance(4);
  const auto put = [&](const ElementFormat& element, bool is_negative, size_t row,
                       std::vector<uint8_t>& codes) {
    std::fill_n(codes.begin() + int64_t(row * lanes), pins_.in_lanes, uint8_t(0));
    codes[row * lanes] = uint8_t(element.code(is_negative, element.max_code()));
  };
  put(*tile_format_a_->element, negative, 0, pins_.a_codes);
  for (size_t col = 0; col < pins_.b_scales.size(); ++col) {
    put(*tile_format_b_->element, false, col, pins_.b_codes);
    const int below_normal = e8m0::log2(scale_below_normal(sum_of(0, col), pins_.a_scales[0]));
    pins_.b_scales[col] = e8m0::encode_sat(below_normal - binary32::mantissa_bits);
    pins_.c[col] = largest | (negative ? binary32::sign_mask : 0);
  }
}

// Now and then one bit of the fraction changes, so that what nearly cancels leaves a single bit, at
// any place; or the fraction ends in a tie of bfloat16 or binary16 and one bit below it, which
// decides where the tile adds nothing to it.
uint32_t ArrayStimulus::with_rare_bits(uint32_t accumulator) {
  if (!binary32::is_finite(accumulator)) return accumulator;
  const auto bit_below = [&](int bit) { return uint32_t(1) << stimulus_.below(uint64_t(bit)); };
  switch (stimulus_.below(16)) {
    case 0:
      return accumulator ^ bit_below(binary32::mantissa_bits);
    case 1: {
      const int tie = chance(4) ? 15 : 12;  // half of the last place of each
      const uint32_t above = ~uint32_t(0) << (tie + 1);
      return (accumulator & above) | uint32_t(1) << tie | bit_below(tie);
    }
    default:
      return accumulator;
  }
}

// In one lane or two an Inf of one side meets zero, or whatever the other side has there; beside it
// the other side may have zeros in any lanes, so that none stands for the Inf's.
void ArrayStimulus::put_infinity() {
  const bool is_a = chance(4);
  const ElementFormat& format = *(is_a ? tile_format_a_ : tile_format_b_)->element;
  if (!format.has_inf()) return;
  auto& codes = is_a ? pins_.a_codes : pins_.b_codes;
  auto& others = is_a ? pins_.b_codes : pins_.a_codes;
  const auto lanes = size_t(design_.lanes()), row = stimulus_.below(codes.size() / lanes);
  const uint32_t infinity = format.max_code() + 1;
  for (int left = chance(4) ? 1 : 2; left > 0; --left) {
    const auto lane = stimulus_.below(pins_.in_lanes);
    codes[row * lanes + lane] = uint8_t(format.code(chance(4), infinity));
    if (chance(2)) others[stimulus_.below(others.size() / lanes) * lanes + lane] = 0;
  }
  if (chance(4))
    for (uint8_t& code : others)
      if (chance(4)) code = 0;
}

// The largest in every lane but one, in which powers of two meet: where C cancels the rest, a
// single bit is left, at any place of the widest sum.
void ArrayStimulus::put_wide_sums() {
  const auto lanes = size_t(design_.lanes()), odd = size_t(stimulus_.below(pins_.in_lanes));
  const auto put = [&](const ElementFormat& format, std::vector<uint8_t>& codes) {
    for (size_t row = 0; row < codes.size(); row += lanes) {
      for (size_t i = 0; i < pins_.in_lanes; ++i) codes[row + i] = uint8_t(format.max_code());
      codes[row + odd] = uint8_t(1u << stimulus_.below(uint64_t(format.bits()) - 1));
    }
  };
  put(*tile_format_a_->element, pins_.a_codes);
  put(*tile_format_b_->element, pins_.b_codes);
}

// Two products that cancel, all others zero: of `aligned` with groups mostly in one of them.
void ArrayStimulus::put_cancelling_pair() {
  if (pins_.in_lanes < 2) return;
  const auto lanes = size_t(design_.lanes()), first = size_t(stimulus_.below(pins_.in_lanes - 1u));
  const auto put = [&](const ElementFormat& format, bool opposite, std::vector<uint8_t>& codes) {
    for (size_t row = 0; row < codes.size(); row += lanes) {
      const auto magnitude = uint32_t(1 + stimulus_.below(format.max_code()));
      std::fill_n(codes.begin() + int64_t(row), pins_.in_lanes, uint8_t(0));
      codes[row + first] = uint8_t(format.code(false, magnitude));
      codes[row + first + 1] = uint8_t(format.code(opposite, magnitude));
    }
  };
  put(*tile_format_a_->element, true, pins_.a_codes);
  put(*tile_format_b_->element, false, pins_.b_codes);
}

// Subnormals under the least scales, or the largest numbers of one sign under the largest: the sum
// of `exact` gets its lowest and its highest bits.
void ArrayStimulus::put_end() {
  const bool is_least = tile_end_ == End::either ? chance(4) : tile_end_ == End::least;
  const auto put = [&](const BlockFormat& format, bool negative, std::vector<uint8_t>& codes,
                       std::vector<uint8_t>& scales) {
    const ElementFormat& element = *format.element;
    const auto lanes = size_t(design_.lanes());
    for (size_t i = 0; i < codes.size(); ++i) {
      if (i % lanes >= pins_.in_lanes) continue;
      codes[i] =
          uint8_t(is_least ? element.code(chance(4),
                                          uint32_t(stimulus_.below(element.mantissa_mask() + 2u)))
                           : element.code(negative, element.max_code()));
    }
    const uint8_t least = format.scale->number ? 1 : e8m0::encode_sat(e8m0::min_log2);
    const auto largest = uint8_t(format.scale->number ? format.scale->number->max_code()
                                                      : e8m0::encode_sat(e8m0::max_log2));
    std::ranges::fill(scales, is_least ? least : largest);
  };
  put(*tile_format_a_, tile_negative_, pins_.a_codes, pins_.a_scales);
  put(*tile_format_b_, false, pins_.b_codes, pins_.b_scales);
}

// The lowest bits of the products of A's first row come to lie just below the least subnormal.
void ArrayStimulus::put_scales_of_subnormals() {
  if (tile_format_a_->scale != &e8m0_scale) return;
  for (size_t col = 0; col < pins_.b_scales.size(); ++col) {
    const BlockSum sum = sum_of(0, col);
    const auto units = binary32::uint128(sum.units);
    const int low = sum.unit_log2 + binary32::bit_width(units & -units) - 1;
    const int below = 1 + int(stimulus_.below(6));
    pins_.b_scales[col] =
        e8m0::encode_sat(binary32::unit_log2 - below - low - e8m0::log2(pins_.a_scales[0]));
  }
}

// Sums of A's first row that lie just below the least normal number and are rounded to it, where
// they have bits below binary32's.
void ArrayStimulus::put_sums_below_normal() {
  if (tile_format_a_->scale != &e8m0_scale || pins_.in_lanes < 2) return;
  const auto lanes = size_t(design_.lanes());
  const bool negative = chance(4);
  put_power_and_least(*tile_format_a_->element, negative, !negative,
                      std::span(pins_.a_codes).first(pins_.in_lanes));
  for (size_t col = 0; col < pins_.b_scales.size(); ++col) {
    put_power_and_least(*tile_format_b_->element, false, false,
                        std::span(pins_.b_codes).subspan(col * lanes, pins_.in_lanes));
    pins_.b_scales[col] = scale_below_normal(sum_of(0, col), pins_.a_scales[0]);
  }
}

// Bits above the format's, which the array must ignore.
void ArrayStimulus::put_ignored_bits(const BlockFormat& format, std::vector<uint8_t>& codes) {
  if (!chance(2)) return;
  for (uint8_t& code : codes) code |= uint8_t(stimulus_.below(256) << format.element->bits());
}

}  // namespace mxref
