#include "golden/formulation/torch_engine.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/TensorOperators.h>

#include <cmath>
#include <limits>

#include "golden/formulation/rounding.h"

namespace mxref {
namespace {

// Elements of a tile of the product: bounds the memory of the float64 tensors.
constexpr int64_t tile_rows = 256, tile_cols = 2048;
constexpr int float64_digits = 53;

struct TorchOperand : PreparedOperand {
  MxTensor b;
};

// Bits that the exact sum of a block's products takes.
int block_sum_bits(const BlockFormat& a, const BlockFormat& b, int block) {
  return a.element->magnitude_units_bits() + b.element->magnitude_units_bits() +
         std::bit_width(unsigned(block) - 1);
}

// The values of all codes of a format, NaN for those that are NaN: (2^bits) float64.
at::Tensor element_values(const ElementFormat& f) {
  at::Tensor values = at::empty({int64_t(1) << f.bits()}, at::kDouble);
  auto* value = values.data_ptr<double>();
  for (int code = 0; code < (1 << f.bits()); ++code) {
    const int exponent = (code >> f.mantissa_bits) & ((1 << f.exponent_bits) - 1);
    const int mantissa = code & ((1 << f.mantissa_bits) - 1);
    const double significand = std::ldexp(mantissa, -f.mantissa_bits) + (exponent > 0);
    value[code] = std::ldexp(significand, std::max(exponent, 1) - f.bias);
    if (f.specials == Specials::nan_all_ones &&
        (code | (1 << (f.bits() - 1))) == (1 << f.bits()) - 1)
      value[code] = std::numeric_limits<double>::quiet_NaN();
    if (code >> (f.bits() - 1)) value[code] = -value[code];
  }
  return values;
}

// One block of rows begin … end-1: values (rows, elements) float64, exact, 0 where NaN; and which
// rows have a NaN in it (rows).
struct Block {
  at::Tensor values, is_nan;
};

class Operand {
 public:
  explicit Operand(const MxTensor& q)
      : codes_(view(q.codes, q.rows(), q.cols())),
        scales_(view(q.scales, q.rows(), q.blocks_per_row())),
        table_(element_values(q.element())),
        block_(q.block()) {}

  Block block(int64_t index, int64_t begin, int64_t end) const {
    const int64_t first = index * block_, count = std::min(block_, codes_.size(1) - first);
    const at::Tensor codes =
        codes_.narrow(0, begin, end - begin).narrow(1, first, count).to(at::kLong);
    const at::Tensor scale = scales_.narrow(0, begin, end - begin).select(1, index).to(at::kLong);
    const at::Tensor values = table_.take(codes);
    const at::Tensor factor = formulation::power_of_two(scale - 127);
    return {at::where(values.isnan(), values.new_zeros({}), values) * factor.unsqueeze(1),
            values.isnan().any(1) | (scale == 255)};
  }

 private:
  static at::Tensor view(const std::vector<uint8_t>& bytes, int64_t rows, int64_t cols) {
    return at::from_blob(const_cast<uint8_t*>(bytes.data()), {rows, cols}, at::kByte);
  }
  at::Tensor codes_, scales_, table_;
  int64_t block_;
};

// c (M,N) float64, start of the accumulators → after all blocks (M,N); is_nan (M,N) is set where a
// NaN came in.
at::Tensor accumulate(const Operand& a, const Operand& b, int64_t blocks, int64_t m, int64_t m_end,
                      int64_t n, int64_t n_end, at::Tensor acc, at::Tensor& is_nan) {
  for (int64_t i = 0; i < blocks; ++i) {
    const Block x = a.block(i, m, m_end), y = b.block(i, n, n_end);
    // Exact: all products of a block are integer multiples of one power of two. + 0 turns -0 to +0.
    const at::Tensor t = at::mm(x.values, y.values.t()) + 0.0;
    at::Tensor next = formulation::add_rounding_once(acc, t);
    const at::Tensor negative_zero = (acc == 0) & acc.signbit();
    if (negative_zero.any().item<bool>()) {
      // CHOICE of the definition: -0 stays where the block has no product but zeros.
      const auto nonzero = [](const at::Tensor& v) { return (v != 0).to(at::kDouble); };
      const at::Tensor products = at::mm(nonzero(x.values), nonzero(y.values).t());
      next = at::where(negative_zero & (products == 0), acc, next);
    }
    acc = next;
    is_nan = is_nan | x.is_nan.unsqueeze(1) | y.is_nan.unsqueeze(0);
  }
  return acc;
}

// One tile of D: rows m … of a, n … of b; c and d (rows, cols) binary32, c may be undefined.
void multiply_tile(const MxTensor& a, const MxTensor& b, const Operand& left, const Operand& right,
                   int64_t m, int64_t n, const at::Tensor& c, at::Tensor d) {
  const Prescale p_a = a.conversion.prescale, p_b = b.conversion.prescale;
  const bool factor = p_a.numerator * p_b.numerator != p_a.denominator * p_b.denominator;
  const at::Tensor zeros = at::zeros(d.sizes(), at::kDouble);
  const at::Tensor start = c.defined() ? c.to(at::kDouble) : zeros;
  at::Tensor is_nan = start.isnan();
  at::Tensor acc = accumulate(left, right, a.blocks_per_row(), m, m + d.size(0), n, n + d.size(1),
                              factor ? zeros : at::where(is_nan, zeros, start), is_nan);
  // Both summands are binary32, so binary32's own addition is one rounding.
  if (factor)
    acc = formulation::divide_rounding_once(acc, p_a, p_b).to(at::kFloat) + start.to(at::kFloat);
  const at::Tensor result = acc.to(at::kFloat);
  const at::Tensor nan = at::full({}, std::numeric_limits<float>::quiet_NaN(), at::kFloat);
  d.copy_(at::where(is_nan | result.isnan(), nan, result));
}

class TorchEngine : public Engine {
 public:
  std::string_view name() const override { return "torch"; }

  std::string refuses(const BlockFormat& a, const BlockFormat& b, int block,
                      const Datapath& datapath) const override {
    if (datapath.kind != Accumulation::fused || datapath.ftz) return "it computes 'fused' alone";
    for (const BlockFormat* format : {&a, &b})
      if (format->has_tensor_scale() || format->element->has_inf() ||
          format->element->sign != Sign::magnitude)
        return "it does not decode " + std::string(format->name);
    const int bits = block_sum_bits(a, b, block);
    if (bits > float64_digits)
      return "a block's sum takes " + std::to_string(bits) + " bits, and float64 has 53";
    return "";
  }

  std::unique_ptr<PreparedOperand> prepare(const MxTensor& b, const Datapath&) const override {
    auto operand = std::make_unique<TorchOperand>();
    operand->rows = b.rows();
    operand->cols = b.cols();
    operand->b = b;
    return operand;
  }

  void multiply(const MxTensor& a, const PreparedOperand& prepared, std::span<const float> c,
                std::span<float> d) override {
    const MxTensor& b = dynamic_cast<const TorchOperand&>(prepared).b;
    if (a.cols() != b.cols() || a.block() != b.block())
      throw UsageError("operands of different K or block length");
    const int64_t M = a.rows(), N = b.rows();
    const Operand left(a), right(b);
    const auto matrix = [&](const float* data) {
      return at::from_blob(const_cast<float*>(data), {M, N}, at::kFloat);
    };
    const at::Tensor all_c = c.empty() ? at::Tensor() : matrix(c.data());
    const at::Tensor all_d = matrix(d.data());
    for (int64_t n = 0; n < N; n += tile_cols)
      for (int64_t m = 0; m < M; m += tile_rows) {
        const auto tile = [&](const at::Tensor& x) {
          return x.narrow(0, m, std::min(tile_rows, M - m))
              .narrow(1, n, std::min(tile_cols, N - n));
        };
        multiply_tile(a, b, left, right, m, n, all_c.defined() ? tile(all_c) : all_c, tile(all_d));
      }
  }
};

}  // namespace

std::unique_ptr<Engine> make_torch_engine() { return std::make_unique<TorchEngine>(); }

}  // namespace mxref
