#pragma once
// Blocks for a quantizer or a dequantizer, in which the cases that go wrong are frequent: values at
// every tie and threshold and beside it, subnormals, zeros, NaN, Inf, short blocks, random words
// beside the fraction that they meet.

#include <vector>

#include "emu/conversion_port.h"
#include "emu/vectors/stimulus.h"

namespace mxref {

class ConversionStimulus {
 public:
  // format: nullptr where it is drawn block by block. The same seed gives the same blocks.
  ConversionStimulus(const ConversionDesign& design, const BlockFormat* format, uint64_t seed);

  // First the directed blocks, with random ones between them; then random ones.
  ConversionBeat next();
  // Directed blocks that next() has not given yet.
  size_t directed_left() const { return directed_.size() - next_directed_; }
  // A block that a reset dropped comes once more.
  void again(const ConversionBeat& beat) { directed_.push_back(beat); }
  // What the pins may hold where no block is on them.
  ConversionBeat noise();

  uint64_t below(uint64_t n) { return random_.below(n); }

 private:
  // A divisor of elements: significand · 2^exponent.
  struct Divisor {
    uint64_t significand = 1;
    int exponent = 0;
  };
  // A code, and how far beyond it: f / 2^32 of the distance to the next.
  struct Point {
    uint32_t code = 0;
    uint64_t fraction = 0;
  };
  static constexpr uint64_t half = uint64_t(1) << 31, whole = uint64_t(1) << 32;

  size_t format_row();
  void put_settings(ConversionBeat& beat);
  void put_lanes(ConversionBeat& beat);
  float draw_tensor_scale();

  ConversionBeat random_values();
  ConversionBeat random_codes();
  void put_spread(ConversionBeat& beat);
  void put_zeros(ConversionBeat& beat);
  void put_equal_errors(ConversionBeat& beat);
  void put_threshold(ConversionBeat& beat);
  void put_points(ConversionBeat& beat);
  void put_equal_fraction(ConversionBeat& beat, Divisor by, size_t lane);
  void put_special(ConversionBeat& beat);
  // What a bfloat16 and a short block leave unread.
  void put_noise_around(ConversionBeat& beat);

  // The binary32 nearest to a point under a scale, some last places further; finite.
  uint32_t at(const ConversionBeat& beat, Point point, Divisor by, int ulps);
  uint32_t draw_largest(const ConversionBeat& beat);
  Divisor divisor_of(const ConversionBeat& beat, uint32_t max);
  uint32_t with_sign(uint32_t magnitude);

  // The directed blocks. All rows of the formats that the design and the options have.
  std::vector<size_t> format_rows() const;
  void direct_points();
  void direct_maxima();
  void direct_bits_of_maxima();
  void direct_random_words();
  void direct_remainders();
  void direct_significands();
  void direct_codes();

  ConversionDesign design_;
  const BlockFormat* format_;
  Stimulus random_;
  std::vector<ConversionBeat> directed_;
  size_t next_directed_ = 0;
};

}  // namespace mxref
