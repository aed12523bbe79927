// The rest of a model by libtorch and oneDNN, but for the rotation. Each function runs
// single-threaded operations on a fixed partition of the work, so that its bits do not depend on
// the number of threads.

#include <ATen/ops/arange.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/where.h>
#include <ATen/TensorOperators.h>
#include <dnnl.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "emu/kernels/parts.h"
#include "golden/models/rest.h"

namespace mxref {
namespace {

// Parts: rows of element-wise work, a tile of a product, queries of attention, positions of a
// table.
constexpr int64_t part_rows = 32, tile_rows = 128, tile_cols = 256, part_queries = 64,
                  part_positions = 256;
// Multiplications of a product that several threads share: some tens of microseconds.
constexpr int64_t shared_product = int64_t(1) << 18;

// c (m,n) = alpha · a (m,k) · b, b (k,n) or with 'T' (n,k). Rows are lda, ldb, ldc elements apart.
void sgemm(char trans_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda,
           const float* b, int64_t ldb, float* c, int64_t ldc) {
  if (dnnl_sgemm('N', trans_b, m, n, k, alpha, a, lda, b, ldb, 0.0f, c, ldc) != dnnl_success)
    throw std::runtime_error("oneDNN refused a matrix product");
}

// rows begin … end-1, sharing memory with x.
at::Tensor rows(const at::Tensor& x, int64_t begin, int64_t end) {
  return x.narrow(0, begin, end - begin);
}

struct LibraryWeight : RestWeight {
  explicit LibraryWeight(at::Tensor w) : values(std::move(w)) {}
  at::Tensor values;  // (N,K)
};

class LibraryRest : public Rest {
 public:
  std::unique_ptr<RestWeight> prepare(const at::Tensor& w) const override {
    return std::make_unique<LibraryWeight>(w);
  }
  at::Tensor product(const at::Tensor& x, const RestWeight& weight) const override;
  void add_bias(at::Tensor& y, const at::Tensor& bias) const override;
  void add(at::Tensor& x, const at::Tensor& y) const override;
  at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& w, double eps) const override;
  at::Tensor gated_silu(const at::Tensor& gate, const at::Tensor& up) const override;
  at::Tensor frequencies(const Rope& rope, int64_t head_dim) const override;
  void angles(const at::Tensor& frequencies, int64_t first, at::Tensor& cos,
              at::Tensor& sin) const override;
  at::Tensor softmax(const at::Tensor& scores, int64_t head_dim) const override;
  void attention(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                 at::Tensor& out) const override;
};

at::Tensor LibraryRest::product(const at::Tensor& x, const RestWeight& weight) const {
  const at::Tensor& w = dynamic_cast<const LibraryWeight&>(weight).values;
  const int64_t M = x.size(0), N = w.size(0), K = w.size(1);
  at::Tensor y = at::empty({M, N}, at::kFloat);
  const float *xs = x.data_ptr<float>(), *ws = w.data_ptr<float>();
  auto* ys = y.data_ptr<float>();
  const int64_t row_tiles = (M + tile_rows - 1) / tile_rows;
  const int64_t col_tiles = (N + tile_cols - 1) / tile_cols;
  for_each_part(
      row_tiles * col_tiles,
      [&](int64_t part) {
        const int64_t m = part % row_tiles * tile_rows, n = part / row_tiles * tile_cols;
        sgemm('T', std::min(tile_rows, M - m), std::min(tile_cols, N - n), K, 1.0f, xs + m * K, K,
              ws + n * K, K, ys + m * N + n, N);
      },
      M * N * K >= shared_product);
  return y;
}

void LibraryRest::add_bias(at::Tensor& y, const at::Tensor& bias) const {
  for_each_range(y.size(0), part_rows,
                 [&](int64_t begin, int64_t end) { rows(y, begin, end).add_(bias); });
}

void LibraryRest::add(at::Tensor& x, const at::Tensor& y) const {
  for_each_range(x.size(0), part_rows, [&](int64_t begin, int64_t end) {
    rows(x, begin, end).add_(rows(y, begin, end));
  });
}

at::Tensor LibraryRest::rms_norm(const at::Tensor& x, const at::Tensor& w, double eps) const {
  at::Tensor y = at::empty_like(x);
  for_each_range(x.size(0), part_rows, [&](int64_t begin, int64_t end) {
    const at::Tensor part = rows(x, begin, end);
    const at::Tensor r = part.square().mean(-1, /*keepdim=*/true).add_(eps).rsqrt_();
    at::Tensor out = rows(y, begin, end);
    at::mul_out(out, part, r).mul_(w);
  });
  return y;
}

at::Tensor LibraryRest::gated_silu(const at::Tensor& gate, const at::Tensor& up) const {
  at::Tensor y = at::empty_like(gate);
  for_each_range(y.size(0), part_rows, [&](int64_t begin, int64_t end) {
    at::Tensor out = rows(y, begin, end);
    at::silu_out(out, rows(gate, begin, end)).mul_(rows(up, begin, end));
  });
  return y;
}

at::Tensor LibraryRest::frequencies(const Rope& rope, int64_t head_dim) const {
  const at::Tensor exponents = at::arange(0, head_dim, 2, at::kFloat).div_(double(head_dim));
  at::Tensor f = at::pow(rope.theta, exponents).reciprocal_();
  if (rope.scaling == Rope::Scaling::linear) f.div_(rope.factor);
  if (rope.scaling != Rope::Scaling::llama3) return f;
  // Long waves are slowed down by the factor, short ones stay, those between are blended.
  const at::Tensor wavelength = at::reciprocal(f).mul_(2 * M_PI);
  const at::Tensor slow = f / rope.factor;
  const at::Tensor smooth = ((rope.original_max_position / wavelength) - rope.low_freq_factor)
                                .div_(rope.high_freq_factor - rope.low_freq_factor);
  const at::Tensor blend = (1 - smooth) * slow + smooth * f;
  const double longest = rope.original_max_position / rope.low_freq_factor;
  const double shortest = rope.original_max_position / rope.high_freq_factor;
  return at::where(wavelength > longest, slow, at::where(wavelength < shortest, f, blend));
}

void LibraryRest::angles(const at::Tensor& frequencies, int64_t first, at::Tensor& cos,
                         at::Tensor& sin) const {
  for_each_range(cos.size(0), part_positions, [&](int64_t begin, int64_t end) {
    const at::Tensor angles =
        at::arange(first + begin, first + end, at::kFloat).unsqueeze(1) * frequencies;
    at::Tensor cos_part = rows(cos, begin, end), sin_part = rows(sin, begin, end);
    at::cos_out(cos_part, angles);
    at::sin_out(sin_part, angles);
  });
}

at::Tensor LibraryRest::softmax(const at::Tensor& scores, int64_t head_dim) const {
  const double scale = 1 / std::sqrt(double(head_dim));
  at::Tensor p = at::empty_like(scores);
  for_each_range(
      scores.size(0), part_rows,
      [&](int64_t begin, int64_t end) {
        rows(p, begin, end).copy_(at::softmax(at::mul(rows(scores, begin, end), scale), -1));
      },
      scores.numel() >= shared_product);
  return p;
}

void LibraryRest::attention(const at::Tensor& queries, const at::Tensor& keys,
                            const at::Tensor& values, at::Tensor& out) const {
  const int64_t T = queries.size(0), width = queries.size(1);
  const int64_t G = keys.size(0), L = keys.size(1), d = keys.size(2);
  const int64_t heads = width / d, first = L - T;
  const auto scale = float(1 / std::sqrt(double(d)));
  const float *qs = queries.data_ptr<float>(), *ks = keys.data_ptr<float>(),
              *vs = values.data_ptr<float>();
  auto* outs = out.data_ptr<float>();
  for_each_part(heads * ((T + part_queries - 1) / part_queries), [&](int64_t part) {
    const int64_t head = part % heads, begin = part / heads * part_queries;
    const int64_t count = std::min(part_queries, T - begin);
    const int64_t visible = first + begin + count;  // keys that the last of these queries sees
    const int64_t kv = head / (heads / G) * L * d, q = begin * width + head * d;
    at::Tensor scores = at::empty({count, visible}, at::kFloat);
    auto* s = scores.data_ptr<float>();
    sgemm('T', count, visible, d, scale, qs + q, width, ks + kv, d, s, visible);
    for (int64_t i = 0; i < count; ++i)
      std::fill(s + i * visible + first + begin + i + 1, s + (i + 1) * visible,
                -std::numeric_limits<float>::infinity());
    const at::Tensor p = at::softmax(scores, -1);
    sgemm('N', count, d, visible, 1.0f, p.data_ptr<float>(), visible, vs + kv, d, outs + q, width);
  });
}

}  // namespace

const Rest& library_rest() {
  static const LibraryRest rest;
  return rest;
}

}  // namespace mxref
