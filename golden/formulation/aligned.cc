// The kind `aligned`: terms cut at one exponent, as in tensor cores (ARITHMETIC.md §4).

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/trunc.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <ATen/TensorOperators.h>

#include <algorithm>

#include "golden/formulation/accumulation.h"
#include "golden/formulation/digits.h"

namespace mxref::formulation {
namespace {

// Terms of one step, (terms, M, N).
struct Terms {
  Exact value;
  at::Tensor exponent;
};

// x (R,K), K a multiple of the group's length: T elements from `first` on → (groups, R, G).
at::Tensor groups_of(const at::Tensor& x, int64_t first, const Alignment& alignment) {
  return x.narrow(1, first, alignment.terms)
      .reshape({x.size(0), alignment.terms / alignment.group, alignment.group})
      .transpose(0, 1);
}

// x (R,K) filled with zeros up to a multiple of T.
at::Tensor padded(const at::Tensor& x, const Alignment& alignment) {
  const int64_t K = x.size(1);
  const int64_t steps = (K + alignment.terms - 1) / alignment.terms;
  return at::constant_pad_nd(x, {0, steps * alignment.terms - K});
}

// One side, padded; the exponents of a group are those of its first element.
struct Side {
  Side(const Operand& operand, const Alignment& alignment)
      : finite(padded(operand.finite(), alignment)),
        exponent(padded(alignment.group == 1 ? operand.element_exponent + operand.scale_exponent
                                             : operand.scale_exponent,
                        alignment)) {
    // A single product has few bits, so that no element needs to be split.
    if (alignment.group == 1)
      parts = {finite};
    else
      for (const at::Tensor& part : operand.parts) parts.push_back(padded(part, alignment));
  }

  at::Tensor finite, exponent;
  std::vector<at::Tensor> parts;
};

Terms terms_of(const Side& a, const Side& b, int64_t first, const Alignment& alignment) {
  const auto groups = [&](const at::Tensor& x) { return groups_of(x, first, alignment); };
  const auto parts = [&](const Side& side) {
    Parts of_groups;
    for (const at::Tensor& part : side.parts) of_groups.push_back(groups(part));
    return of_groups;
  };
  const auto exponents = [&](const Side& side) { return groups(side.exponent).select(2, 0); };
  const at::Tensor exponent = exponents(a).unsqueeze(2) + exponents(b).unsqueeze(1);
  const at::Tensor products = count_of_nonzero_products(groups(a.finite), groups(b.finite));
  const at::Tensor of_zero = at::full_like(exponent, alignment.e_zero);
  return {sum_of_products(parts(a), parts(b)), at::where(products > 0, exponent, of_zero)};
}

// |value| · unit toward zero, with the sign: exact integers whose sum it is.
std::vector<at::Tensor> truncated(const Exact& value, const at::Tensor& unit) {
  const at::Tensor sign = value.high.sign();
  const at::Tensor high = value.high * sign * unit, whole = high.floor();
  if (!value.low.defined()) return {whole * sign};
  // low is at most half of high's last place, so high's fraction and low add without loss where
  // high has a fraction.
  return {whole * sign, ((high - whole) + value.low * sign * unit).floor() * sign};
}

at::Tensor rounded(const Datapath& datapath, const at::Tensor& sum) {
  const SumRounding rounding = datapath.alignment.output;
  const at::Tensor result =
      rounding == SumRounding::rne
          ? to_binary32(sum)
          : truncate_to_binary32(sum, rounding == SumRounding::rz13 ? 13 : 23);
  return (datapath.ftz ? flush_subnormals(result) : result) + 0.0;  // every zero is +0
}

at::Tensor step(const Datapath& datapath, const Terms& terms, const at::Tensor& acc) {
  const at::Tensor start = at::where(acc.isfinite(), acc, at::zeros_like(acc));
  const at::Tensor of_acc =
      at::where(start != 0, floor_log2(start).clamp_min(-126),
                at::full_like(terms.exponent.select(0, 0), datapath.alignment.e_zero));
  // No term lies outside 2^±700: beyond, e_zero alone decides, and nothing is kept or all is zero.
  const at::Tensor largest = at::maximum(terms.exponent.amax(0), of_acc).clamp(-700, 700);
  const at::Tensor unit = power_of_two(datapath.alignment.fraction_bits - largest);
  Digits sum = digits_of((start * unit).trunc(), 0);
  for (const at::Tensor& integers : truncated(terms.value, unit)) {
    Digits of_terms = digits_of(integers, 0);
    for (at::Tensor& digit : of_terms.digits) digit = digit.sum(0);
    add(sum, of_terms);
  }
  return rounded(datapath,
                 round_to_odd(sum) * power_of_two(largest - datapath.alignment.fraction_bits));
}

}  // namespace

at::Tensor accumulate_aligned(const Datapath& datapath, const Operand& a, const Operand& b,
                              at::Tensor acc) {
  const Alignment& alignment = datapath.alignment;
  const int64_t K = a.values.size(1);
  const Side x(a, alignment), y(b, alignment);
  for (int64_t first = 0; first < K; first += alignment.terms) {
    const at::Tensor next = step(datapath, terms_of(x, y, first, alignment), acc);
    const at::Tensor special =
        special_sums(a, b, first, std::min<int64_t>(alignment.terms, K - first));
    const at::Tensor all = special.defined() ? special : at::zeros_like(acc);
    acc = at::where((all != 0) | acc.isfinite().logical_not(), acc + all, next);
  }
  return acc;
}

}  // namespace mxref::formulation
