#pragma once
// A language model as the methods change it: all weights in binary32, in memory, layer by layer.

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "golden/checkpoint/memory_checkpoint.h"
#include "golden/models/decoder_description.h"

namespace mxref {

// The linear layers of one layer of a decoder, in the order of computation.
enum class Linear : uint8_t { q, k, v, o, gate, up, down };
inline constexpr std::array all_linears{Linear::q,    Linear::k,  Linear::v,   Linear::o,
                                        Linear::gate, Linear::up, Linear::down};
const char* name_of(Linear linear);  // "self_attn.q_proj"

// What several of them take as their input.
enum class Place : uint8_t { qkv, o, gate_up, down };
inline constexpr std::array all_places{Place::qkv, Place::o, Place::gate_up, Place::down};
// The module whose output it is: "input_layernorm" (golden/models/online_transform.h).
const char* module_before(Place place);
std::vector<Linear> linears_at(Place place);
Place place_of(Linear linear);

struct LinearWeights {
  at::Tensor weight;  // (N,K)
  at::Tensor bias;    // (N) or undefined
  // (N) or undefined: part of the choice of codes, which sees each block of row n bounded at
  // clip[n] times its largest magnitude. The weights themselves stay.
  at::Tensor clip = {};
};

struct LayerWeights {
  std::string prefix;                          // "model.layers.3."
  at::Tensor input_norm, post_attention_norm;  // (D)
  std::array<LinearWeights, all_linears.size()> linears;

  LinearWeights& operator[](Linear linear) { return linears[size_t(linear)]; }
  const LinearWeights& operator[](Linear linear) const { return linears[size_t(linear)]; }
  std::string module(Linear linear) const { return prefix + name_of(linear); }
};

struct PtqModel {
  DecoderDescription description;
  nlohmann::json config;              // of the source
  std::filesystem::path path;         // of the source
  std::string sha256, config_sha256;  // of the source
  at::Tensor embedding;               // (V,D)
  at::Tensor final_norm;              // (D)
  at::Tensor lm_head;                 // (V,D); undefined where it is the embedding
  std::vector<LayerWeights> layers;

  // What runs on line (golden/models/online_transform.h), and the tensors that it names.
  nlohmann::json transforms = nlohmann::json::array();
  std::map<std::string, at::Tensor> transform_tensors;

  void add_transform(const std::string& module, nlohmann::json description);
  // The embedding is the output matrix no longer.
  void untie();
  // Width of what comes in at a place.
  int64_t width(Place place) const;
};

// A copy of the checkpoint's weights. Throws InputError as load_model, and where the model is
// quantized already.
PtqModel read_model(const Checkpoint& source);

// The names of all linear layers: those of the layers, then lm_head, which recipes skip unless they
// say otherwise.
inline constexpr const char* head_module = "lm_head";
std::vector<std::string> linear_modules(int64_t layers);

// Of each linear layer's name with ".weight", its codes.
using ModelCodes = std::map<std::string, MxTensor>;

// The model with these codes in place of weights; `own` is what it says of itself under "mxref",
// besides its transforms. Tensors share no memory with `model`.
std::unique_ptr<MemoryCheckpoint> to_checkpoint(const PtqModel& model, const ModelCodes& codes,
                                                nlohmann::json own);

HostTensor to_host(const at::Tensor& x);
at::Tensor to_tensor(HostTensor x);

}  // namespace mxref
