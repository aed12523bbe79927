#include "emu/exact_sum.h"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>

#include "emu/binary32.h"
#include "emu/scale_product.h"

namespace mxref {
namespace {

using binary32::Real;

// The whole sum as an integer, in units below those of any term: e5m2 under scales of 2^-127 has
// 2^-286, binary32 2^-149. Above, terms end at 2^320, and K below 2^64 adds 64 bits.
using Wide = boost::multiprecision::checked_int1024_t;
constexpr int wide_unit_log2 = -300;

Wide wide(const Real& x) {
  const Wide magnitude = Wide(x.magnitude) << unsigned(x.exponent - wide_unit_log2);
  return x.negative ? Wide(-magnitude) : magnitude;
}

uint32_t round_rne(const Wide& x) {
  const bool negative = x < 0;
  const Wide magnitude = abs(x);
  // The highest 100 bits, and whether any bit is set below them.
  const int below = std::max(int(msb(magnitude)) - 99, 0);
  const Wide high = magnitude >> unsigned(below);
  return binary32::round_rne(negative, static_cast<binary32::uint128>(high), wide_unit_log2 + below,
                             Wide(high << unsigned(below)) != magnitude);
}

}  // namespace

struct ExactSum::State {
  uint32_t start;
  Wide sum = 0;
  bool is_nan;
  bool has_infinity[2];  // +, -
  bool has_nonzero_product = false;

  explicit State(uint32_t c)
      : start(c),
        is_nan(binary32::is_nan(c)),
        has_infinity{c == infinity_of(1), c == infinity_of(-1)} {
    if (binary32::is_finite(c)) sum = wide(binary32::real(c));
  }
};

ExactSum::ExactSum(uint32_t start) : state_(std::make_unique<State>(start)) {}
ExactSum::ExactSum(ExactSum&&) noexcept = default;
ExactSum& ExactSum::operator=(ExactSum&&) noexcept = default;
ExactSum::~ExactSum() = default;

void ExactSum::add(const RowView& a, const RowView& b) {
  const BlockSum s = block_sum(*a.format->element, a.codes, *b.format->element, b.codes);
  const ScaleProduct scale =
      scale_product(*a.format->scale, a.scales[0], *b.format->scale, b.scales[0]);
  state_->is_nan |= s.is_nan || scale.is_nan;
  state_->has_nonzero_product |= s.has_nonzero_product;
  if (state_->is_nan) return;
  if (s.infinity != 0)
    state_->has_infinity[s.infinity < 0] = true;
  else
    state_->sum += wide(term_of(s, scale));
}

uint32_t ExactSum::rounded() const {
  const State& s = *state_;
  if (s.is_nan || (s.has_infinity[0] && s.has_infinity[1])) return binary32::canonical_nan;
  if (s.has_infinity[0] || s.has_infinity[1]) return infinity_of(s.has_infinity[0] ? 1 : -1);
  // CHOICE: -0 stays -0 where there is no nonzero product; every other exact zero is +0.
  if (s.sum == 0) return s.has_nonzero_product ? 0 : s.start;
  return round_rne(s.sum);
}

}  // namespace mxref
