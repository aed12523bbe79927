#include "rtl_models/cosim/array_stimulus.h"

#include <algorithm>
#include <cstring>

#include "emu/array_driver.h"

namespace mxref {

ArrayStimulus::ArrayStimulus(const CosimOptions& options, ArrayShape shape)
    : options_(options), stimulus_(options.seed, /*nan_every=*/128), pins_(shape) {}

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
  put_beat();
  pins_.in_last = --blocks_left_ == 0;
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
  const auto draw = [&](const BlockFormat* fixed) {
    const auto drawn = uint8_t(stimulus_.below(array_formats.size()));
    return fixed ? array_format(*fixed) : drawn;
  };
  blocks_left_ = 1 + stimulus_.below(phase_.longest_tile);
  pins_.format_a = draw(options_.format_a);
  pins_.format_b = draw(options_.format_b);
  tile_format_a_ = array_formats[pins_.format_a]->element;
  tile_format_b_ = array_formats[pins_.format_b]->element;
  pins_.in_preload = chance(6);
}

void ArrayStimulus::put_beat() {
  put_codes(*tile_format_a_, pins_.a_codes);
  put_codes(*tile_format_b_, pins_.b_codes);
  for (uint8_t& scale : pins_.a_scales) scale = stimulus_.scale();
  for (uint8_t& scale : pins_.b_scales) scale = stimulus_.scale();
  if (pins_.in_first) put_accumulators(*tile_format_a_, *tile_format_b_);
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
  pins_.format_a = uint8_t(stimulus_.below(array_formats.size()));
  pins_.format_b = uint8_t(stimulus_.below(array_formats.size()));
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

void ArrayStimulus::put_codes(const ElementFormat& format, std::vector<uint8_t>& codes) {
  for (size_t lane = 0; lane < codes.size(); lane += array_block)
    stimulus_.codes(format, std::span(codes).subspan(lane, array_block));
}

// Also where they are not preloaded: the array must then ignore them.
void ArrayStimulus::put_accumulators(const ElementFormat& format_a, const ElementFormat& format_b) {
  const auto block = [](const std::vector<uint8_t>& codes, size_t lane) {
    return std::span(codes).subspan(lane * array_block, array_block);
  };
  size_t i = 0;
  for (size_t r = 0; r < pins_.a_scales.size(); ++r)
    for (size_t c = 0; c < pins_.b_scales.size(); ++c)
      pins_.c[i++] = stimulus_.accumulator(
          block_sum(format_a, block(pins_.a_codes, r), format_b, block(pins_.b_codes, c)),
          pins_.a_scales[r], pins_.b_scales[c]);
}

// Bits above the format's, which the array must ignore.
void ArrayStimulus::put_ignored_bits(const ElementFormat& format, std::vector<uint8_t>& codes) {
  if (!chance(2)) return;
  for (uint8_t& code : codes) code |= uint8_t(stimulus_.below(256) << format.bits());
}

}  // namespace mxref
