#pragma once
// Every operation of a model's rest on one matrix of values, by the definition and by the kernels.

#include <cstdint>
#include <string_view>
#include <vector>

#include "emu/elementary.h"
#include "emu/rest.h"

namespace mxref {

// x (rows, width), row-major: each operation takes all its operands from there.
struct RestOperand {
  static constexpr int64_t width = 144;
  std::vector<float> values;
  int64_t rows() const { return int64_t(values.size()) / width; }
  const float* data() const { return values.data(); }
  int64_t size() const { return int64_t(values.size()); }
};

struct RestOperation {
  std::string_view name;
  std::vector<float> (*run)(bool by_definition, const RestOperand& x);
};

namespace rest_operation {

using Values = std::vector<float>;
constexpr int64_t width = RestOperand::width;

inline Values product(bool by_definition, const RestOperand& x) {
  Values d(size_t(x.rows() * x.rows()));
  if (by_definition)
    rest::product_ref(x.data(), x.data(), x.rows(), x.rows(), width, d.data());
  else
    rest::product(x.data(), x.rows(), rest::PackedMatrix::of_rows(x.data(), x.rows(), width, width),
                  d.data());
  return d;
}
inline Values add(bool by_definition, const RestOperand& x) {
  Values y(x.values.rbegin(), x.values.rend());
  (by_definition ? rest::add_ref : rest::add)(x.data(), y.data(), x.size(), y.data());
  return y;
}
inline Values add_bias(bool by_definition, const RestOperand& x) {
  Values y(x.values.rbegin(), x.values.rend());
  (by_definition ? rest::add_bias_ref : rest::add_bias)(x.data(), x.rows(), width, y.data());
  return y;
}
inline Values rms_norm(bool by_definition, const RestOperand& x) {
  Values y(x.values.size());
  (by_definition ? rest::rms_norm_ref : rest::rms_norm)(x.data(), x.data(), x.rows(), width,
                                                        0x1p-17f, y.data());
  return y;
}
inline Values layer_norm(bool by_definition, const RestOperand& x) {
  Values y(x.values.size());
  (by_definition ? rest::layer_norm_ref : rest::layer_norm)(x.data(), x.data(), x.data() + width,
                                                            x.rows(), width, 0x1p-17f, y.data());
  return y;
}
inline Values gated_silu(bool by_definition, const RestOperand& x) {
  const Values up(x.values.rbegin(), x.values.rend());
  Values y(x.values.size());
  (by_definition ? rest::gated_silu_ref : rest::gated_silu)(x.data(), up.data(), x.size(),
                                                            y.data());
  return y;
}
template <float (*ref)(float), void (*kernel)(const float*, int64_t, float*)>
Values map(bool by_definition, const RestOperand& x) {
  Values y = x.values;
  if (by_definition)
    for (float& v : y) v = ref(v);
  else
    kernel(y.data(), x.size(), y.data());
  return y;
}
// The frequencies and angles have one implementation.
inline Values rotate(bool by_definition, const RestOperand& x) {
  const rest::RotationShape shape{.sequences = 1, .T = x.rows(), .heads = 2, .head_dim = width / 2};
  const Values f = rest::rotary_frequencies(10000, shape.head_dim, {});
  Values cos(size_t(shape.T) * f.size()), sin(cos.size()), y = x.values;
  rest::rotary_angles(f, 5000, shape.T, cos.data(), sin.data());
  (by_definition ? rest::rotate_ref : rest::rotate)(shape, cos.data(), sin.data(), y.data());
  for (const Values& more : {f, cos, sin}) y.insert(y.end(), more.begin(), more.end());
  return y;
}
inline Values softmax(bool by_definition, const RestOperand& x) {
  Values p(x.values.size());
  (by_definition ? rest::softmax_ref : rest::softmax)(x.data(), x.rows(), width, 0.25f, p.data());
  return p;
}
// Four heads of 36 over two of keys and values.
inline Values attention(bool by_definition, const RestOperand& x) {
  const int64_t T = x.rows();
  const Values reversed(x.values.rbegin(), x.values.rend());
  Values out(x.values.size());
  (by_definition ? rest::attention_ref : rest::attention)(
      {.queries = T, .keys = T, .heads = 4, .kv_heads = 2, .head_dim = width / 4}, x.data(),
      reversed.data(), reversed.data() + T * width / 2, out.data());
  return out;
}

}  // namespace rest_operation

inline constexpr RestOperation every_rest_operation[] = {
    {"product", rest_operation::product},
    {"add", rest_operation::add},
    {"add_bias", rest_operation::add_bias},
    {"rms_norm", rest_operation::rms_norm},
    {"layer_norm", rest_operation::layer_norm},
    {"exp", rest_operation::map<exp_ref, rest::exp>},
    {"silu", rest_operation::map<silu_ref, rest::silu>},
    {"gelu", rest_operation::map<gelu_ref, rest::gelu>},
    {"gated_silu", rest_operation::gated_silu},
    {"rotate", rest_operation::rotate},
    {"softmax", rest_operation::softmax},
    {"attention", rest_operation::attention},
};

}  // namespace mxref
