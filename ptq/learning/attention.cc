// Causal attention and its gradient; probabilities are computed again on the way back, so that none
// are kept.

#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

#include "ptq/learning/functions.h"
#include "ptq/learning/threads.h"
#include "ptq/linear_algebra.h"

namespace mxref {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t queries_at_once = 64;

struct Shape {
  int64_t B, T, H, G, d;
  float scale() const { return float(1 / std::sqrt(double(d))); }
};

// Queries begin … begin+count-1 of one head, and all keys that they see.
struct Queries {
  int64_t begin, count;
  int64_t visible() const { return begin + count; }
};

// q, k: the first row of the head's queries, keys → probabilities (count, visible).
std::vector<float> probabilities(const Shape& shape, Queries queries, const float* q,
                                 const float* k) {
  const int64_t visible = queries.visible(), q_width = shape.H * shape.d;
  std::vector<float> p(size_t(queries.count * visible));
  sgemm('N', 'T', queries.count, visible, shape.d, shape.scale(), q + queries.begin * q_width,
        q_width, k, shape.G * shape.d, 0, p.data(), visible);
  for (int64_t i = 0; i < queries.count; ++i) {
    float* const row = &p[size_t(i * visible)];
    const int64_t seen = queries.begin + i + 1;
    const float most = *std::max_element(row, row + seen);
    double sum = 0;
    for (int64_t j = 0; j < seen; ++j) sum += row[j] = std::exp(row[j] - most);
    for (int64_t j = 0; j < seen; ++j) row[j] = float(row[j] / sum);
    std::fill(row + seen, row + visible, 0.0f);
  }
  return p;
}

template <typename F>
void for_each_queries(int64_t T, F f) {
  for (int64_t begin = 0; begin < T; begin += queries_at_once)
    f(Queries{begin, std::min(queries_at_once, T - begin)});
}

struct CausalAttention : torch::autograd::Function<CausalAttention> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, int64_t sequences, int64_t d) {
    context->save_for_backward({q, k, v});
    context->saved_data["sequences"] = sequences;
    context->saved_data["d"] = d;
    const Shape shape{sequences, q.size(0) / sequences, q.size(1) / d, k.size(1) / d, d};
    at::Tensor out = at::empty(q.sizes(), at::kFloat);
    const int64_t q_width = shape.H * d, kv_width = shape.G * d;
    share_parts(shape.B * shape.H, [&](int64_t part) {
      const int64_t b = part / shape.H, head = part % shape.H;
      const int64_t kv = b * shape.T * kv_width + head / (shape.H / shape.G) * d,
                    at = b * shape.T * q_width + head * d;
      for_each_queries(shape.T, [&](Queries queries) {
        const std::vector<float> p =
            probabilities(shape, queries, q.data_ptr<float>() + at, k.data_ptr<float>() + kv);
        sgemm('N', 'N', queries.count, d, queries.visible(), 1, p.data(), queries.visible(),
              v.data_ptr<float>() + kv, kv_width, 0,
              out.data_ptr<float>() + at + queries.begin * q_width, q_width);
      });
    });
    return out;
  }

  // dS = P·(dP - Σ dP·P) by rows, dP = dO·vᵀ.
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2], g = gradients[0].contiguous();
    const int64_t B = context->saved_data.at("sequences").toInt(),
                  d = context->saved_data.at("d").toInt();
    const Shape shape{B, q.size(0) / B, q.size(1) / d, k.size(1) / d, d};
    at::Tensor dq = at::empty(q.sizes(), at::kFloat), dk = at::empty(k.sizes(), at::kFloat),
               dv = at::empty(v.sizes(), at::kFloat);
    const int64_t q_width = shape.H * d, kv_width = shape.G * d, group = shape.H / shape.G;
    share_parts(B * shape.G, [&](int64_t part) {
      const int64_t b = part / shape.G, kv = b * shape.T * kv_width + part % shape.G * d;
      float beta = 0;  // the first sums of the last queries reach all keys
      for (int64_t head = part % shape.G * group; head < (part % shape.G + 1) * group; ++head)
        for (int64_t begin = (shape.T - 1) / queries_at_once * queries_at_once; begin >= 0;
             begin -= queries_at_once) {
          const Queries queries{begin, std::min(queries_at_once, shape.T - begin)};
          const int64_t first = b * shape.T * q_width + head * d, at = first + begin * q_width;
          const int64_t visible = queries.visible();
          const std::vector<float> p =
              probabilities(shape, queries, q.data_ptr<float>() + first, k.data_ptr<float>() + kv);
          std::vector<float> ds(p.size());
          const float* const dout = g.data_ptr<float>() + at;
          sgemm('N', 'T', queries.count, visible, d, 1, dout, q_width, v.data_ptr<float>() + kv,
                kv_width, 0, ds.data(), visible);
          sgemm('T', 'N', visible, d, queries.count, 1, p.data(), visible, dout, q_width, beta,
                dv.data_ptr<float>() + kv, kv_width);
          for (int64_t i = 0; i < queries.count; ++i) {
            const float* const ps = &p[size_t(i * visible)];
            float* const row = &ds[size_t(i * visible)];
            double sum = 0;
            for (int64_t j = 0; j < visible; ++j) sum += double(row[j]) * ps[j];
            for (int64_t j = 0; j < visible; ++j) row[j] = ps[j] * (row[j] - float(sum));
          }
          sgemm('N', 'N', queries.count, d, visible, shape.scale(), ds.data(), visible,
                k.data_ptr<float>() + kv, kv_width, 0, dq.data_ptr<float>() + at, q_width);
          sgemm('T', 'N', visible, d, queries.count, shape.scale(), ds.data(), visible,
                q.data_ptr<float>() + at, q_width, beta, dk.data_ptr<float>() + kv, kv_width);
          beta = 1;
        }
    });
    return {dq, dk, dv, {}, {}};
  }
};

constexpr int64_t loss_rows = 64;

// x (rows,D) of one sequence; next: the token behind each. Adds to `loss`; dx ← the gradient of the
// sum.
double add_loss(const float* x, const at::Tensor& head, const int64_t* next, int64_t rows,
                float* dx) {
  const int64_t V = head.size(0), D = head.size(1);
  std::vector<float> logits(size_t(rows * V));
  sgemm('N', 'T', rows, V, D, 1, x, D, head.data_ptr<float>(), D, 0, logits.data(), V);
  double loss = 0;
  for (int64_t t = 0; t < rows; ++t) {
    float* const row = &logits[size_t(t * V)];
    const float most = *std::max_element(row, row + V), at_next = row[next[t]];
    double sum = 0;
    for (int64_t i = 0; i < V; ++i) sum += row[i] = std::exp(row[i] - most);
    loss += std::log(sum) + most - at_next;
    const auto factor = float(1 / sum);
    for (int64_t i = 0; i < V; ++i) row[i] *= factor;
    row[next[t]] -= 1;
  }
  sgemm('N', 'N', rows, D, V, 1, logits.data(), V, head.data_ptr<float>(), D, 0, dx, D);
  return loss;
}

// The gradient is computed at once, so that the logits of few rows are in memory at a time.
struct NextTokenLoss : torch::autograd::Function<NextTokenLoss> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& head,
                            const at::Tensor& ids, int64_t sequences) {
    const int64_t T = x.size(0) / sequences, D = x.size(1);
    const int64_t parts = (T - 1 + loss_rows - 1) / loss_rows;
    at::Tensor dx = at::empty(x.sizes(), at::kFloat);
    std::vector<double> losses(size_t(sequences * parts));
    share_parts(sequences * parts, [&](int64_t part) {
      const int64_t b = part / parts, t = part % parts * loss_rows, row = b * T + t;
      const int64_t rows = std::min(loss_rows, T - 1 - t);
      losses[size_t(part)] =
          add_loss(x.data_ptr<float>() + row * D, head, ids.data_ptr<int64_t>() + row + 1, rows,
                   dx.data_ptr<float>() + row * D);
    });
    for (int64_t b = 0; b < sequences; ++b) dx[(b + 1) * T - 1].zero_();
    double sum = 0;
    for (const double loss : losses) sum += loss;
    const auto count = double(sequences * (T - 1));
    context->save_for_backward({dx.div_(count)});
    at::Tensor mean = at::empty({}, at::kFloat);
    *mean.data_ptr<float>() = float(sum / count);
    return mean;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    return {context->get_saved_variables()[0].mul(gradients[0]), {}, {}, {}};
  }
};

}  // namespace

at::Tensor causal_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            int64_t sequences, int64_t head_dim) {
  return CausalAttention::apply(q, k, v, sequences, head_dim);
}

at::Tensor next_token_loss(const at::Tensor& x, const at::Tensor& head, const at::Tensor& ids,
                           int64_t sequences) {
  return NextTokenLoss::apply(x, head, ids, sequences);
}

}  // namespace mxref
