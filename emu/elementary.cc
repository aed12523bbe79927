#include "emu/elementary.h"

#include <bit>
#include <boost/math/special_functions/erf.hpp>
#include <boost/multiprecision/cpp_bin_float.hpp>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <optional>

#include "emu/binary32.h"
#include "emu/kernels/float_environment.h"

namespace mxref {
namespace {

// One lane of the vector kernels.
struct Lanes64 {
  typedef double Vector __attribute__((vector_size(8)));
  typedef float Half __attribute__((vector_size(4)));
  static Vector multiply_add(Vector a, Vector b, Vector c) { return a * b + c; }
  static Vector widen(Half x) { return __builtin_convertvector(x, Vector); }
  static Half narrow(Vector x) { return __builtin_convertvector(x, Half); }
};
typedef Lanes64::Vector Doubles;
typedef Lanes64::Half HalfFloats;
#include "emu/kernels/unrolled.inc"
// Uses it.
#include "emu/kernels/elementary.inc"

// What binary64 leaves open: 113 bits decide every binary32 input (tests/long/elementary.cc).
using Quad = boost::multiprecision::cpp_bin_float_quad;

uint32_t bits_of(float x) { return std::bit_cast<uint32_t>(x); }
float float_of(uint32_t bits) { return std::bit_cast<float>(bits); }
const float nan = float_of(binary32::canonical_nan);

// RNE32 of a real number that is no tie, from 113 bits of it.
float rounded(const Quad& x) {
  if (x == 0) return 0;
  int exponent = 0;
  const Quad significand = ldexp(frexp(abs(x), &exponent), 113);
  return float_of(binary32::round_rne(x < 0, significand.convert_to<binary32::uint128>(),
                                      exponent - 113, /*sticky=*/true));
}

// RNE32 of a real number from y, which is within `tolerance` of it, where that decides.
std::optional<float> decided(double y) {
  const RoundedEnds ends = rounded_ends(Doubles{y});
  if (bits_of(ends.low[0]) != bits_of(ends.high[0])) return std::nullopt;
  return ends.low[0];
}

// f(x) by binary64 where that decides, else by `open`. x is no NaN.
template <typename Open>
float correctly_rounded(double y, const Open& open) {
  const std::optional<float> result = decided(y);
  return result ? *result : rounded(open());
}

// x/2 and a little more of x's sign, less than any binary32 number resolves: SiLU and GELU near 0.
float more_than_half(float x) {
  if (x == 0) return x;
  constexpr int below = 40;  // bits for what a sticky bit stands for
  const binary32::Parts p = binary32::parts(bits_of(x));
  const binary32::uint128 half = binary32::uint128(p.significand) << below;
  // Of a negative x the magnitude is a little less than half.
  return float_of(binary32::round_rne(x < 0, x < 0 ? half - 1 : half, p.exponent - 1 - below,
                                      /*sticky=*/true));
}
constexpr float nearly_half_of = 0x1p-60f;

// x = n·π/2 + r, |r| <= π/4 and a little: n mod 4 and r.
struct Reduced {
  int quadrant;
  bool negative;
  binary32::uint128 turns;  // |r| = turns · 2^-128 · π/2
};

// 2/π, its first 320 bits.
constexpr uint64_t two_over_pi[] = {0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
                                    0xfe5163abdebbc561, 0xb7246e3a424dd2e0};

// 64 of its bits, the first of which has the weight 2^-position.
uint64_t bits_of_two_over_pi(int position) {
  if (position <= -63) return 0;
  if (position <= 0) return two_over_pi[0] >> (1 - position);
  const int word = (position - 1) / 64, shift = (position - 1) % 64;
  if (shift == 0) return two_over_pi[word];
  return two_over_pi[word] << shift | two_over_pi[word + 1] >> (64 - shift);
}

// |x|·2/π modulo 4, |x| = m·2^e. Bits of 2/π that stand for multiples of 4 are left out; of those
// from 2^1 on 192 are taken, so that the product is right to 2^-166. (No binary32 number but 0
// comes nearer than 2^-32 to a multiple of π/2 in relation to it.)
Reduced reduced(float x) {
  const binary32::Parts p = binary32::parts(bits_of(x));
  const binary32::uint128 m = p.significand;
  const int first = p.exponent - 1;
  const binary32::uint128 low = m * bits_of_two_over_pi(first + 128);
  const binary32::uint128 middle = m * bits_of_two_over_pi(first + 64) + uint64_t(low >> 64);
  const auto high = uint64_t(m * bits_of_two_over_pi(first) + uint64_t(middle >> 64));
  // high, middle, low: two bits of the integer, then the fraction.
  const binary32::uint128 fraction = binary32::uint128(high) << 66 |
                                     binary32::uint128(uint64_t(middle)) << 2 | uint64_t(low) >> 62;
  const bool is_above = fraction >> 127;  // of one half: r is negative, and n one more
  return {(int(high >> 62) + is_above) & 3, is_above, is_above ? -fraction : fraction};
}

double binary64_of(binary32::uint128 x) {
  return std::ldexp(double(uint64_t(x >> 64)), 64) + double(uint64_t(x));
}

// sin r and cos r for |r| < 0.79, by Taylor's series: what it leaves out is below 2^-50.
double sin64(double r) {
  const double s = r * r;
  double y = 0;
  for (int k = 17; k >= 3; k -= 2) y = -(1 + y) * s / (k * (k - 1));
  return r + r * y;
}
double cos64(double r) {
  const double s = r * r;
  double y = 0;
  for (int k = 16; k >= 2; k -= 2) y = -(1 + y) * s / (k * (k - 1));
  return 1 + y;
}

// sin(x + quarter_turns·π/2).
float sine(float x, int quarter_turns) {
  const kernels::FloatEnvironment ieee;
  if (!std::isfinite(x)) return nan;
  Reduced r = reduced(x);
  // -x has the same turns in the other direction.
  const bool mirrored = std::signbit(x);
  int quadrant = mirrored ? -r.quadrant : r.quadrant;
  const double sign_of_r = r.negative != mirrored ? -1 : 1;
  quadrant = (quadrant + quarter_turns) & 3;
  const bool is_cosine = quadrant & 1;
  const double sign = quadrant & 2 ? -1 : 1;
  constexpr double half_pi = std::numbers::pi / 2;
  const double angle = sign_of_r * std::ldexp(binary64_of(r.turns), -128) * half_pi;
  return correctly_rounded(sign * (is_cosine ? cos64(angle) : sin64(angle)), [&] {
    const Quad exact =
        Quad(sign_of_r) * ldexp(Quad(r.turns), -128) * boost::math::constants::half_pi<Quad>();
    return Quad(Quad(sign) * (is_cosine ? cos(exact) : sin(exact)));
  });
}

}  // namespace

float exp_ref(float x) {
  const kernels::FloatEnvironment ieee;
  if (std::isnan(x)) return nan;
  return correctly_rounded(exp_of(Doubles{x})[0], [&] { return Quad(exp(Quad(x))); });
}

float rsqrt_ref(float x) {
  const kernels::FloatEnvironment ieee;
  if (std::isnan(x) || x < 0) return nan;
  return correctly_rounded(1 / std::sqrt(double(x)), [&] { return Quad(1 / sqrt(Quad(x))); });
}

float sin_ref(float x) {
  if (binary32::parts(bits_of(x)).exponent < -60) return x;  // x - x³/6
  return sine(x, 0);
}
float cos_ref(float x) { return sine(x, 1); }

float silu_ref(float x) {
  const kernels::FloatEnvironment ieee;
  if (std::isnan(x)) return nan;
  if (std::fabs(x) < nearly_half_of) return more_than_half(x);
  return correctly_rounded(silu_of(Doubles{x})[0],
                           [&] { return Quad(Quad(x) / (1 + exp(-Quad(x)))); });
}

float gelu_ref(float x) {
  const kernels::FloatEnvironment ieee;
  if (std::isnan(x)) return nan;
  if (std::fabs(x) < nearly_half_of) return more_than_half(x);
  return correctly_rounded(gelu_of(Doubles{x})[0], [&] {
    const Quad& root_half = boost::math::constants::one_div_root_two<Quad>();
    return Quad(Quad(x) * boost::math::erfc(Quad(-Quad(x) * root_half)) / 2);
  });
}

float power_ref(float base, float exponent) {
  const kernels::FloatEnvironment ieee;
  if (!(base > 0 && std::isfinite(base) && exponent >= 0 && exponent < 1))
    throw std::invalid_argument("power_ref: a base above zero, an exponent from 0 to below 1");
  return rounded(pow(Quad(base), Quad(exponent)));
}

}  // namespace mxref
