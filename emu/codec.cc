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

int Magnitude::compare(uint64_t c, int k) const {
  // numerator · 2^shift against c · denominator, which are below 2^48 and 2^80 without the shift.
  const int shift = exponent - k;
  if (numerator == 0 || c == 0) return int(numerator != 0) - int(c != 0);
  if (shift <= -48) return -1;
  if (shift >= 80) return 1;
  const uint128 left = uint128(numerator) << std::max(shift, 0);
  const uint128 right = uint128(c) * denominator << std::max(-shift, 0);
  return left < right ? -1 : left > right;
}

int Magnitude::floor_log2() const {
  if (denominator == 1) return std::bit_width(numerator) - 1 + exponent;
  const int high = std::bit_width(numerator) - std::bit_width(denominator) + exponent;
  return compare(1, high) >= 0 ? high : high - 1;
}

// floor(rest / divisor · 2^32); rest < divisor < 2^127.
static uint32_t fraction_of(uint128 rest, uint128 divisor) {
  uint32_t fraction = 0;
  for (int bit = 0; bit < 32; ++bit) {
    rest *= 2;
    fraction = 2 * fraction + (rest >= divisor);
    if (rest >= divisor) rest -= divisor;
  }
  return fraction;
}

uint32_t encode_magnitude_sat(const ElementFormat& f, const Magnitude& x, const Rounding& rounding,
                              uint32_t random) {
  if (x.numerator == 0) return 0;
  const int top = x.floor_log2();
  if (top > f.emax()) return f.max_code();

  // The value in units of the code's last place is the quotient of two integers.
  const int unit = std::max(top, f.emin()) - f.mantissa_bits;
  const int shift = x.exponent - unit;
  if (shift < -80)  // above zero, below 2^-32 of a unit
    return rounding.rounds_up({false, -1, 0, random}) ? 1 : 0;
  const uint128 dividend = uint128(x.numerator) << std::max(shift, 0);
  const uint128 divisor = uint128(x.denominator) << std::max(-shift, 0);
  // Without a pre-scale and a tensor scale the divisor is a power of two: a shift divides.
  const bool shifts = x.denominator == 1 && shift <= 0;
  // NOLINTNEXTLINE(clang-analyzer-core.DivideZero)
  const uint128 quotient = shifts ? dividend >> -shift : dividend / divisor;
  const uint128 rest = dividend - quotient * divisor;
  const int vs_half = rest * 2 < divisor ? -1 : rest * 2 > divisor;
  const uint32_t fraction = rounding.stochastic ? fraction_of(rest, divisor) : 0;
  const bool up = rest != 0 && rounding.rounds_up({(quotient & 1) != 0, vs_half, fraction, random});
  // The quotient holds the hidden bit of a normal number, so a carry moves into the exponent by
  // itself.
  const uint32_t binade = uint32_t(unit - f.unit_log2()) << f.mantissa_bits;
  return std::min(binade + uint32_t(quotient) + up, f.max_code());
}

}  // namespace mxref
