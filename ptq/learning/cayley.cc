// Cayley's map from skew-symmetric to orthogonal matrices, with its gradient.

#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include "ptq/learning/functions.h"
#include "ptq/learning/orthogonal.h"
#include "ptq/linear_algebra.h"

namespace mxref {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Cayley : torch::autograd::Function<Cayley> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x) {
    const int64_t n = x.size(0);
    const auto* xs = x.data_ptr<double>();
    Matrix64 minus(size_t(n * n)), plus(size_t(n * n));
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        const double half = i > j ? xs[i * n + j] / 2 : i < j ? -xs[j * n + i] / 2 : 0.0;
        minus[size_t(i * n + j)] = double(i == j) - half;
        plus[size_t(i * n + j)] = double(i == j) + half;
      }
    const Matrix64 Y = inverse(std::move(minus), n, "Cayley");
    const at::Tensor q = square_tensor(product({Y.data(), n}, {plus.data(), n}, n, n, n), n);
    context->save_for_backward({square_tensor(Y, n), q});
    return q;
  }
  // Q = Y·(I + A/2), Y = (I - A/2)⁻¹: dQ = ½·Y·dA·(Q + I), so that dA has ½·Yᵀ·dQ·(Q + I)ᵀ.
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &Y = saved[0], &Q = saved[1], g = gradients[0].contiguous();
    const int64_t n = Y.size(0);
    Matrix64 next(Q.data_ptr<double>(), Q.data_ptr<double>() + n * n);
    for (int64_t i = 0; i < n; ++i) next[size_t(i * n + i)] += 1;
    const Matrix64 left =
        product({Y.data_ptr<double>(), n, true}, {g.data_ptr<double>(), n}, n, n, n);
    const Matrix64 of_skew = product({left.data(), n}, {next.data(), n, true}, n, n, n);
    at::Tensor dx = at::empty({n, n}, at::kDouble);
    auto* dxs = dx.data_ptr<double>();
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j)
        dxs[i * n + j] =
            i > j ? (of_skew[size_t(i * n + j)] - of_skew[size_t(j * n + i)]) / 2 : 0.0;
    return {dx};
  }
};

}  // namespace

at::Tensor cayley(const at::Tensor& x) { return Cayley::apply(x); }

}  // namespace mxref
