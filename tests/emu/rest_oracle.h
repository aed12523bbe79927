#pragma once
// The table of ARITHMETIC.md §7 written down once more, each operation by MPFR.

#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "emu/rest.h"
#include "tests/emu/mpfr_oracle.h"

namespace mxref::oracle {

using Values = std::vector<float>;

inline float plus(float a, float b) { return ieee(Operation::add, a, b); }
inline float minus(float a, float b) { return ieee(Operation::subtract, a, b); }
inline float times(float a, float b) { return ieee(Operation::multiply, a, b); }
inline float over(float a, float b) { return ieee(Operation::divide, a, b); }

inline Values oracle_product(const Values& a, const Values& b, size_t M, size_t N, size_t K) {
  Values d;
  for (size_t m = 0; m < M; ++m)
    for (size_t n = 0; n < N; ++n) {
      float acc = 0;
      for (size_t k = 0; k < K; ++k) acc = ieee_fma(a[m * K + k], b[n * K + k], acc);
      d.push_back(acc);
    }
  return d;
}

// What passes for a fused multiply-add where none is at hand.
inline Values twice_rounded_product(const Values& a, const Values& b, size_t M, size_t N,
                                    size_t K) {
  Values d;
  for (size_t m = 0; m < M; ++m)
    for (size_t n = 0; n < N; ++n) {
      float acc = 0;
      for (size_t k = 0; k < K; ++k) acc = float(double(a[m * K + k]) * b[n * K + k] + acc);
      d.push_back(acc);
    }
  return d;
}

// Each lane by itself, then pairs of lanes by halves. (With one lane: the control.)
inline float oracle_ordered_sum(const Values& x, const std::function<float(float, float)>& step,
                                size_t lanes = 16) {
  std::vector<float> sums;
  for (size_t lane = 0; lane < lanes; ++lane) {
    float sum = 0;
    for (size_t i = lane; i < x.size(); i += lanes) sum = step(sum, x[i]);
    sums.push_back(sum);
  }
  while (sums.size() > 1) {
    const size_t half = sums.size() / 2;
    for (size_t l = 0; l < half; ++l) sums[l] = plus(sums[l], sums[l + half]);
    sums.resize(half);
  }
  return sums[0];
}

inline Values oracle_rms_norm(const Values& x, const Values& w, float eps) {
  const float q = oracle_ordered_sum(x, [](float sum, float v) { return ieee_fma(v, v, sum); });
  const float r = correctly_rounded("rsqrt", plus(over(q, float(x.size())), eps));
  Values y;
  for (size_t i = 0; i < x.size(); ++i) y.push_back(times(times(x[i], r), w[i]));
  return y;
}

inline Values oracle_layer_norm(const Values& x, const Values& w, const Values& bias, float eps) {
  const float mean = over(oracle_ordered_sum(x, plus), float(x.size()));
  Values d;
  for (const float v : x) d.push_back(minus(v, mean));
  Values y = oracle_rms_norm(d, w, eps);
  if (!bias.empty())
    for (size_t i = 0; i < y.size(); ++i) y[i] = plus(y[i], bias[i]);
  return y;
}

inline Values oracle_softmax(const Values& x, float factor, size_t lanes = 16) {
  Values scores, e, p;
  float largest = -INFINITY;
  bool has_nan = false;
  for (const float v : x) scores.push_back(times(v, factor));
  for (const float s : scores) {
    has_nan |= std::isnan(s);
    largest = s > largest ? s : largest;
  }
  for (const float s : scores)
    e.push_back(has_nan ? NAN : correctly_rounded("exp", minus(s, largest)));
  const float z = oracle_ordered_sum(e, plus, lanes);
  for (const float v : e) p.push_back(over(v, z));
  return p;
}

inline Values oracle_attention(const rest::AttentionShape& s, const Values& q, const Values& k,
                               const Values& v) {
  const auto d = size_t(s.head_dim), keys = size_t(s.keys);
  const float c = correctly_rounded("rsqrt", float(d));
  Values out;
  for (int64_t i = 0; i < s.queries; ++i)
    for (int64_t head = 0; head < s.heads; ++head) {
      const size_t kv = size_t(head / (s.heads / s.kv_heads)) * keys * d;
      const auto visible = size_t(s.keys - s.queries + i + 1);
      const auto query = q.begin() + (i * s.heads + head) * s.head_dim;
      const Values scores =
          oracle_product({query, query + s.head_dim}, {k.begin() + kv, k.end()}, 1, visible, d);
      const Values p = oracle_softmax(scores, c);
      for (size_t column = 0; column < d; ++column) {
        float acc = 0;
        for (size_t j = 0; j < visible; ++j) acc = ieee_fma(p[j], v[kv + j * d + column], acc);
        out.push_back(acc);
      }
    }
  return out;
}

}  // namespace mxref::oracle
