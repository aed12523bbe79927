#include "rtl_models/cosim/array_stimulus.h"

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
    pins_.in_valid = chance(4);
    blocks_left_ = 0;
    return pins_;
  }
  const bool waits = pins_.rst_n && pins_.in_valid && !beat_taken;
  pins_.rst_n = true;
  if (waits) return pins_;  // valid stays, and the payload with it
  pins_.in_valid = !chance(phase_.gap);
  if (!pins_.in_valid) return pins_;
  if (blocks_left_ == 0)
    begin_tile();
  else
    pins_.in_first = false;
  put_beat();
  pins_.in_last = --blocks_left_ == 0;
  return pins_;
}

const ArrayInputs& ArrayStimulus::drain(bool beat_taken) {
  const bool waits = pins_.in_valid && !beat_taken;
  pins_.rst_n = pins_.out_ready = true;
  pins_.in_valid = waits;
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
    const auto drawn = uint8_t(stimulus_.below(block_formats.size()));
    return fixed ? uint8_t(fixed - block_formats.data()) : drawn;
  };
  blocks_left_ = 1 + stimulus_.below(phase_.longest_tile);
  pins_.in_first = true;
  pins_.format_a = draw(options_.format_a);
  pins_.format_b = draw(options_.format_b);
  pins_.in_preload = chance(6);
}

void ArrayStimulus::put_beat() {
  const ElementFormat& format_a = *block_formats[pins_.format_a].element;
  const ElementFormat& format_b = *block_formats[pins_.format_b].element;
  put_codes(format_a, pins_.a_codes);
  put_codes(format_b, pins_.b_codes);
  for (uint8_t& scale : pins_.a_scales) scale = stimulus_.scale();
  for (uint8_t& scale : pins_.b_scales) scale = stimulus_.scale();
  if (pins_.in_first) put_accumulators(format_a, format_b);
  put_ignored_bits(format_a, pins_.a_codes);
  put_ignored_bits(format_b, pins_.b_codes);
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
