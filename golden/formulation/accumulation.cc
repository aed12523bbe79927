#include "golden/formulation/accumulation.h"

#include <ATen/ops/mm.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>

#include "golden/formulation/digits.h"

namespace mxref::formulation {
namespace {

at::Tensor flushed(const Datapath& datapath, const at::Tensor& x) {
  return datapath.ftz ? flush_subnormals(x) : x;
}

at::Tensor is_negative_zero(const at::Tensor& x) { return (x == 0) & x.signbit(); }

// x (R,K) as the one batch of elements first … first + count-1.
at::Tensor slice(const at::Tensor& x, int64_t first, int64_t count) {
  return x.narrow(1, first, count).unsqueeze(0);
}

// CHOICE of the definition: -0 stays where no product but zeros meets it.
at::Tensor keep_negative_zero(const at::Tensor& acc, const at::Tensor& next, const Operand& a,
                              const Operand& b, int64_t first, int64_t count) {
  const at::Tensor negative_zero = is_negative_zero(acc);
  if (!negative_zero.any().item<bool>()) return next;
  const at::Tensor products =
      count_of_nonzero_products(slice(a.finite(), first, count), slice(b.finite(), first, count));
  return at::where(negative_zero & (products.squeeze(0) == 0), acc, next);
}

// NaN and Inf among the products meet acc by IEEE's addition.
at::Tensor with_specials(const at::Tensor& acc, const at::Tensor& next, const at::Tensor& special) {
  return special.defined() ? at::where(special != 0, acc + special, next) : next;
}

Exact block_sum(const Operand& a, const Operand& b, int64_t first, int64_t count) {
  const auto parts = [&](const Operand& operand) {
    Parts slices;
    for (const at::Tensor& part : operand.parts) slices.push_back(slice(part, first, count));
    return slices;
  };
  const Exact sum = sum_of_products(parts(a), parts(b));
  return {sum.high.squeeze(0), sum.low.defined() ? sum.low.squeeze(0) : sum.low};
}

// fused: acc ← RNE32(acc + x·S); blockwise: t ← RNE32(x·S), acc ← RNE32(acc + t).
at::Tensor by_blocks(const Datapath& datapath, const Operand& a, const Operand& b, int64_t block,
                     at::Tensor acc) {
  const int64_t K = a.values.size(1);
  for (int64_t first = 0; first < K; first += block) {
    const int64_t count = std::min(block, K - first);
    const Exact sum = block_sum(a, b, first, count);
    at::Tensor next;
    if (datapath.kind == Accumulation::blockwise) {
      next = add_rounding_once(acc, {flushed(datapath, to_binary32(round_to_odd(sum)))});
    } else {
      next = keep_negative_zero(acc, add_rounding_once(acc, sum), a, b, first, count);
    }
    acc = with_specials(acc, flushed(datapath, next), special_sums(a, b, first, count));
  }
  return acc;
}

// acc ← RNE32(a_k·b_k + acc): a product of two elements is exact in float64, specials too.
at::Tensor sequential(const Datapath& datapath, const Operand& a, const Operand& b,
                      at::Tensor acc) {
  for (int64_t k = 0; k < a.values.size(1); ++k) {
    const at::Tensor product = a.values.select(1, k).unsqueeze(1) * b.values.select(1, k);
    acc = flushed(datapath, add_rounding_once(acc, {product}));
  }
  return acc;
}

// The elements (R,K) in digits; those that are zero everywhere are undefined.
Digits digits_of_elements(const at::Tensor& x) {
  constexpr int most_bits = 16;  // of an element times its scale
  const at::Tensor nonzero = x.masked_select(x != 0);
  if (nonzero.numel() == 0) return {0, {}};
  const auto least = floor_log2(nonzero).min().item<int64_t>();
  Digits digits = digits_of(x, int(std::floor(double(least - most_bits) / digit_bits)));
  for (at::Tensor& digit : digits.digits) {
    if (!digit.any().item<bool>()) {
      digit.reset();
      continue;
    }
    digit = digit.to(at::kDouble);
  }
  return digits;
}

// One rounding of C + the sum over all of K: the product of two matrices of numbers is that of two
// polynomials in the base, whose coefficients are products of matrices of digits.
at::Tensor exact(const Datapath& datapath, const Operand& a, const Operand& b, at::Tensor acc) {
  constexpr int64_t chunk = 1 << 15;  // products of two digits have 32 bits, and float64 53
  const int64_t K = a.values.size(1);
  const at::Tensor start = at::where(acc.isfinite(), acc, at::zeros_like(acc));
  Digits sum = digits_of(start, -10);  // a binary32 is a multiple of 2^-149
  const Digits x = digits_of_elements(a.finite()), y = digits_of_elements(b.finite());
  for (size_t i = 0; i < x.digits.size(); ++i)
    for (size_t j = 0; j < y.digits.size(); ++j)
      for (int64_t first = 0; first < K; first += chunk) {
        if (!x.digits[i].defined() || !y.digits[j].defined()) continue;
        const int64_t count = std::min(chunk, K - first);
        const at::Tensor product =
            at::mm(x.digits[i].narrow(1, first, count), y.digits[j].narrow(1, first, count).t());
        add_digit(sum, x.lowest + y.lowest + int(i + j), product.to(at::kLong));
      }
  const at::Tensor rounded = to_binary32(round_to_odd(sum));
  const at::Tensor next = keep_negative_zero(acc, rounded, a, b, 0, K);
  return with_specials(acc, at::where(acc.isfinite(), flushed(datapath, next), acc),
                       special_sums(a, b, 0, K));
}

}  // namespace

at::Tensor accumulate(const Datapath& datapath, const Operand& a, const Operand& b, int64_t block,
                      at::Tensor acc) {
  switch (datapath.kind) {
    case Accumulation::fused:
    case Accumulation::blockwise:
      return by_blocks(datapath, a, b, block, acc);
    case Accumulation::sequential:
      return sequential(datapath, a, b, acc);
    case Accumulation::exact:
      return exact(datapath, a, b, acc);
    case Accumulation::aligned:
      return accumulate_aligned(datapath, a, b, acc);
  }
  __builtin_unreachable();
}

}  // namespace mxref::formulation
