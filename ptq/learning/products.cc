// Products of matrices with gradients.

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "golden/models/hadamard.h"
#include "ptq/learning/functions.h"
#include "ptq/learning/threads.h"
#include "ptq/linear_algebra.h"

namespace mxref {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A tile of a product, and rows of a Kronecker map, one part each.
constexpr int64_t product_rows = 128, product_cols = 256, kronecker_rows = 32;

at::Tensor product32(const at::Tensor& a, bool ta, const at::Tensor& b, bool tb, int64_t M,
                     int64_t N, int64_t K) {
  at::Tensor c = at::empty({M, N}, at::kFloat);
  const int64_t lda = a.size(1), ldb = b.size(1);
  const float *as = a.data_ptr<float>(), *bs = b.data_ptr<float>();
  auto* cs = c.data_ptr<float>();
  const int64_t row_tiles = (M + product_rows - 1) / product_rows;
  const int64_t col_tiles = (N + product_cols - 1) / product_cols;
  share_parts(row_tiles * col_tiles, [&](int64_t part) {
    const int64_t m = part % row_tiles * product_rows, n = part / row_tiles * product_cols;
    sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', std::min(product_rows, M - m),
          std::min(product_cols, N - n), K, 1, ta ? as + m : as + m * lda, lda,
          tb ? bs + n * ldb : bs + n, ldb, 0, cs + m * N + n, N);
  });
  return c;
}

// op(a)·op(b) without a gradient.
at::Tensor plain_product(const at::Tensor& a, bool ta, const at::Tensor& b, bool tb) {
  const int64_t M = a.size(ta ? 1 : 0), K = a.size(ta ? 0 : 1), N = b.size(tb ? 0 : 1);
  if (b.size(tb ? 1 : 0) != K) throw std::logic_error("a product of matrices that do not fit");
  if (a.scalar_type() == at::kFloat) return product32(a, ta, b, tb, M, N, K);
  at::Tensor c = at::zeros({M, N}, at::kDouble);
  add_product({a.data_ptr<double>(), a.size(1), ta}, {b.data_ptr<double>(), b.size(1), tb}, M, N, K,
              1, c.data_ptr<double>(), N);
  return c;
}

struct Multiply : torch::autograd::Function<Multiply> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& a, const at::Tensor& b,
                            bool ta, bool tb) {
    context->save_for_backward({a, b});
    context->saved_data["ta"] = ta;
    context->saved_data["tb"] = tb;
    context->saved_data["needs_a"] = a.requires_grad();
    context->saved_data["needs_b"] = b.requires_grad();
    return plain_product(a, ta, b, tb);
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &a = saved[0], &b = saved[1], g = gradients[0].contiguous();
    const auto flag = [&](const char* name) { return context->saved_data.at(name).toBool(); };
    const bool ta = flag("ta"), tb = flag("tb");
    variable_list of_arguments(4);
    if (flag("needs_a"))
      of_arguments[0] = ta ? plain_product(b, tb, g, true) : plain_product(g, false, b, !tb);
    if (flag("needs_b"))
      of_arguments[1] = tb ? plain_product(g, true, a, ta) : plain_product(a, !ta, g, false);
    return of_arguments;
  }
};

// to (rows, n, m) ← from (rows, m, n), the last two axes swapped.
void swap_axes(const float* from, int64_t rows, int64_t m, int64_t n, float* to) {
  for (int64_t r = 0; r < rows; ++r, from += m * n, to += m * n)
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) to[j * m + i] = from[i * n + j];
}

// One part of the rows, (rows, a, b), on its way through both factors.
struct KroneckerPart {
  int64_t rows, a, b;
  const float *left, *right;
  // X·right with the axes swapped → (rows, b, a).
  std::vector<float> after_right(const float* x) const {
    std::vector<float> y(size_t(rows * a * b)), swapped(y.size());
    sgemm('N', 'N', rows * a, b, b, 1, x, b, right, b, 0, y.data(), b);
    swap_axes(y.data(), rows, a, b, swapped.data());
    return swapped;
  }
};

struct Kronecker : torch::autograd::Function<Kronecker> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& left,
                            const at::Tensor& right) {
    context->save_for_backward({x, left, right});
    context->saved_data["needs_x"] = x.requires_grad();
    at::Tensor y = at::empty(x.sizes(), at::kFloat);
    const int64_t n = x.size(1), a = left.size(0), b = right.size(0);
    share_ranges(x.size(0), kronecker_rows, [&](int64_t begin, int64_t end) {
      const KroneckerPart part{end - begin, a, b, left.data_ptr<float>(), right.data_ptr<float>()};
      const std::vector<float> columns = part.after_right(x.data_ptr<float>() + begin * n);
      std::vector<float> out(columns.size());
      sgemm('N', 'N', part.rows * b, a, a, 1, columns.data(), a, part.left, a, 0, out.data(), a);
      swap_axes(out.data(), part.rows, b, a, y.data_ptr<float>() + begin * n);
    });
    return y;
  }

  // V = X·right, Y = leftᵀ·V: dV = left·dY, dX = dV·rightᵀ, d left = V·dYᵀ, d right = Xᵀ·dV. The
  // sums over rows are added up in the order of the parts.
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &left = saved[1], &right = saved[2],
                     g = gradients[0].contiguous();
    const bool needs_x = context->saved_data.at("needs_x").toBool();
    const int64_t M = x.size(0), n = x.size(1), a = left.size(0), b = right.size(0);
    const int64_t parts = (M + kronecker_rows - 1) / kronecker_rows;
    at::Tensor dx = needs_x ? at::empty(x.sizes(), at::kFloat) : at::Tensor();
    const at::Tensor of_left = at::empty({parts, a, a}, at::kFloat),
                     of_right = at::empty({parts, b, b}, at::kFloat);
    share_ranges(M, kronecker_rows, [&](int64_t begin, int64_t end) {
      const KroneckerPart part{end - begin, a, b, left.data_ptr<float>(), right.data_ptr<float>()};
      const int64_t rows = part.rows, index = begin / kronecker_rows;
      const float* xs = x.data_ptr<float>() + begin * n;
      const std::vector<float> v = part.after_right(xs);
      std::vector<float> dy(v.size()), dv(v.size()), swapped(v.size());
      swap_axes(g.data_ptr<float>() + begin * n, rows, a, b, dy.data());
      sgemm('T', 'N', a, a, rows * b, 1, v.data(), a, dy.data(), a, 0,
            of_left.data_ptr<float>() + index * a * a, a);
      sgemm('N', 'T', rows * b, a, a, 1, dy.data(), a, part.left, a, 0, swapped.data(), a);
      swap_axes(swapped.data(), rows, b, a, dv.data());
      sgemm('T', 'N', b, b, rows * a, 1, xs, b, dv.data(), b, 0,
            of_right.data_ptr<float>() + index * b * b, b);
      if (needs_x)
        sgemm('N', 'T', rows * a, b, b, 1, dv.data(), b, part.right, b, 0,
              dx.data_ptr<float>() + begin * n, b);
    });
    const auto sum = [parts](const at::Tensor& each) {
      at::Tensor total = each[0].clone();
      for (int64_t part = 1; part < parts; ++part) total.add_(each[part]);
      return total;
    };
    return {dx, sum(of_left), sum(of_right)};
  }
};

// x·H along an axis, or x·Hᵀ.
at::Tensor turned(const at::Tensor& x, int64_t size, int64_t inner, bool transposed) {
  at::Tensor y = x.clone();
  const AllThreads all;
  hadamard_transform(y.data_ptr<float>(), y.numel() / (size * inner), size, inner, transposed);
  return y;
}

struct HadamardMap : torch::autograd::Function<HadamardMap> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, int64_t size,
                            int64_t inner) {
    context->saved_data["size"] = size;
    context->saved_data["inner"] = inner;
    return turned(x, size, inner, false);
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    return {turned(gradients[0].contiguous(), context->saved_data.at("size").toInt(),
                   context->saved_data.at("inner").toInt(), true),
            {},
            {}};
  }
};

}  // namespace

at::Tensor multiply(const at::Tensor& a, bool transpose_a, const at::Tensor& b, bool transpose_b) {
  return Multiply::apply(a, b, transpose_a, transpose_b);
}

at::Tensor kronecker_map(const at::Tensor& x, const at::Tensor& left, const at::Tensor& right) {
  return Kronecker::apply(x, left, right);
}

at::Tensor hadamard_map(const at::Tensor& x, int64_t size, int64_t inner) {
  return HadamardMap::apply(x, size, inner);
}

}  // namespace mxref
