// The blocks of quantize_stimulus.h: random ones by kind, and the directed ones.

#include <algorithm>
#include <bit>

#include "emu/binary32.h"
#include "emu/philox.h"
#include "emu/quantize.h"
#include "rtl_models/cosim/quantize_stimulus.h"

namespace mxref {
namespace {

constexpr uint32_t significand_of_one = 1u << binary32::mantissa_bits;

// The next binary32 above units · 2^exponent, where it lies a power of two of units above it; else
// 0.
uint32_t one_bit_above(uint64_t units, int exponent) {
  const int below = std::bit_width(units) - (binary32::mantissa_bits + 1);
  if (below <= 0) return 0;
  const uint64_t next = (units >> below) + 1;
  if (!std::has_single_bit((next << below) - units)) return 0;
  return binary32::round_rne(false, next << below, exponent);
}

}  // namespace

ConversionBeat ConversionStimulus::random_values() {
  ConversionBeat beat;
  put_settings(beat);
  switch (below(8)) {
    case 0:  // any bits; NaN in one block of a few
      for (uint32_t& word : beat.data) word = uint32_t(random_.word());
      if (below(4) != 0)
        for (uint32_t& word : beat.data)
          if (!binary32::is_finite(word)) word &= ~significand_of_one;
      break;
    case 1:
      put_zeros(beat);
      break;
    case 2:
      put_equal_errors(beat);
      break;
    case 3:
      put_threshold(beat);
      break;
    case 4:
    case 5:
      put_points(beat);
      break;
    default:
      put_spread(beat);
  }
  if (below(24) == 0) put_special(beat);
  put_noise_around(beat);
  return beat;
}

// Exponents from some one downward.
void ConversionStimulus::put_spread(ConversionBeat& beat) {
  constexpr uint64_t widths[] = {1, 4, 12, 40};
  const uint64_t width = widths[below(4)];
  const int highest = below(4) == 0 ? int(below(40)) - 149 : int(below(277)) - 149;
  for (uint32_t& word : beat.data) {
    const int exponent = highest - int(below(width));
    word = random_.with_exponent(exponent);
    // Subnormal: with_exponent() has all of them in one binade.
    if (exponent < binary32::emin) {
      const uint32_t top = 1u << std::max(0, exponent - binary32::unit_log2);
      word = (word & binary32::sign_mask) | top | (word & (top - 1));
    }
  }
}

void ConversionStimulus::put_zeros(ConversionBeat& beat) {
  const bool all = below(2);
  for (uint32_t& word : beat.data)
    word = with_sign(all || below(4) != 0 ? 0 : uint32_t(1 + below(8)));
}

// Several scales have the same error, or one that differs by a last place of one element.
void ConversionStimulus::put_equal_errors(ConversionBeat& beat) {
  const ElementFormat& element = *block_formats[beat.format].element;
  const int s = int(below(220)) - 110;
  if (below(2)) {
    // Codes of more than one scale, or of none.
    constexpr uint32_t numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 12, 14, 15};
    const uint64_t different = 1 + below(4);
    std::array<uint32_t, 4> chosen;
    for (uint32_t& bits : chosen)
      bits = below(5) == 0 ? 0 : binary32::round_rne(false, numbers[below(11)], s);
    for (uint32_t& word : beat.data) word = with_sign(chosen[below(different)]);
  } else {
    // Below `floor` the maximum saturates, and what lies between two codes of `floor` is exact.
    const uint64_t between[] = {1, 4, 16, below(16)};
    const uint64_t count = between[below(4)];
    for (size_t i = 0; i < most_lanes; ++i)
      beat.data[i] =
          with_sign(binary32::round_rne(false, i <= count ? 1 : 0, element.unit_log2() - 1 + s));
    beat.data[0] = with_sign(binary32::round_rne(false, 1, element.emax() + s));
    beat.lanes = uint8_t(std::max<uint64_t>(
        beat.lanes, std::min<uint64_t>(count + 1, uint64_t(block_formats[beat.format].block))));
  }
  uint32_t& one = beat.data[below(beat.lanes)];
  if (below(2) && (one & ~binary32::sign_mask) != 0) one += uint32_t(below(3)) - 1;
}

// The maximum at a threshold of a scale rule, or beside it.
void ConversionStimulus::put_threshold(ConversionBeat& beat) {
  const ElementFormat& element = *block_formats[beat.format].element;
  const int m = element.mantissa_bits;
  const uint32_t largest = (1u << m | (element.max_code() & element.mantissa_mask()))
                           << (binary32::mantissa_bits - m);
  const uint32_t carries = ((4u << m) - 1) << (binary32::mantissa_bits - m - 1);
  const uint32_t significands[] = {significand_of_one, largest, carries};
  const int exponent = below(3) == 0 ? int(below(30)) - 172 : int(below(270)) - 172;
  const uint32_t max = binary32::round_rne(false, significands[below(3)], exponent);
  const auto moved = int64_t(std::min(max, binary32::infinity - 2)) + int64_t(below(3)) - 1;
  const auto bits = uint32_t(std::max<int64_t>(moved, 0));
  for (uint32_t& word : beat.data) word = with_sign(uint32_t(below(uint64_t(bits) + 1)));
  beat.data[below(beat.lanes)] = with_sign(bits);
}

// Under a drawn scale: codes, the middle between two, the fraction that a random word meets; and a
// last place beside them.
void ConversionStimulus::put_points(ConversionBeat& beat) {
  const ElementFormat& element = *block_formats[beat.format].element;
  const uint32_t max = draw_largest(beat);
  const Divisor by = divisor_of(beat, max);
  const uint64_t highest = below(3) == 0 ? element.mantissa_mask() + 2 : element.max_code() + 1;
  for (int i = 0; i < beat.lanes; ++i) {
    const uint64_t random = philox::word(beat.seed, beat.index + uint64_t(i));
    const uint64_t fractions[] = {0, half, random, std::min(random + 1, whole - 1)};
    const Point point{uint32_t(below(highest)), fractions[below(4)]};
    const uint32_t bits = at(beat, point, by, int(below(3)) - 1);
    beat.data[size_t(i)] = with_sign(std::min(bits, max));
  }
  if (roundings[beat.rounding].stochastic && below(2))
    put_equal_fraction(beat, by, below(beat.lanes));
  beat.data[below(beat.lanes)] = with_sign(max);
}

// A lane whose fraction is its random word, or one beside it: a binary32 holds a word below 2^24.
void ConversionStimulus::put_equal_fraction(ConversionBeat& beat, Divisor by, size_t lane) {
  constexpr int draws = 1000;  // a word is so small once in 256 draws
  for (int i = 0; i < draws; ++i) {
    beat.seed = random_.word();
    const uint32_t random = philox::word(beat.seed, beat.index + lane);
    if (random == 0 || random >= 2 * significand_of_one) continue;
    beat.data[lane] = with_sign(at(beat, {0, random + below(2)}, by, 0));
    return;
  }
}

void ConversionStimulus::put_special(ConversionBeat& beat) {
  const uint32_t specials[] = {binary32::infinity, binary32::canonical_nan, binary32::infinity + 1,
                               binary32::infinity - 1};
  beat.data[below(most_lanes)] = with_sign(specials[below(4)]);
}

void ConversionStimulus::put_noise_around(ConversionBeat& beat) {
  if (beat.is_bfloat16)
    for (uint32_t& word : beat.data)
      word = binary32::to_bfloat16_rne(word) | uint32_t(random_.word()) << 16;
  for (size_t i = beat.lanes; i < most_lanes; ++i) beat.data[i] = uint32_t(random_.word());
}

ConversionBeat ConversionStimulus::random_codes() {
  ConversionBeat beat;
  put_settings(beat);
  for (uint8_t& code : beat.codes) code = uint8_t(random_.word());
  beat.scale = uint8_t(random_.word());
  return beat;
}

// Every tie and every code of every format, under every rule, rounding, pre-scale and type of
// input.
void ConversionStimulus::direct_points() {
  const auto direct = [&](const ConversionBeat& settings) {
    const ElementFormat& element = *block_formats[settings.format].element;
    const uint32_t codes = element.max_code() + 1;
    const uint32_t points = codes * 4;  // a code; below, at and above the middle to the next
    const auto lanes = uint32_t(block_formats[settings.format].block) - 1;
    for (uint32_t first = 0; first < points; first += lanes) {
      ConversionBeat beat = settings;
      beat.seed = random_.word();
      beat.index = random_.word();
      beat.tensor_scale = draw_tensor_scale();
      beat.lanes = uint8_t(std::min(lanes, points - first) + 1);
      beat.data[0] = draw_largest(beat);
      const Divisor by = divisor_of(beat, beat.data[0]);
      for (uint32_t i = 1; i < beat.lanes; ++i) {
        const uint32_t point = first + i - 1;
        const int ulps = int(point % 4) - 2;
        const bool is_code = point % 4 == 0;
        const uint32_t bits = at(beat, {point / 4, is_code ? 0 : half}, by, is_code ? 0 : ulps);
        beat.data[i] = with_sign(std::min(bits, beat.data[0]));
      }
      put_noise_around(beat);
      directed_.push_back(beat);
    }
  };
  for (size_t row : format_rows())
    for (size_t rule = 0; rule < scale_rules.size(); ++rule)
      for (size_t rounding = 0; rounding < roundings.size(); ++rounding)
        for (int variant = 0; variant < 4; ++variant) {
          ConversionBeat settings;
          settings.format = uint8_t(row);
          settings.rule = uint8_t(rule);
          settings.rounding = uint8_t(rounding);
          settings.prescale = variant & 1;
          settings.is_bfloat16 = variant & 2;
          direct(settings);
        }
}

// Maxima at every threshold of every rule, in binades from the least to the largest.
void ConversionStimulus::direct_maxima() {
  constexpr int repeats = 24;  // each draws a threshold, a binade and a last place beside it
  for (size_t row : format_rows())
    for (size_t rule = 0; rule < scale_rules.size(); ++rule) {
      for (int i = 0; i < repeats; ++i) {
        ConversionBeat beat;
        put_settings(beat);
        beat.format = uint8_t(row);
        beat.rule = uint8_t(rule);
        put_lanes(beat);
        put_threshold(beat);
        put_noise_around(beat);
        directed_.push_back(beat);
      }
    }
}

// The maximum in each lane, a power of two and each bit alone above it, among others that are at
// most that power: `ceil` shows the bit.
void ConversionStimulus::direct_bits_of_maxima() {
  for (size_t row : format_rows()) {
    if (block_formats[row].has_tensor_scale()) continue;
    for (int lane = 0; lane < block_formats[row].block; ++lane)
      for (int bit = 0; bit < binary32::mantissa_bits; ++bit) {
        ConversionBeat beat;
        put_settings(beat);
        beat.format = uint8_t(row);
        beat.rule = uint8_t(&scale_rule("ceil") - scale_rules.data());
        beat.is_bfloat16 = false;
        beat.lanes = uint8_t(block_formats[row].block);
        const auto power = uint32_t(64 + below(128)) << binary32::mantissa_bits;
        for (uint32_t& word : beat.data)
          word = with_sign(below(2) ? power : uint32_t(below(power)));
        beat.data[size_t(lane)] = with_sign(power | 1u << bit);
        directed_.push_back(beat);
      }
    return;  // the maximum does not ask for the format
  }
}

// The random word of each lane, from each word of a counter, decides.
void ConversionStimulus::direct_random_words() {
  constexpr int words = 4, repeats = 16;  // each bit is shown by a quarter of the blocks
  for (size_t row : format_rows()) {
    if (block_formats[row].has_tensor_scale()) continue;
    const auto block = size_t(block_formats[row].block);
    for (size_t i = 0; i < block * words * repeats; ++i) {
      ConversionBeat beat;
      put_settings(beat);
      beat.format = uint8_t(row);
      beat.rule = uint8_t(&scale_rule("floor") - scale_rules.data());
      beat.rounding = uint8_t(&rounding("stochastic") - roundings.data());
      beat.prescale = beat.is_bfloat16 = false;
      beat.lanes = uint8_t(block);
      beat.index = (beat.index & ~uint64_t(words - 1)) | (i / block % words);
      const uint32_t max = draw_largest(beat);
      for (uint32_t& word : beat.data) word = with_sign(uint32_t(below(uint64_t(max) + 1)));
      beat.data[(i + 1) % block] = with_sign(max);
      put_equal_fraction(beat, divisor_of(beat, max), i % block);
      directed_.push_back(beat);
    }
    return;  // the words do not ask for the format
  }
}

// Divisions that leave one bit behind a tie: of the maximum by 6·g, and of elements by scale · g.
void ConversionStimulus::direct_remainders() {
  constexpr int repeats = 1000, draws = 100;
  for (size_t row : format_rows()) {
    const BlockFormat& format = block_formats[row];
    if (!format.has_tensor_scale()) continue;
    const auto tie_of = [&](const ElementFormat& element, uint64_t divisor, int exponent) {
      for (int i = 0; i < draws; ++i) {
        const auto code = element.parts(uint32_t(below(element.max_code())));
        const uint32_t bits =
            one_bit_above((2 * code.significand + 1) * divisor, code.exponent - 1 + exponent);
        if (bits != 0) return bits;
      }
      return uint32_t(0);
    };
    for (int i = 0; i < repeats; ++i) {
      ConversionBeat beat;
      put_settings(beat);
      beat.format = uint8_t(row);
      beat.rounding = uint8_t(&rounding("rne") - roundings.data());
      beat.is_bfloat16 = false;
      beat.lanes = uint8_t(format.block);
      const uint32_t g_bits = random_.with_exponent(int(below(80)) - 40) & ~binary32::sign_mask;
      beat.tensor_scale = std::bit_cast<float>(g_bits);
      const auto g = binary32::parts(g_bits);
      const uint32_t tie = tie_of(*format.scale->number, 6 * uint64_t(g.significand), g.exponent);
      const uint32_t max = tie != 0 ? tie : draw_largest(beat);
      const Divisor by = divisor_of(beat, max);
      for (uint32_t& word : beat.data)
        word = with_sign(std::min(tie_of(*format.element, by.significand, by.exponent), max));
      beat.data[below(beat.lanes)] = with_sign(max);
      directed_.push_back(beat);
    }
  }
}

// Every significand of bfloat16 in every binade from the maximum's down to where all round to
// zero, under one scale for a format, a rounding and a pre-scale: with these a bfloat16 of any
// exponent has no other case.
void ConversionStimulus::direct_significands() {
  constexpr uint32_t significands = 128;
  const auto direct = [&](const ConversionBeat& settings, uint32_t numbers) {
    ConversionBeat beat = settings;
    const auto lanes = uint32_t(block_formats[beat.format].block) - 1;
    const auto exponent = uint32_t(64 + below(128));  // biased
    beat.tensor_scale =
        std::bit_cast<float>(uint32_t(exponent - 12) << 23 | uint32_t(below(1u << 23)));
    for (uint32_t first = 0; first < numbers; first += lanes) {
      beat.seed = random_.word();
      beat.index = random_.word();
      beat.lanes = uint8_t(std::min(lanes, numbers - first) + 1);
      beat.data[0] = with_sign((exponent * significands + significands - 1) << 16);
      for (uint32_t i = 1; i < beat.lanes; ++i) {
        const uint32_t below_max = first + i - 1;
        beat.data[i] = with_sign((exponent * significands + significands - 1 - below_max) << 16);
      }
      put_noise_around(beat);
      directed_.push_back(beat);
    }
  };
  for (size_t row : format_rows())
    for (size_t rounding = 0; rounding < roundings.size(); ++rounding)
      for (const bool prescale : {false, true}) {
        const ElementFormat& element = *block_formats[row].element;
        ConversionBeat settings;
        settings.format = uint8_t(row);
        settings.rounding = uint8_t(rounding);
        settings.prescale = prescale;
        settings.is_bfloat16 = true;
        direct(settings, significands * uint32_t(element.emax() - element.unit_log2() + 4));
      }
}

// Every code under every e8m0 scale and pre-scale: all there is. Under every ue4m3 scale with some
// tensor scales.
void ConversionStimulus::direct_codes() {
  for (size_t row : format_rows()) {
    const BlockFormat& format = block_formats[row];
    const uint32_t codes = format.element->code_mask() + 1;
    const auto lanes = uint32_t(format.block);
    for (uint32_t scale = 0; scale < 256; ++scale)
      for (uint32_t first = 0; first < codes; first += lanes)
        for (int variant = 0; variant < (format.has_tensor_scale() ? 16 : 2); ++variant) {
          ConversionBeat beat;
          put_settings(beat);
          beat.format = uint8_t(row);
          beat.prescale = variant & 1;
          beat.scale = uint8_t(scale);
          beat.lanes = uint8_t(std::min(lanes, codes));
          for (uint32_t i = 0; i < most_lanes; ++i)
            beat.codes[i] = uint8_t((first + i) % codes | random_.word() << format.element->bits());
          directed_.push_back(beat);
        }
  }
}

}  // namespace mxref
