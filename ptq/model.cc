#include "ptq/model.h"

#include <ATen/ops/from_blob.h>

#include <cstring>

#include "emu/error.h"
#include "emu/files/sha256.h"
#include "golden/models/decoder.h"
#include "golden/models/families.h"

namespace mxref {
namespace {

constexpr struct {
  const char* name;
  Place place;
} linear_rows[] = {
    {"self_attn.q_proj", Place::qkv},  {"self_attn.k_proj", Place::qkv},
    {"self_attn.v_proj", Place::qkv},  {"self_attn.o_proj", Place::o},
    {"mlp.gate_proj", Place::gate_up}, {"mlp.up_proj", Place::gate_up},
    {"mlp.down_proj", Place::down},
};
static_assert(std::size(linear_rows) == all_linears.size());

constexpr const char* modules_before[] = {"input_layernorm", "self_attn.attention",
                                          "post_attention_layernorm", "mlp.act_fn"};

std::string prefix_of(int64_t layer) { return "model.layers." + std::to_string(layer) + "."; }

at::Tensor read(const Checkpoint& source, const std::string& name) {
  return to_tensor(source.tensor(name));
}

LinearWeights read_linear(const Checkpoint& source, const std::string& module) {
  LinearWeights linear{read(source, module + ".weight"), {}};
  if (source.has(module + ".bias")) linear.bias = read(source, module + ".bias");
  return linear;
}

void refuse_quantized(const Checkpoint& source) {
  if (source.config().contains("mxref"))
    throw InputError(
        source.path().string() +
        ": is quantized already ('mxref' in config.json); expected the original model");
  for (const std::string& name : source.names())
    if (source.quantized(name))
      throw InputError(source.path().string() + ": tensor '" + name +
                       "' is quantized; expected the original model");
}

}  // namespace

const char* name_of(Linear linear) { return linear_rows[size_t(linear)].name; }
Place place_of(Linear linear) { return linear_rows[size_t(linear)].place; }
const char* module_before(Place place) { return modules_before[size_t(place)]; }

std::vector<Linear> linears_at(Place place) {
  std::vector<Linear> found;
  for (const Linear linear : all_linears)
    if (place_of(linear) == place) found.push_back(linear);
  return found;
}

at::Tensor to_tensor(HostTensor x) {
  auto* host = new HostTensor(std::move(x));
  return at::from_blob(
      host->values.data(), host->shape, [host](void*) { delete host; },
      at::TensorOptions(at::kFloat));
}

HostTensor to_host(const at::Tensor& x) {
  const at::Tensor flat = x.detach().to(at::kFloat).contiguous();
  HostTensor host{x.sizes().vec(), std::vector<float>(size_t(x.numel()))};
  std::memcpy(host.values.data(), flat.data_ptr<float>(), host.values.size() * sizeof(float));
  return host;
}

void PtqModel::add_transform(const std::string& module, nlohmann::json transform) {
  transform["after"] = module;
  transforms.push_back(std::move(transform));
}

void PtqModel::untie() {
  if (!lm_head.defined()) lm_head = embedding.clone();
  config["tie_word_embeddings"] = false;
  description.tied = false;
}

int64_t PtqModel::width(Place place) const {
  switch (place) {
    case Place::o:
      return description.heads * description.head_dim;
    case Place::down:
      return description.intermediate;
    default:
      return description.width;
  }
}

PtqModel read_model(const Checkpoint& source) {
  refuse_quantized(source);
  PtqModel model;
  model.description = describe(source);
  check_tensors(model.description, source);
  model.config = source.config();
  model.path = source.path();
  model.sha256 = source.sha256();
  model.config_sha256 = sha256(model.config.dump());
  model.embedding = read(source, "model.embed_tokens.weight");
  model.final_norm = read(source, "model.norm.weight");
  if (!model.description.tied) model.lm_head = read(source, "lm_head.weight");
  for (int64_t i = 0; i < model.description.layers; ++i) {
    const std::string prefix = prefix_of(i);
    LayerWeights layer;
    layer.prefix = prefix;
    layer.input_norm = read(source, prefix + "input_layernorm.weight");
    layer.post_attention_norm = read(source, prefix + "post_attention_layernorm.weight");
    for (const Linear linear : all_linears)
      layer[linear] = read_linear(source, prefix + name_of(linear));
    model.layers.push_back(std::move(layer));
  }
  return model;
}

std::vector<std::string> linear_modules(int64_t layers) {
  std::vector<std::string> modules;
  for (int64_t i = 0; i < layers; ++i)
    for (const Linear linear : all_linears) modules.push_back(prefix_of(i) + name_of(linear));
  modules.push_back(head_module);
  return modules;
}

std::unique_ptr<MemoryCheckpoint> to_checkpoint(const PtqModel& model, const ModelCodes& codes,
                                                nlohmann::json own) {
  auto result = std::make_unique<MemoryCheckpoint>(model.config, model.path, model.sha256);
  if (!model.transforms.empty()) own["transforms"] = model.transforms;
  result->config()["mxref"] = std::move(own);
  const auto set = [&](const std::string& name, const at::Tensor& values) {
    const auto found = codes.find(name);
    if (found != codes.end())
      result->set(name, found->second);
    else
      result->set(name, to_host(values));
  };
  set("model.embed_tokens.weight", model.embedding);
  set("model.norm.weight", model.final_norm);
  if (model.lm_head.defined()) set("lm_head.weight", model.lm_head);
  for (const LayerWeights& layer : model.layers) {
    set(layer.prefix + "input_layernorm.weight", layer.input_norm);
    set(layer.prefix + "post_attention_layernorm.weight", layer.post_attention_norm);
    for (const Linear linear : all_linears) {
      set(layer.module(linear) + ".weight", layer[linear].weight);
      if (layer[linear].bias.defined()) set(layer.module(linear) + ".bias", layer[linear].bias);
    }
  }
  for (const auto& [name, values] : model.transform_tensors) set(name, values);
  return result;
}

}  // namespace mxref
