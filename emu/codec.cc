#include "emu/codec.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <string>

#include "emu/binary32.h"

namespace mxref {

using binary32::uint128;

Prescale parse_prescale(std::string_view text) {
  const auto number = [](std::string_view digits, uint32_t& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() && value > 0 &&
           value < 65536;
  };
  Prescale p;
  const size_t slash = text.find('/');
  const bool good = number(text.substr(0, slash), p.numerator) &&
                    (slash == text.npos || number(text.substr(slash + 1), p.denominator));
  if (!good || std::gcd(p.numerator, p.denominator) != 1 ||
      (slash != text.npos && p.denominator == 1))
    throw UsageError(
        "pre-scale '" + std::string(text) +
        "' is not a positive fraction in lowest terms with numbers below 65536, such as 1 or 3/4");
  return p;
}

std::string to_string(Prescale p) {
  const std::string numerator = std::to_string(p.numerator);
  return p.denominator == 1 ? numerator : numerator + "/" + std::to_string(p.denominator);
}

uint32_t encode_magnitude_sat(const ElementFormat& f, uint64_t numerator, uint32_t denominator,
                              int exponent, const Rounding& rounding) {
  if (numerator == 0) return 0;
  // top = floor(log2(numerator / denominator · 2^exponent)), corrected from the estimate by bit
  // widths.
  int quotient_log2 = std::bit_width(numerator) - std::bit_width(denominator);
  const bool estimate_is_high = quotient_log2 >= 0
                                    ? numerator < (uint128(denominator) << quotient_log2)
                                    : (uint128(numerator) << -quotient_log2) < denominator;
  quotient_log2 -= estimate_is_high;
  const int top = quotient_log2 + exponent;
  if (top > f.emax()) return f.max_code();

  // The value in units of the code's last place is the quotient of two integers.
  const int unit = std::max(top, f.emin()) - f.mantissa_bits;
  const int shift = exponent - unit;
  if (shift < -64)
    return rounding.rounds_up(false, -1) ? 1 : 0;  // above zero, far below half a unit
  const uint128 dividend = uint128(numerator) << std::max(shift, 0);
  const uint128 divisor = uint128(denominator) << std::max(-shift, 0);
  // NOLINTNEXTLINE(clang-analyzer-core.DivideZero)
  const uint128 quotient = dividend / divisor;
  const uint128 remainder = dividend % divisor;
  const int vs_half = remainder * 2 < divisor ? -1 : remainder * 2 > divisor;
  const bool up = remainder != 0 && rounding.rounds_up(quotient & 1, vs_half);
  // The quotient holds the hidden bit of a normal number, so a carry moves into the exponent by
  // itself.
  const uint32_t binade = uint32_t(unit - f.unit_log2()) << f.mantissa_bits;
  return std::min(binade + uint32_t(quotient) + up, f.max_code());
}

}  // namespace mxref
