#include "emu/vectors/rounded_sum.h"

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>

#include "emu/binary32.h"
#include "emu/codec.h"
#include "emu/dot_aligned.h"

namespace mxref {
namespace {

// In units of 2^-400: below those of every term (emu/dot.cc) and of every aligned sum.
using Wide = boost::multiprecision::checked_int1024_t;
constexpr int wide_unit_log2 = -400;

Wide wide(bool negative, unsigned __int128 magnitude, int exponent) {
  if (magnitude == 0) return 0;
  const Wide value = Wide(magnitude) << unsigned(exponent - wide_unit_log2);
  return negative ? Wide(-value) : value;
}
Wide wide_of(uint32_t bits) {
  const binary32::Real x = binary32::real(bits);
  return wide(x.negative, x.magnitude, x.exponent);
}

// How the exact sum is rounded: `fraction_bits` of a normal number, to the nearest or toward zero.
struct Target {
  int fraction_bits = binary32::mantissa_bits;
  bool is_nearest = true;
};

void round(RoundedSum& sum, const Wide& exact, const Target& target) {
  const Wide magnitude = abs(exact);
  sum.negative = exact < 0;
  const int top = int(msb(magnitude)) + wide_unit_log2;
  sum.below_normal = top < binary32::emin;
  const int unit = std::max(top, binary32::emin) - target.fraction_bits;
  const auto shift = unsigned(unit - wide_unit_log2);
  const Wide quotient = magnitude >> shift, rest = magnitude - Wide(quotient << shift);
  const Wide half = Wide(1) << (shift - 1);
  const auto below = static_cast<uint64_t>(quotient);
  sum.is_inexact = rest != 0;
  sum.is_tie = rest == half;
  sum.above_half = rest > half;
  sum.is_up = target.is_nearest && (sum.above_half || (sum.is_tie && below % 2 == 1));
  sum.carries = sum.is_up && std::has_single_bit(below + 1) &&
                below + 1 >= uint64_t(1) << target.fraction_bits;
  const int dropped = binary32::mantissa_bits - target.fraction_bits;
  const uint64_t bits =
      (uint64_t(unit + target.fraction_bits - binary32::emin) << binary32::mantissa_bits) +
      ((below + sum.is_up) << dropped);
  sum.is_greatest = bits + (uint64_t(1) << dropped) == binary32::infinity;
  sum.result = uint32_t(std::min<uint64_t>(bits, binary32::infinity)) |
               (sum.negative ? binary32::sign_mask : 0);
}

RoundedSum sum_of(const Wide& first, const Wide& second, const Target& target = {}) {
  RoundedSum sum;
  const Wide exact = first + second;
  sum.is_zero = exact == 0;
  sum.cancels = sum.is_zero && first != 0;
  if (sum.is_zero) return sum;
  const Wide greater = std::max(Wide(abs(first)), Wide(abs(second)));
  sum.cancelled_bits = int(msb(greater)) - int(msb(Wide(abs(exact))));
  round(sum, exact, target);
  if (first == 0 || second == 0) return sum;
  RoundedSum alone;
  round(alone, first, target);
  sum.keeps_first = sum.is_inexact && alone.result == sum.result;
  round(alone, second, target);
  sum.keeps_second = sum.is_inexact && alone.result == sum.result;
  return sum;
}

// x·S of a block or an element; its scales and the sum are finite.
Wide term(const RowView& a, const RowView& b) {
  const BlockSum sum = block_sum(*a.format->element, a.codes, *b.format->element, b.codes);
  const auto x = a.format->scale->parts(a.scales[0]), y = b.format->scale->parts(b.scales[0]);
  const __int128 units = sum.units * int64_t(x.significand * y.significand);
  return wide(units < 0, (unsigned __int128)(units < 0 ? -units : units),
              sum.unit_log2 + x.exponent + y.exponent);
}

bool is_finite(const RowView& row) {
  return !row.format->scale->is_nan(row.scales[0]) &&
         std::ranges::all_of(
             row.codes, [&](uint8_t code) { return mxref::is_finite(*row.format->element, code); });
}

RowView element_of(const RowView& row, size_t i) {
  return {row.format, row.block, row.codes.subspan(i, 1), row.scales};
}

void add_sequential(std::vector<RoundedSum>& sums, const Datapath& datapath, uint32_t acc,
                    const RowView& a, const RowView& b) {
  for (size_t i = 0; i < a.codes.size() && binary32::is_finite(acc); ++i) {
    const RowView x = element_of(a, i), y = element_of(b, i);
    if (!is_finite(x) || !is_finite(y)) return;
    sums.push_back(sum_of(wide_of(acc), term(x, y)));
    acc = dot_ref(datapath, acc, x, y);
  }
}

void add_aligned(std::vector<RoundedSum>& sums, const Datapath& datapath, uint32_t acc,
                 const RowView& a, const RowView& b) {
  const Alignment& g = datapath.alignment;
  const Target target{.fraction_bits = g.output == SumRounding::rz13 ? 13 : binary32::mantissa_bits,
                      .is_nearest = g.output == SumRounding::rne};
  for (size_t first = 0; first < a.codes.size() && binary32::is_finite(acc);
       first += size_t(g.terms)) {
    const AlignedStep step = aligned_step(g, acc, a, b, first);
    if (step.is_nan || step.has_infinity[0] || step.has_infinity[1]) return;
    const int unit_log2 = step.greatest_exponent() - g.fraction_bits;
    Wide parts[2] = {0, 0};  // the accumulator, the products
    for (const AlignedTerm& t : step.terms)
      parts[&t != step.terms.data()] += wide(t.negative, truncated(t, unit_log2), unit_log2);
    sums.push_back(sum_of(parts[0], parts[1], target));
    const size_t count = std::min(size_t(g.terms), a.codes.size() - first);
    const auto part = [&](const RowView& row) {
      return RowView{row.format, row.block, row.codes.subspan(first, count), row.scales};
    };
    acc = dot_ref(datapath, acc, part(a), part(b));
  }
}

}  // namespace

std::vector<RoundedSum> rounded_sums(const Datapath& datapath, uint32_t acc, const RowView& a,
                                     const RowView& b) {
  std::vector<RoundedSum> sums;
  if (!binary32::is_finite(acc)) return sums;
  switch (datapath.kind) {
    case Accumulation::sequential:
      add_sequential(sums, datapath, acc, a, b);
      break;
    case Accumulation::aligned:
      add_aligned(sums, datapath, acc, a, b);
      break;
    case Accumulation::blockwise:
      if (!is_finite(a) || !is_finite(b)) break;
      sums.push_back(sum_of(0, term(a, b)));
      if (const uint32_t t = dot_ref(datapath, 0, a, b); binary32::is_finite(t))
        sums.push_back(sum_of(wide_of(acc), wide_of(t)));
      break;
    default:
      if (is_finite(a) && is_finite(b)) sums.push_back(sum_of(wide_of(acc), term(a, b)));
  }
  return sums;
}

}  // namespace mxref
