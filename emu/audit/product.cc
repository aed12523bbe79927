#include "emu/audit/product.h"

#include <bit>
#include <cstdlib>

#include "emu/binary32.h"
#include "emu/quantize.h"

namespace mxref {
namespace {

// Of the type's bits: the sign, and those of infinity.
uint32_t sign_of(DType type) { return type == DType::F32 ? binary32::sign_mask : 0x8000; }
uint32_t infinity_of(DType type) {
  return type == DType::F32 ? binary32::infinity : type == DType::BF16 ? 0x7F80 : 0x7C00;
}
bool is_nan(DType type, uint32_t bits) { return (bits & ~sign_of(type)) > infinity_of(type); }
bool is_inf(DType type, uint32_t bits) { return (bits & ~sign_of(type)) == infinity_of(type); }

// Rows [first, first + 1) of a tensor.
MxTensor row(const MxTensor& q, int64_t index) {
  MxTensor one{q.conversion, {1, q.cols()}, {}, {}};
  const auto codes = q.row_codes(index);
  const auto scales = q.row_scales(index);
  one.codes.assign(codes.begin(), codes.end());
  one.scales.assign(scales.begin(), scales.end());
  if (!q.tensor_scales.empty()) one.tensor_scales = {q.tensor_scale(index)};
  return one;
}

}  // namespace

uint32_t to_answer(DType type, uint32_t bits) {
  if (type == DType::BF16) return binary32::to_bfloat16_rne(bits);
  if (type == DType::F16) return binary32::to_binary16_rne(bits);
  return bits;
}

uint32_t from_answer(DType type, uint32_t bits) {
  if (type == DType::F32) return bits;
  if (type == DType::BF16) return bits << 16;
  return binary32::from_binary16(uint16_t(bits));
}

ProductInput rows_of(const ProductInput& input, int64_t m, int64_t n) {
  ProductInput one{row(input.a, m), row(input.b, n), {}};
  if (!input.c.empty()) one.c = {input.c[size_t(m * input.b.rows() + n)]};
  return one;
}

ProductAnswer define_product(const ProductInput& input, const Datapath& datapath, DType type) {
  check_operands(input.a, input.b);
  if (const std::string reason =
          no_product(input.a.format(), input.b.format(), input.a.block(), datapath);
      !reason.empty())
    throw UsageError(reason);
  const int64_t M = input.a.rows(), N = input.b.rows();
  std::vector<float> d(size_t(M * N));
#pragma omp parallel for schedule(dynamic)
  for (int64_t m = 0; m < M; ++m) {
    const auto at = size_t(m * N);
    const std::span<const float> c = input.c;
    gemm_ref(row(input.a, m), input.b, datapath, c.empty() ? c : c.subspan(at, size_t(N)),
             std::span(d).subspan(at, size_t(N)));
  }
  ProductAnswer answer{type, {}};
  for (float value : d) answer.d.push_back(to_answer(type, std::bit_cast<uint32_t>(value)));
  return answer;
}

ProductCase::ProductCase(ProductInput input, ProductAnswer answer, const Datapath& datapath)
    : input_(std::move(input)),
      answer_(std::move(answer)),
      expected_(define_product(input_, datapath)),
      datapath_(&datapath),
      a_values_(dequantize(input_.a)),
      b_values_(dequantize(input_.b)) {}

AuditUnit ProductCase::unit(int64_t index) const {
  return {{to_answer(answer_.type, expected_.d[size_t(index)])}, {answer_.d[size_t(index)]}};
}

std::vector<Hypothesis> ProductCase::hypotheses() const {
  std::vector<Hypothesis> rows;
  for (const ProductHypothesis& row : product_hypotheses()) rows.push_back(row.hypothesis);
  return rows;
}

std::vector<bool> ProductCase::gives(size_t hypothesis, int64_t index) const {
  const int64_t N = input_.b.rows(), K = input_.a.cols(), m = index / N, n = index % N;
  const auto values = [K](const std::vector<float>& all, int64_t row) {
    return std::span(all).subspan(size_t(row * K), size_t(K));
  };
  const ProductElement element{
      *datapath_,
      row_of(input_.a, m),
      row_of(input_.b, n),
      values(a_values_, m),
      values(b_values_, n),
      factor_of(input_.a, m, input_.b, n),
      mxref::has_last_step(input_.a, input_.b),
      input_.c.empty() ? 0 : std::bit_cast<uint32_t>(input_.c[size_t(index)]),
      expected_.d[size_t(index)],
      answer_.type};
  const uint32_t got = answer_.d[size_t(index)];
  const DType type = answer_.type;
  return {product_hypotheses()[hypothesis].gives(element, [&](uint32_t bits) {
    const uint32_t given = to_answer(type, bits);
    return given == got || (is_nan(type, given) && is_nan(type, got));
  })};
}

std::optional<DifferenceClass> ProductCase::plain_class(const AuditUnit& unit, size_t place) const {
  const DType type = answer_.type;
  const uint32_t expected = unit.expected[place], got = unit.got[place];
  if (((expected | got) & ~sign_of(type)) == 0) return DifferenceClass::zero_sign;
  if (is_nan(type, expected) && is_nan(type, got)) return DifferenceClass::nan;
  return {};
}

DifferenceClass ProductCase::remaining_class(const AuditUnit& unit, size_t place) const {
  const DType type = answer_.type;
  const uint32_t expected = unit.expected[place], got = unit.got[place];
  if (is_nan(type, expected) || is_nan(type, got)) return DifferenceClass::nan;
  if (is_inf(type, expected) || is_inf(type, got)) return DifferenceClass::saturation;
  return DifferenceClass::other;
}

std::optional<double> ProductCase::error_ulp(const AuditUnit& unit, size_t place) const {
  const DType type = answer_.type;
  // Magnitudes order as their bits do, so that the numbers between two are counted by integers.
  const auto rank = [&](uint32_t bits) {
    const auto magnitude = int64_t(bits & ~sign_of(type));
    return bits & sign_of(type) ? -magnitude : magnitude;
  };
  const uint32_t expected = unit.expected[place], got = unit.got[place];
  for (uint32_t bits : {expected, got})
    if (is_nan(type, bits) || is_inf(type, bits)) return {};
  return double(std::abs(rank(expected) - rank(got)));
}

int64_t ProductCase::input_size(int64_t index) const {
  const int64_t N = input_.b.rows();
  const auto a = input_.a.row_codes(index / N), b = input_.b.row_codes(index % N);
  int64_t products = 0;
  for (size_t i = 0; i < a.size(); ++i)
    products += input_.a.element().magnitude(a[i]) != 0 && input_.b.element().magnitude(b[i]) != 0;
  const bool has_c = !input_.c.empty() && input_.c[size_t(index)] != 0;
  return products * 2 + has_c;
}

}  // namespace mxref
