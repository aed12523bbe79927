#include "emu/vectors/stimulus.h"

#include <algorithm>
#include <array>
#include <bit>

#include "emu/binary32.h"
#include "emu/codec.h"
#include "emu/e8m0.h"

namespace mxref {

void put_power_and_least(const ElementFormat& format, bool negative_power, bool negative_least,
                         std::span<uint8_t> codes) {
  std::ranges::fill(codes, uint8_t(0));
  codes.front() = uint8_t(format.code(negative_power, format.max_code() & ~format.mantissa_mask()));
  codes.back() = uint8_t(format.code(negative_least, 1));
}

uint8_t scale_below_normal(const BlockSum& sum, uint8_t scale_a) {
  const auto magnitude = binary32::uint128(sum.units < 0 ? -sum.units : sum.units);
  const int top = sum.unit_log2 + binary32::bit_width(magnitude) - 1;
  return e8m0::encode_sat(binary32::emin - 1 - top - e8m0::log2(scale_a));
}

void Stimulus::codes(const ElementFormat& format, std::span<uint8_t> block) {
  // Each draw is a statement of its own: the order of evaluation within one is the compiler's.
  const auto signed_code = [&](uint64_t magnitude) {
    const bool negative = below(2);
    return uint8_t(format.code(negative, uint32_t(magnitude)));
  };
  const auto finite = [&](uint64_t count) { return signed_code(below(count)); };
  const uint64_t magnitudes = format.max_code() + 1;
  switch (below(10)) {
    case 0: {  // a constant magnitude, often the largest; signs equal, alternating or random
      const auto magnitude = uint8_t(below(2) ? format.max_code() : below(magnitudes));
      const uint64_t signs[] = {0, ~uint64_t(0), 0x5555555555555555, random_()};
      const uint64_t sign = signs[below(4)];
      for (size_t i = 0; i < block.size(); ++i)
        block[i] = uint8_t(format.code((sign >> (i % 64)) & 1, magnitude));
      break;
    }
    case 1:  // one element alone
      for (uint8_t& code : block) code = finite(1);
      block[below(block.size())] = finite(magnitudes);
      break;
    case 2: {  // subnormals and zeros
      const uint64_t small = below(2) ? 1 : uint64_t(format.mantissa_mask()) + 2;
      for (uint8_t& code : block) code = finite(small);
      break;
    }
    case 3: {  // the largest, but for the last few: two of these meet in the widest sums
      const bool negative = below(2);
      const uint64_t small = 1 + below(4), least = uint64_t(format.mantissa_mask()) + 2;
      for (size_t i = 0; i < block.size(); ++i) {
        const uint64_t magnitude = i + small < block.size() ? format.max_code() : below(least);
        block[i] = uint8_t(format.code(negative, uint32_t(magnitude)));
      }
      break;
    }
    case 4: {  // two elements 12 binades apart, if there are as many: products 24 apart, a tie
      constexpr uint64_t binades = (binary32::mantissa_bits + 1) / 2;
      for (uint8_t& code : block) code = finite(1);
      const uint64_t high = (format.max_code() >> format.mantissa_bits) - below(3);
      const uint64_t low = high > binades ? high - binades : 1;
      const uint64_t mantissa = below(uint64_t(format.mantissa_mask()) + 1);
      const uint64_t large = high << format.mantissa_bits | mantissa;
      block.front() = signed_code(std::min<uint64_t>(large, format.max_code()));
      block.back() = signed_code(low << format.mantissa_bits);
      break;
    }
    default:
      for (uint8_t& code : block) code = finite(magnitudes);
  }
  if (format.has_nan() && draws_nan()) {  // one, or a few that may be of both signs
    const uint64_t specials = format.magnitude_mask() - format.max_code(), count = 1 + below(3);
    for (uint64_t i = 0; i < count; ++i)
      block[below(block.size())] = signed_code(format.max_code() + 1 + below(specials));
  }
  if (format.sign == Sign::twos_complement && below(8) == 0)  // the code that has no opposite
    block[below(block.size())] = uint8_t(format.sign_mask());
}

uint8_t Stimulus::scale(const ScaleFormat& format) {
  if (draws_nan()) return format.nan;
  if (format.number) {  // any number, its least and its largest more often; the sign is ignored
    const uint64_t largest = format.number->max_code(), draw = below(8);
    const uint64_t magnitude = draw == 0 ? below(3) : draw == 1 ? largest : below(largest + 1);
    return uint8_t(magnitude | (below(16) == 0 ? format.number->sign_mask() : 0));
  }
  const auto around = [&](int log2) { return e8m0::encode_sat(log2 + int(below(25)) - 12); };
  switch (stays_finite() ? 15 : below(16)) {
    case 0:
    case 1:
      return around(-70);  // two of them: results around the least subnormal, 2^-149
    case 2:
      return around(60);  // two of them: results around the largest finite number, 2^128
    case 3:
      return e8m0::encode_sat(e8m0::min_log2 + int(below(2)));
    case 4:
      return e8m0::encode_sat(e8m0::max_log2 - int(below(2)));
    case 5:
      return uint8_t(below(e8m0::nan));
    default:
      return around(0);
  }
}

uint32_t Stimulus::with_sign(uint32_t magnitude) {
  return magnitude | (below(2) ? binary32::sign_mask : 0);
}

uint32_t Stimulus::with_exponent(int exponent_log2) {
  const int biased = std::clamp(exponent_log2 + binary32::emax, 0, 2 * binary32::emax);
  const uint32_t sign_and_fraction = uint32_t(random_()) & ~binary32::infinity;
  return sign_and_fraction | uint32_t(biased) << binary32::mantissa_bits;
}

uint32_t Stimulus::accumulator(const BlockSum& sum, uint8_t scale_a, uint8_t scale_b,
                               const ScaleFormat& format_a, const ScaleFormat& format_b) {
  constexpr std::array<uint32_t, 8> specials{
      0x00000000,                // zero
      0x00000001,                // least subnormal
      0x007FFFFF,                // largest subnormal
      0x00800000,                // least normal
      0x3F800000,                // 1
      0x7F7FFFFF,                // largest finite
      binary32::infinity,        //
      binary32::infinity | 0x1,  // a NaN that is not the canonical one
  };
  if (draws_nan()) return 0x7F800001u + uint32_t(below(0x7FFFFF));

  // top and low: floor(log2) of the block's contribution and of its lowest set bit.
  int top = 0, low = 0;
  const bool finite =
      !sum.is_nan && sum.infinity == 0 && !format_a.is_nan(scale_a) && !format_b.is_nan(scale_b);
  const auto x = finite ? format_a.parts(scale_a) : ElementFormat::Parts{};
  const auto y = finite ? format_b.parts(scale_b) : ElementFormat::Parts{};
  const auto magnitude =
      binary32::uint128(sum.units < 0 ? -sum.units : sum.units) * x.significand * y.significand;
  if (magnitude != 0) {
    const int unit = sum.unit_log2 + x.exponent + y.exponent;
    top = unit + binary32::bit_width(magnitude) - 1;
    low = unit + binary32::bit_width(magnitude & -magnitude) - 1;
  }
  switch (below(8)) {
    case 0:  // any finite bits
      return with_exponent(binary32::emin - 1 + int(below(255)));
    case 1: {
      const uint64_t count =
          nan_every_ > 32 || stays_finite() ? 6 : specials.size();  // no Inf or NaN in long chains
      return with_sign(specials[below(count)]);
    }
    case 2:
    case 3:  // the lowest bit of the contribution is half of the accumulator's last place, or less
      return with_exponent(low + 1 + binary32::mantissa_bits + int(below(8) == 0));
    case 4: {  // cancels the contribution, up to some last places
      const uint32_t opposite =
          accumulate_block(datapath("fused"), 0, sum, scale_a, scale_b, format_a, format_b) ^
          binary32::sign_mask;
      if (!binary32::is_finite(opposite)) return with_exponent(binary32::emax);
      return below(2) ? opposite : opposite + uint32_t(below(5));
    }
    default:
      return with_exponent(top + int(below(61)) - 30);
  }
}

}  // namespace mxref
