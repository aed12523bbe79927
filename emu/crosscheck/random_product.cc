#include "emu/crosscheck/random_product.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "emu/vectors/stimulus.h"

namespace mxref {
namespace {

// Mostly near 1, sometimes at the ends of what two of them and a product can reach.
float tensor_scale(Stimulus& stimulus) {
  constexpr std::array exponents{0, 0, -12, -70, 60, -126, 127};
  const auto fraction = float(stimulus.below(1 << 23)) * 0x1p-23f;
  const int exponent = exponents[stimulus.below(exponents.size())];
  return std::ldexp(1 + fraction, stimulus.stays_finite() ? 0 : exponent);
}

ProductKind kind_of(uint64_t seed) {
  if (seed % 4 < 2) return ProductKind::blocks;
  if (seed % 4 == 3) return ProductKind::chains_without_c;
  return seed % 8 == 2 ? ProductKind::chains : ProductKind::long_chains;
}

}  // namespace

Stimulus product_stimulus(uint64_t seed) {
  const ProductKind kind = kind_of(seed);
  return Stimulus(seed, kind == ProductKind::blocks        ? 32
                        : kind == ProductKind::long_chains ? 0
                                                           : 256);
}

ProductShape product_shape(uint64_t seed, int block, Stimulus& stimulus) {
  constexpr int64_t longest = 4096;
  const ProductKind kind = kind_of(seed);
  if (kind == ProductKind::blocks) return {kind, 32, 32, block};
  const bool is_long = kind == ProductKind::long_chains;
  const auto up_to = [&](int64_t most) { return 1 + int64_t(stimulus.below(uint64_t(most))); };
  const int64_t M = up_to(is_long ? 2 : 16), N = up_to(is_long ? 48 : 16);
  return {kind, M, N, up_to(is_long ? longest : 5 * block)};
}

MxTensor random_operand(Stimulus& stimulus, const Conversion& conversion, int64_t rows, int64_t K) {
  MxTensor q{conversion, {rows, K}, std::vector<uint8_t>(size_t(rows * K)), {}};
  if (q.format().has_tensor_scale()) q.tensor_scales = {tensor_scale(stimulus)};
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t k = 0; k < K; k += q.block()) {
      const auto count = size_t(std::min<int64_t>(q.block(), K - k));
      stimulus.codes(q.element(), std::span(q.codes).subspan(size_t(row * K + k), count));
      q.scales.push_back(stimulus.scale(*q.format().scale));
    }
  return q;
}

std::vector<float> random_c(Stimulus& stimulus, const MxTensor& a, const MxTensor& b) {
  std::vector<float> c;
  const auto first = size_t(std::min<int64_t>(a.block(), a.cols()));
  for (int64_t m = 0; m < a.rows(); ++m)
    for (int64_t n = 0; n < b.rows(); ++n) {
      const BlockSum sum = block_sum(a.element(), a.row_codes(m).first(first), b.element(),
                                     b.row_codes(n).first(first));
      c.push_back(std::bit_cast<float>(stimulus.accumulator(sum, a.row_scales(m).front(),
                                                            b.row_scales(n).front(),
                                                            *a.format().scale, *b.format().scale)));
    }
  return c;
}

GivenProduct random_product(const BlockFormat& a, const BlockFormat& b, uint64_t seed) {
  Stimulus stimulus = product_stimulus(seed);
  const auto [kind, M, N, K] = product_shape(seed, a.block, stimulus);
  const bool has_no_c = kind == ProductKind::chains_without_c;
  Conversion conversion_a{.format = &a}, conversion_b{.format = &b};
  conversion_a.block = conversion_b.block = a.block;
  if (has_no_c && !a.has_tensor_scale()) {
    conversion_a.block = conversion_b.block = block_lengths[stimulus.below(block_lengths.size())];
    conversion_a.prescale = stimulus.below(2) ? Prescale{3, 4} : Prescale{};
    conversion_b.prescale = stimulus.below(2) ? Prescale{3, 4} : Prescale{65535, 65534};
  }
  GivenProduct product{"random",
                       random_operand(stimulus, conversion_a, M, K),
                       random_operand(stimulus, conversion_b, N, K),
                       {}};
  if (has_no_c && a.has_tensor_scale())
    while (product.a.tensor_scales.size() < size_t(M))
      product.a.tensor_scales.push_back(tensor_scale(stimulus));
  if (has_no_c && seed / 4 % 2 == 0) return product;
  product.c = random_c(stimulus, product.a, product.b);
  return product;
}

}  // namespace mxref
