#include "emu/rest.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "emu/binary32.h"
#include "emu/elementary.h"
#include "emu/kernels/float_environment.h"

namespace mxref::rest {
namespace {

// The host's own operations are IEEE's, each rounded by itself, while FloatEnvironment lives.
using kernels::FloatEnvironment;

float canonical(float x) {
  return std::isnan(x) ? std::bit_cast<float>(binary32::canonical_nan) : x;
}

float fused_multiply_add(float a, float b, float c) {
  return std::bit_cast<float>(binary32::fma_rne(
      std::bit_cast<uint32_t>(a), std::bit_cast<uint32_t>(b), std::bit_cast<uint32_t>(c)));
}

// Σ x_0 … x_(n-1) in 16 lanes; step(lane, i) adds the i-th.
template <typename Step>
float ordered_sum(int64_t n, const Step& step) {
  float lanes[16] = {};
  for (int64_t i = 0; i < n; ++i) lanes[i % 16] = step(lanes[i % 16], i);
  for (const int distance : {8, 4, 2, 1})
    for (int l = 0; l < distance; ++l) lanes[l] = lanes[l] + lanes[l + distance];
  return lanes[0];
}

float reciprocal_root_of_mean_square(const float* x, int64_t n, float eps) {
  const float q =
      ordered_sum(n, [&](float lane, int64_t i) { return fused_multiply_add(x[i], x[i], lane); });
  const float mean = q / float(n);
  return rsqrt_ref(mean + eps);
}

// scores (n) → p (n).
void softmax_of_row(const float* x, int64_t n, float factor, float* p) {
  bool has_nan = false;
  for (int64_t j = 0; j < n; ++j) {
    p[j] = x[j] * factor;
    has_nan |= std::isnan(p[j]);
  }
  if (has_nan) {
    std::fill(p, p + n, canonical(NAN));
    return;
  }
  const float largest = *std::max_element(p, p + n);
  for (int64_t j = 0; j < n; ++j) p[j] = exp_ref(p[j] - largest);
  const float z = ordered_sum(n, [&](float lane, int64_t j) { return lane + p[j]; });
  for (int64_t j = 0; j < n; ++j) p[j] = canonical(p[j] / z);
}

// f(begin) for each of `rows` rows of D values.
template <typename F>
void for_each_row(int64_t rows, int64_t D, const F& f) {
  for (int64_t row = 0; row < rows; ++row) f(row * D);
}

}  // namespace

void product_ref(const float* a, const float* b, int64_t M, int64_t N, int64_t K, float* d) {
  for (int64_t m = 0; m < M; ++m)
    for (int64_t n = 0; n < N; ++n) {
      float acc = 0;
      for (int64_t k = 0; k < K; ++k) acc = fused_multiply_add(a[m * K + k], b[n * K + k], acc);
      d[m * N + n] = canonical(acc);
    }
}

void add_ref(const float* x, const float* y, int64_t count, float* sum) {
  const FloatEnvironment ieee;
  for (int64_t i = 0; i < count; ++i) sum[i] = canonical(x[i] + y[i]);
}

void add_bias_ref(const float* bias, int64_t rows, int64_t D, float* x) {
  for_each_row(rows, D, [&](int64_t row) { add_ref(x + row, bias, D, x + row); });
}

void rms_norm_ref(const float* x, const float* w, int64_t rows, int64_t D, float eps, float* y) {
  const FloatEnvironment ieee;
  for_each_row(rows, D, [&](int64_t row) {
    const float r = reciprocal_root_of_mean_square(x + row, D, eps);
    for (int64_t i = 0; i < D; ++i) {
      const float scaled = x[row + i] * r;
      y[row + i] = canonical(scaled * w[i]);
    }
  });
}

void layer_norm_ref(const float* x, const float* w, const float* bias, int64_t rows, int64_t D,
                    float eps, float* y) {
  const FloatEnvironment ieee;
  for_each_row(rows, D, [&](int64_t row) {
    const float sum = ordered_sum(D, [&](float lane, int64_t i) { return lane + x[row + i]; });
    const float mean = sum / float(D);
    float* d = y + row;
    for (int64_t i = 0; i < D; ++i) d[i] = x[row + i] - mean;
    const float r = reciprocal_root_of_mean_square(d, D, eps);
    for (int64_t i = 0; i < D; ++i) {
      const float scaled = d[i] * r;
      const float weighted = scaled * w[i];
      d[i] = canonical(bias ? weighted + bias[i] : weighted);
    }
  });
}

void gated_silu_ref(const float* gate, const float* up, int64_t count, float* y) {
  const FloatEnvironment ieee;
  for (int64_t i = 0; i < count; ++i) y[i] = canonical(silu_ref(gate[i]) * up[i]);
}

std::vector<float> rotary_frequencies(float base, int64_t d, const WaveScaling& scaling) {
  const FloatEnvironment ieee;
  const float longest = scaling.original_positions / scaling.low;
  const float shortest = scaling.original_positions / scaling.high;
  std::vector<float> frequencies;
  for (int64_t i = 0; i < d / 2; ++i) {
    const float exponent = float(2 * i) / float(d);
    const float f = 1 / power_ref(base, exponent);
    if (scaling.kind == WaveScaling::Kind::none) {
      frequencies.push_back(f);
      continue;
    }
    const float slow = f / scaling.factor;
    const float wavelength = float(2 * std::numbers::pi) / f;
    if (scaling.kind == WaveScaling::Kind::linear || wavelength > longest) {
      frequencies.push_back(slow);
    } else if (wavelength < shortest) {
      frequencies.push_back(f);
    } else {
      const float above = scaling.original_positions / wavelength - scaling.low;
      const float s = above / (scaling.high - scaling.low);
      const float part = (1 - s) * f / scaling.factor, rest = s * f;
      frequencies.push_back(part + rest);
    }
  }
  return frequencies;
}

float rotary_angle_ref(int64_t position, float frequency) {
  const FloatEnvironment ieee;
  return canonical(float(position) * frequency);
}

void rotate_ref(const RotationShape& shape, const float* cos, const float* sin, float* x) {
  const FloatEnvironment ieee;
  const int64_t half = shape.head_dim / 2;
  for (int64_t row = 0; row < shape.sequences * shape.T; ++row)
    for (int64_t head = 0; head < shape.heads; ++head)
      for (int64_t i = 0; i < half; ++i) {
        const float c = cos[row % shape.T * half + i], s = sin[row % shape.T * half + i];
        float* pair = x + (row * shape.heads + head) * shape.head_dim + i;
        const float x1 = pair[0], x2 = pair[half];
        pair[0] = canonical(x1 * c - x2 * s);
        pair[half] = canonical(x2 * c + x1 * s);
      }
}

void softmax_ref(const float* x, int64_t rows, int64_t n, float factor, float* p) {
  const FloatEnvironment ieee;
  for_each_row(rows, n, [&](int64_t row) { softmax_of_row(x + row, n, factor, p + row); });
}

void attention_ref(const AttentionShape& shape, const float* q, const float* k, const float* v,
                   float* out) {
  const FloatEnvironment ieee;
  const int64_t d = shape.head_dim, width = shape.heads * d;
  const auto factor = rsqrt_ref(float(d));
  std::vector<float> p(size_t(shape.keys));
  for (int64_t i = 0; i < shape.queries; ++i)
    for (int64_t head = 0; head < shape.heads; ++head) {
      const int64_t visible = shape.keys - shape.queries + i + 1;
      const int64_t kv = head / (shape.heads / shape.kv_heads) * shape.keys * d;
      const int64_t at = i * width + head * d;
      product_ref(q + at, k + kv, 1, visible, d, p.data());
      softmax_of_row(p.data(), visible, factor, p.data());
      for (int64_t column = 0; column < d; ++column) {
        float acc = 0;
        for (int64_t j = 0; j < visible; ++j)
          acc = fused_multiply_add(p[size_t(j)], v[kv + j * d + column], acc);
        out[at + column] = canonical(acc);
      }
    }
}

}  // namespace mxref::rest
