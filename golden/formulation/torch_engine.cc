#include "golden/formulation/torch_engine.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <ATen/TensorOperators.h>

#include <algorithm>

#include "emu/error.h"
#include "golden/formulation/accumulation.h"
#include "golden/torch_threads.h"

namespace mxref {
namespace {

using namespace formulation;

constexpr uint32_t nan_bits = 0x7FC00000, aligned_nan_bits = 0x7FFFFFFF;
constexpr int float64_digits = 53;

// Rows and columns of a tile of the product, which bound the memory of the float64 tensors.
struct TileShape {
  int64_t rows, cols;
};
TileShape tile_shape(const Datapath& datapath) {
  switch (datapath.kind) {
    case Accumulation::exact:  // tens of digits for each result
      return {128, 512};
    case Accumulation::aligned: {  // T terms for each result
      const int64_t edge = datapath.alignment.terms > 128 ? 32 : 128;
      return {edge, edge};
    }
    default:
      return {256, 2048};
  }
}

struct TorchOperand : PreparedOperand {
  MxTensor b;
  const Datapath* datapath = nullptr;
};

// g of the rows begin … end-1: one for all of them, or (rows,1).
at::Tensor tensor_scales(const MxTensor& q, int64_t begin, int64_t end) {
  const at::Tensor all = at::from_blob(const_cast<float*>(q.tensor_scales.data()),
                                       {int64_t(q.tensor_scales.size()), 1}, at::kFloat);
  return float64_of(all.size(0) == 1 ? all : all.narrow(0, begin, end - begin));
}

// One tile of D: rows m … of a, n … of b; c and d (rows, cols) binary32, c may be undefined.
void multiply_tile(const Datapath& datapath, const MxTensor& a, const MxTensor& b, int64_t m,
                   int64_t n, const at::Tensor& c, const at::Tensor& d) {
  const int64_t m_end = m + d.size(0), n_end = n + d.size(1);
  const Prescale p_a = a.conversion.prescale, p_b = b.conversion.prescale;
  const bool of_tensors = a.format().has_tensor_scale();
  const bool last_step =
      of_tensors || p_a.numerator * p_b.numerator != p_a.denominator * p_b.denominator;
  const bool is_aligned = datapath.kind == Accumulation::aligned;

  const at::Tensor zeros = at::zeros(d.sizes(), at::kDouble);
  const at::Tensor start = c.defined() ? float64_of(c) : zeros;
  const Operand left(a, m, m_end, is_aligned), right(b, n, n_end, is_aligned);
  at::Tensor acc = accumulate(datapath, left, right, a.block(), last_step ? zeros : start);
  if (last_step) {
    acc =
        of_tensors
            ? multiply_rounding_once(
                  acc, (tensor_scales(a, m, m_end) * tensor_scales(b, n, n_end).t()).expand_as(acc))
            : divide_rounding_once(acc, p_a, p_b);
    acc = add_rounding_once(acc, {start});
    if (is_aligned) acc = acc + 0.0;  // every zero is +0
  }
  d.copy_(binary32_of(acc, is_aligned ? aligned_nan_bits : nan_bits));
}

class TorchEngine : public Engine {
 public:
  std::string_view name() const override { return "torch"; }

  // Every format there is fits; a wider one would not.
  std::string refuses(const BlockFormat& a, const BlockFormat& b, int block,
                      const Datapath&) const override {
    const int bits = bits_of_sum(*a.element, *b.element, block);
    if (bits > float64_digits)
      return "a block's sum of half elements takes " + std::to_string(bits) +
             " bits, and float64 has 53";
    return "";
  }

  std::unique_ptr<PreparedOperand> prepare(const MxTensor& b,
                                           const Datapath& datapath) const override {
    auto operand = std::make_unique<TorchOperand>();
    operand->rows = b.rows();
    operand->cols = b.cols();
    operand->b = b;
    operand->datapath = &datapath;
    return operand;
  }

  void multiply(const MxTensor& a, const PreparedOperand& prepared, std::span<const float> c,
                std::span<float> d) override {
    adopt_threads();
    const auto& operand = dynamic_cast<const TorchOperand&>(prepared);
    const MxTensor& b = operand.b;
    if (a.cols() != b.cols() || a.block() != b.block())
      throw UsageError("operands of different K or block length");
    const int64_t M = a.rows(), N = b.rows();
    const auto matrix = [&](const float* data) {
      return at::from_blob(const_cast<float*>(data), {M, N}, at::kFloat);
    };
    const at::Tensor all_c = c.empty() ? at::Tensor() : matrix(c.data());
    const at::Tensor all_d = matrix(d.data());
    const TileShape shape = tile_shape(*operand.datapath);
    for (int64_t n = 0; n < N; n += shape.cols)
      for (int64_t m = 0; m < M; m += shape.rows) {
        const auto tile = [&](const at::Tensor& x) {
          return x.narrow(0, m, std::min(shape.rows, M - m))
              .narrow(1, n, std::min(shape.cols, N - n));
        };
        multiply_tile(*operand.datapath, a, b, m, n, all_c.defined() ? tile(all_c) : all_c,
                      tile(all_d));
      }
  }
};

}  // namespace

std::unique_ptr<Engine> make_torch_engine() { return std::make_unique<TorchEngine>(); }

}  // namespace mxref
