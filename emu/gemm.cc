#include "emu/gemm.h"

#include <algorithm>
#include <bit>
#include <string>

#include "emu/binary32.h"
#include "emu/dot.h"
#include "emu/dot_aligned.h"
#include "emu/quantize.h"

namespace mxref {

std::string no_product(const BlockFormat& a, const BlockFormat& b, int block,
                       const Datapath& datapath) {
  if (a.scale != b.scale)
    return std::string(a.name) + " has scales " + std::string(a.scale->name) + ", " +
           std::string(b.name) + " has " + std::string(b.scale->name) + ": they do not meet";
  if (!is_block_length(a, block))
    return std::string(a.name) + " has blocks of " + block_length_list(a) + " elements";
  if (datapath.kind == Accumulation::aligned && block % datapath.alignment.group != 0)
    return "its groups of " + std::to_string(datapath.alignment.group) +
           " products do not divide a block";
  return "";
}

void check_operands(const MxTensor& a, const MxTensor& b) {
  if (a.cols() != b.cols())
    throw UsageError("operands of different K: " + std::to_string(a.cols()) + " and " +
                     std::to_string(b.cols()));
  if (a.block() != b.block())
    throw UsageError("operands of different block lengths: " + std::to_string(a.block()) + " and " +
                     std::to_string(b.block()));
  if (b.tensor_scales.size() > 1)
    throw UsageError("a right operand has one tensor scale, not one a row");
}

bool has_last_step(const MxTensor& a, const MxTensor& b) {
  const Prescale p_a = a.conversion.prescale, p_b = b.conversion.prescale;
  return a.format().has_tensor_scale() ||
         p_a.numerator * p_b.numerator != p_a.denominator * p_b.denominator;
}

Factor factor_of(const MxTensor& a, int64_t m, const MxTensor& b, int64_t n) {
  const Prescale p_a = a.conversion.prescale, p_b = b.conversion.prescale;
  const auto g_a = binary32::parts(std::bit_cast<uint32_t>(a.tensor_scale(m)));
  const auto g_b = binary32::parts(std::bit_cast<uint32_t>(b.tensor_scale(n)));
  if (a.format().has_tensor_scale())
    return {uint64_t(g_a.significand) * g_b.significand, 1, g_a.exponent + g_b.exponent};
  return {uint64_t(p_a.denominator) * p_b.denominator, uint64_t(p_a.numerator) * p_b.numerator, 0};
}

uint32_t last_step(const Datapath& datapath, uint32_t acc, const Factor& factor, uint32_t c) {
  uint32_t scaled = acc;
  if (binary32::is_finite(acc)) {
    const binary32::Real v = binary32::real(acc);
    scaled = binary32::round_quotient_rne(v.negative, v.magnitude * factor.numerator,
                                          factor.denominator, v.exponent + factor.exponent);
  }
  const uint32_t sum = binary32::add_rne(scaled, c);
  if (datapath.kind != Accumulation::aligned) return sum;
  return binary32::is_nan(sum) ? aligned_nan : sum == binary32::sign_mask ? 0 : sum;
}

void gemm_ref(const MxTensor& a, const MxTensor& b, const Datapath& datapath,
              std::span<const float> c, std::span<float> d) {
  check_operands(a, b);
  if (const std::string reason = no_product(a.format(), b.format(), a.block(), datapath);
      !reason.empty())
    throw UsageError(reason);
  const bool factor = has_last_step(a, b);
  constexpr int64_t worth_threads = 1 << 20;
#pragma omp parallel for schedule(static) if (a.rows() * b.rows() * a.cols() >= worth_threads)
  for (int64_t m = 0; m < a.rows(); ++m)
    for (int64_t n = 0; n < b.rows(); ++n) {
      const size_t i = size_t(m * b.rows() + n);
      const uint32_t start = c.empty() ? 0 : std::bit_cast<uint32_t>(c[i]);
      uint32_t acc = dot_ref(datapath, factor ? 0 : start, row_of(a, m), row_of(b, n));
      if (factor) acc = last_step(datapath, acc, factor_of(a, m, b, n), start);
      d[i] = std::bit_cast<float>(acc);
    }
}

}  // namespace mxref
