#include "emu/gemm.h"

#include <algorithm>
#include <bit>
#include <string>

#include "emu/binary32.h"
#include "emu/dot.h"

namespace mxref {

void check_operands(const MxTensor& a, const MxTensor& b) {
  if (a.cols() != b.cols())
    throw UsageError("operands of different K: " + std::to_string(a.cols()) + " and " +
                     std::to_string(b.cols()));
  if (a.block() != b.block())
    throw UsageError("operands of different block lengths: " + std::to_string(a.block()) + " and " +
                     std::to_string(b.block()));
}

bool has_factor(Prescale p_a, Prescale p_b) {
  return p_a.numerator * p_b.numerator != p_a.denominator * p_b.denominator;
}

uint32_t apply_prescales(uint32_t acc, Prescale p_a, Prescale p_b, uint32_t c) {
  uint32_t scaled = acc;
  if (binary32::is_finite(acc)) {
    const binary32::Parts v = binary32::parts(acc);
    const auto numerator = uint64_t(p_a.denominator) * p_b.denominator;
    const auto denominator = uint64_t(p_a.numerator) * p_b.numerator;
    scaled = binary32::round_quotient_rne(binary32::is_negative(acc),
                                          binary32::uint128(v.significand) * numerator, denominator,
                                          v.exponent);
  }
  return binary32::add_rne(scaled, c);
}

void gemm_ref(const MxTensor& a, const MxTensor& b, const Datapath& datapath,
              std::span<const float> c, std::span<float> d) {
  check_operands(a, b);
  const int64_t M = a.rows(), N = b.rows(), K = a.cols();
  const Prescale p_a = a.conversion.prescale, p_b = b.conversion.prescale;
  const bool factor = has_factor(p_a, p_b);
  for (int64_t m = 0; m < M; ++m)
    for (int64_t n = 0; n < N; ++n) {
      const size_t i = size_t(m * N + n);
      const uint32_t start = c.empty() ? 0 : std::bit_cast<uint32_t>(c[i]);
      uint32_t acc = factor ? 0 : start;
      if (binary32::is_nan(acc)) acc = binary32::canonical_nan;
      for (int64_t k = 0; k < K; k += a.block()) {
        const size_t count = size_t(std::min<int64_t>(a.block(), K - k));
        const BlockSum sum = block_sum(a.element(), a.row_codes(m).subspan(size_t(k), count),
                                       b.element(), b.row_codes(n).subspan(size_t(k), count));
        const size_t block = size_t(k / a.block());
        acc = accumulate_block(datapath, acc, sum, a.row_scales(m)[block], b.row_scales(n)[block]);
      }
      d[i] = std::bit_cast<float>(factor ? apply_prescales(acc, p_a, p_b, start) : acc);
    }
}

}  // namespace mxref
