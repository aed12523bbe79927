#pragma once
// What a family's configuration says about the one decoder that computes all of them: pre-norm
// RMSNorm, rotary attention with grouped keys, gated SiLU. Widths in elements.

#include <cstdint>
#include <string>
#include <vector>

namespace mxref {

// How positions become angles: position · f_i, f_i = theta^(-2i/head_dim) before scaling.
struct Rope {
  enum class Scaling { none, linear, llama3 };
  double theta = 10000;
  Scaling scaling = Scaling::none;
  double factor = 1;           // linear, llama3
  double low_freq_factor = 1;  // llama3, as are the rest
  double high_freq_factor = 4;
  double original_max_position = 8192;
};

struct DecoderDescription {
  int64_t layers, width, heads, kv_heads, head_dim, intermediate, vocabulary;
  int64_t window;  // tokens
  double norm_eps;
  Rope rope;
  bool qkv_bias = false, o_bias = false, mlp_bias = false;
  bool tied = false;  // lm_head is the embedding
};

struct TensorShape {
  std::string name;  // in the words of Hugging Face
  std::vector<int64_t> shape;
  int64_t elements() const;
};
// The tensors of layer `layer`, and those outside the layers.
std::vector<TensorShape> layer_tensors(const DecoderDescription& d, int64_t layer);
std::vector<TensorShape> outer_tensors(const DecoderDescription& d);

}  // namespace mxref
