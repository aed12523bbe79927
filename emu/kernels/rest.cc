// The vector kernels behind emu/rest.h: rows, tiles and heads side by side in threads.

#include "emu/rest.h"

#include <algorithm>
#include <bit>

#include "emu/binary32.h"
#include "emu/elementary.h"
#include "emu/kernels/kernels.h"
#include "emu/kernels/packing.h"
#include "emu/kernels/parts.h"
#include "emu/threads.h"

namespace mxref::rest {
namespace {

using kernels::Buffer;
using kernels::InstructionSet;
using kernels::panel_columns;

const InstructionSet& current() { return kernels::instruction_set(current_isa()); }

// f(begin, end) for ranges of 0 … count-1; `work`: of one of them, in values.
template <typename F>
void for_each_share(int64_t count, int64_t work, const F& f) {
  constexpr int64_t values_of_a_part = 1 << 13, worth_threads = 1 << 15;
  for_each_range(count, std::max<int64_t>(1, values_of_a_part / std::max<int64_t>(1, work)), f,
                 count * work >= worth_threads);
}

// Parts of element by element work, whole vectors.
template <typename F>
void for_each_values(int64_t count, const F& f) {
  for_each_share(count, 1, [&](int64_t begin, int64_t end) { f(begin, end - begin); });
}

// ---- products

// Rows of A at a time, and of K: 256 × 128 values are 128 KiB of L2, a panel's 128 × 32 are 16 KiB
// of L1. The panels of a part share a packed chunk of A.
constexpr int64_t rows_at_once = 256, chunk_length = 128, panels_at_most = 8;

// From a packed row to the next: a power of two would put all rows into a few sets of the caches.
constexpr int64_t spread(int64_t length) { return (length + 15) / 16 * 16 + 16; }

// rows × count values, `stride` apart → rows `spread(count)` apart.
kernels::ChainRows pack_rows(const float* from, int64_t stride, int64_t rows, int64_t count,
                             Buffer& buffer) {
  const int64_t packed = spread(count);
  float* to = buffer.of<float>(rows * packed);
  for (int64_t r = 0; r < rows; ++r) std::copy_n(from + r * stride, count, to + r * packed);
  return {to, packed};
}

// acc (rows, panel_columns) → rows `stride` apart, of which `columns` exist.
void store_panel(const float* acc, int64_t rows, int64_t columns, float* to, int64_t stride) {
  constexpr auto nan = std::bit_cast<float>(binary32::canonical_nan);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t n = 0; n < columns; ++n) {
      const float x = acc[r * panel_columns + n];
      to[r * stride + n] = x == x ? x : nan;
    }
}

int64_t columns_of(const PackedMatrix& b, int64_t panel) {
  return std::min<int64_t>(panel_columns, b.rows() - panel * panel_columns);
}

// Rows of A (a, `stride` apart) times the panels first … first+panels-1 → d, as in product().
void multiply_tile(const InstructionSet& kernel, const float* a, int64_t rows,
                   const PackedMatrix& b, int64_t first, int64_t panels, float* d) {
  thread_local Buffer packed, sums;
  const int64_t K = b.cols(), N = b.rows(), size = rows * panel_columns;
  float* acc = sums.of<float>(panels * size);
  std::fill_n(acc, panels * size, 0.0f);
  for (int64_t k = 0; k < K; k += chunk_length) {
    const int64_t count = std::min(chunk_length, K - k);
    const kernels::ChainRows chunk = pack_rows(a + k, K, rows, count, packed);
    for (int64_t i = 0; i < panels; ++i)
      kernel.dense_panel(chunk, int(rows), b.panel(first + i) + k * panel_columns, count,
                         acc + i * size);
  }
  for (int64_t i = 0; i < panels; ++i)
    store_panel(acc + i * size, rows, columns_of(b, first + i), d + (first + i) * panel_columns, N);
}

// ---- attention

constexpr int64_t queries_at_once = 64;
// Rows of softmax that are multiplied together; the keys that not all of them see are few.
constexpr int64_t rows_of_values = 16;

struct Head {
  const AttentionShape& shape;
  const InstructionSet& kernel;
  const PackedMatrix &keys, &values;
  float factor;
};

// p (rows,…) times the values, row r over its first visible + r keys → out, rows `width` apart.
void weigh_values(const Head& head, const kernels::ChainRows& p, int64_t rows, int64_t visible,
                  float* out, int64_t width) {
  float acc[rows_of_values * panel_columns];
  for (int64_t i = 0; i < head.values.panels(); ++i) {
    const float* panel = head.values.panel(i);
    std::fill_n(acc, rows * panel_columns, 0.0f);
    head.kernel.dense_panel(p, int(rows), panel, visible, acc);
    for (int64_t r = 1; r < rows; ++r)
      head.kernel.dense_panel({p.values + r * p.stride + visible, p.stride}, 1,
                              panel + visible * panel_columns, r, acc + r * panel_columns);
    store_panel(acc, rows, columns_of(head.values, i), out + i * panel_columns, width);
  }
}

// The queries first … first+count-1 of a head; q and out where the head's first query has its
// values.
void attend(const Head& head, int64_t first, int64_t count, const float* q, float* out) {
  thread_local Buffer packed, sums, rows;
  const int64_t d = head.shape.head_dim, width = head.shape.heads * d;
  const int64_t before = head.shape.keys - head.shape.queries + first;  // keys before these queries
  const int64_t visible = before + count, stride = spread(visible);
  const kernels::ChainRows queries = pack_rows(q + first * width, width, count, d, packed);
  float* p = rows.of<float>(count * stride);
  float* acc = sums.of<float>(count * panel_columns);
  for (int64_t i = 0; i * panel_columns < visible; ++i) {
    std::fill_n(acc, count * panel_columns, 0.0f);
    head.kernel.dense_panel(queries, int(count), head.keys.panel(i), d, acc);
    store_panel(acc, count, std::min<int64_t>(panel_columns, visible - i * panel_columns),
                p + i * panel_columns, stride);
  }
  for (int64_t r = 0; r < count; ++r)
    head.kernel.softmax(p + r * stride, before + r + 1, head.factor, p + r * stride);
  for (int64_t r = 0; r < count; r += rows_of_values)
    weigh_values(head, {p + r * stride, stride}, std::min(rows_of_values, count - r),
                 before + r + 1, out + (first + r) * width, width);
}

}  // namespace

PackedMatrix::PackedMatrix(int64_t N, int64_t K) : N_(N), K_(K) {
  constexpr size_t line = 64;
  values_.resize(size_t(panels() * K * panel_columns) + line / sizeof(float));
  const auto address = reinterpret_cast<uintptr_t>(values_.data());
  begin_ = int64_t((line - address % line) % line / sizeof(float));
}

int64_t PackedMatrix::panels() const { return (N_ + panel_columns - 1) / panel_columns; }

const float* PackedMatrix::panel(int64_t index) const {
  return values_.data() + begin_ + index * K_ * panel_columns;
}
float* PackedMatrix::panel(int64_t index) {
  return values_.data() + begin_ + index * K_ * panel_columns;
}

PackedMatrix PackedMatrix::of_rows(const float* b, int64_t N, int64_t K, int64_t stride) {
  PackedMatrix packed(N, K);
  for_each_share(packed.panels(), K * panel_columns, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      float* to = packed.panel(i);
      const float* from = b + i * panel_columns * stride;
      const int64_t columns = columns_of(packed, i);
      for (int64_t k = 0; k < K; ++k)
        for (int64_t n = 0; n < columns; ++n) to[k * panel_columns + n] = from[n * stride + k];
    }
  });
  return packed;
}

PackedMatrix PackedMatrix::of_columns(const float* b, int64_t N, int64_t K, int64_t stride) {
  PackedMatrix packed(N, K);
  for (int64_t i = 0; i < packed.panels(); ++i) {
    float* to = packed.panel(i);
    for (int64_t k = 0; k < K; ++k)
      std::copy_n(b + k * stride + i * panel_columns, columns_of(packed, i),
                  to + k * panel_columns);
  }
  return packed;
}

void product(const float* a, int64_t M, const PackedMatrix& b, float* d) {
  constexpr int64_t worth_threads = 1 << 16;
  const InstructionSet& kernel = current();
  const int64_t K = b.cols(), N = b.rows();
  const int64_t blocks = (M + rows_at_once - 1) / rows_at_once;
  const int64_t group =
      std::clamp<int64_t>(blocks * b.panels() / (8 * threads()), 1, panels_at_most);
  const int64_t groups = (b.panels() + group - 1) / group;
  for_each_part(
      blocks * groups,
      [&](int64_t part) {
        const int64_t row = part / groups * rows_at_once, first = part % groups * group;
        multiply_tile(kernel, a + row * K, std::min(rows_at_once, M - row), b, first,
                      std::min(group, b.panels() - first), d + row * N);
      },
      M * N * K >= worth_threads);
}

void attention(const AttentionShape& shape, const float* q, const float* k, const float* v,
               float* out) {
  const InstructionSet& kernel = current();
  const int64_t d = shape.head_dim, of_kv = shape.keys * d;
  std::vector<PackedMatrix> keys, values;
  for (int64_t g = 0; g < shape.kv_heads; ++g) {
    keys.push_back(PackedMatrix::of_rows(k + g * of_kv, shape.keys, d, d));
    values.push_back(PackedMatrix::of_columns(v + g * of_kv, d, shape.keys, d));
  }
  const float factor = rsqrt_ref(float(d));
  const int64_t parts = (shape.queries + queries_at_once - 1) / queries_at_once;
  for_each_part(shape.heads * parts, [&](int64_t part) {
    const int64_t head = part % shape.heads, first = part / shape.heads * queries_at_once;
    const auto kv = size_t(head / (shape.heads / shape.kv_heads));
    attend({shape, kernel, keys[kv], values[kv], factor}, first,
           std::min(queries_at_once, shape.queries - first), q + head * d, out + head * d);
  });
}

// ---- rows

void add(const float* x, const float* y, int64_t count, float* sum) {
  for_each_values(count, [&, kernel = &current()](int64_t at, int64_t size) {
    kernel->add(x + at, y + at, size, sum + at);
  });
}

void add_bias(const float* bias, int64_t rows, int64_t D, float* x) {
  for_each_share(rows, D, [&, kernel = &current()](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) kernel->add(x + row * D, bias, D, x + row * D);
  });
}

void rms_norm(const float* x, const float* w, int64_t rows, int64_t D, float eps, float* y) {
  for_each_share(rows, D, [&, kernel = &current()](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      kernel->rms_norm(x + row * D, w, D, eps, y + row * D);
  });
}

void layer_norm(const float* x, const float* w, const float* bias, int64_t rows, int64_t D,
                float eps, float* y) {
  for_each_share(rows, D, [&, kernel = &current()](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      kernel->layer_norm(x + row * D, w, bias, D, eps, y + row * D);
  });
}

void gated_silu(const float* gate, const float* up, int64_t count, float* y) {
  for_each_values(count, [&, kernel = &current()](int64_t at, int64_t size) {
    kernel->gated_silu(gate + at, up + at, size, y + at);
  });
}

void exp(const float* x, int64_t count, float* y) {
  for_each_values(count, [&, f = current().exp](int64_t at, int64_t n) { f(x + at, n, y + at); });
}
void silu(const float* x, int64_t count, float* y) {
  for_each_values(count, [&, f = current().silu](int64_t at, int64_t n) { f(x + at, n, y + at); });
}
void gelu(const float* x, int64_t count, float* y) {
  for_each_values(count, [&, f = current().gelu](int64_t at, int64_t n) { f(x + at, n, y + at); });
}

void softmax(const float* x, int64_t rows, int64_t n, float factor, float* p) {
  for_each_share(rows, n, [&, kernel = &current()](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      kernel->softmax(x + row * n, n, factor, p + row * n);
  });
}

void rotary_angles(const std::vector<float>& frequencies, int64_t first, int64_t count, float* cos,
                   float* sin) {
  const auto half = int64_t(frequencies.size());
  constexpr int64_t cost = 32;  // of an angle, in values
  for_each_share(count, half * cost, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t)
      for (int64_t i = 0; i < half; ++i) {
        const float angle = rotary_angle_ref(first + t, frequencies[size_t(i)]);
        cos[t * half + i] = cos_ref(angle);
        sin[t * half + i] = sin_ref(angle);
      }
  });
}

void rotate(const RotationShape& shape, const float* cos, const float* sin, float* x) {
  const int64_t d = shape.head_dim, width = shape.heads * d, half = d / 2;
  for_each_share(shape.sequences * shape.T, width,
                 [&, kernel = &current()](int64_t begin, int64_t end) {
                   for (int64_t row = begin; row < end; ++row)
                     for (int64_t head = 0; head < shape.heads; ++head)
                       kernel->rotate(cos + row % shape.T * half, sin + row % shape.T * half, half,
                                      x + row * width + head * d);
                 });
}

}  // namespace mxref::rest
