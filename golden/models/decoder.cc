#include "golden/models/decoder.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "emu/error.h"
#include "emu/files/quantized.h"
#include "golden/torch_threads.h"

namespace mxref {
namespace {

[[noreturn]] void fail(const Checkpoint& checkpoint, const std::string& tensor,
                       const std::string& reason) {
  throw InputError(checkpoint.path().string() + ": tensor '" + tensor + "' " + reason);
}

// The embedding is the output matrix. Some files store it twice.
void check_tied_copy(const Checkpoint& checkpoint) {
  if (checkpoint.has("lm_head.weight") && checkpoint.tensor("lm_head.weight").values !=
                                              checkpoint.tensor("model.embed_tokens.weight").values)
    fail(checkpoint, "lm_head.weight",
         "differs from model.embed_tokens.weight though tie_word_embeddings is true");
}

// "transforms" of "mxref", null where there is none.
nlohmann::json transforms_of(const Checkpoint& checkpoint) {
  const nlohmann::json& config = checkpoint.config();
  const auto own = config.find("mxref");
  return own != config.end() && own->is_object() ? own->value("transforms", nlohmann::json())
                                                 : nlohmann::json();
}

at::Tensor read_tensor(const Checkpoint& checkpoint, const std::string& name) {
  auto* host = new HostTensor(checkpoint.tensor(name));
  return at::from_blob(
      host->values.data(), host->shape, [host](void*) { delete host; },
      at::TensorOptions(at::kFloat));
}

// What makes a linear layer, besides its name.
struct LinearMaker {
  const Checkpoint& checkpoint;
  const Recipe& recipe;
  Engine* engine;
  const Rest& rest;

  LinearLayer operator()(const std::string& module, const LinearLayer::Weight& weight) const {
    const at::Tensor bias =
        checkpoint.has(module + ".bias") ? read_tensor(checkpoint, module + ".bias") : at::Tensor();
    const bool fake_quant = recipe.datapath == "fake_quant";
    return {module,
            weight,
            bias,
            linear_recipe(recipe, module),
            fake_quant ? nullptr : &datapath(recipe.datapath),
            fake_quant ? nullptr : engine,
            rest};
  }
  LinearLayer operator()(const std::string& module) const {
    const std::string name = module + ".weight";
    return (*this)(module, {read_tensor(checkpoint, name), checkpoint.quantized(name)});
  }
};

std::string layer_prefix(int64_t layer) { return "model.layers." + std::to_string(layer) + "."; }

constexpr const char* layer_modules[] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                                         "self_attn.o_proj", "mlp.gate_proj",    "mlp.up_proj",
                                         "mlp.down_proj"};

std::vector<std::string> linear_modules(int64_t layers) {
  std::vector<std::string> modules;
  for (int64_t layer = 0; layer < layers; ++layer)
    for (const char* module : layer_modules) modules.push_back(layer_prefix(layer) + module);
  modules.push_back("lm_head");
  return modules;
}

// How wide the output of a module is that on-line transforms may follow; 0 elsewhere.
int64_t width_after(const DecoderDescription& d, const std::string& module) {
  for (int64_t layer = 0; layer < d.layers; ++layer) {
    const std::string prefix = layer_prefix(layer);
    if (!module.starts_with(prefix)) continue;
    const std::string place = module.substr(prefix.size());
    if (place == "input_layernorm" || place == "post_attention_layernorm") return d.width;
    if (place == "self_attn.rotary") return d.head_dim;
    if (place == "self_attn.attention") return d.heads * d.head_dim;
    if (place == "mlp.act_fn") return d.intermediate;
    return 0;
  }
  return 0;
}

}  // namespace

void check_tensors(const DecoderDescription& description, const Checkpoint& checkpoint) {
  std::set<std::string> known;
  const auto check = [&](const std::vector<TensorShape>& tensors) {
    for (const auto& [name, shape] : tensors) {
      known.insert(name);
      if (!checkpoint.has(name))
        fail(checkpoint, name, "is missing; expected shape " + to_string(shape));
      if (checkpoint.shape(name) != shape)
        fail(checkpoint, name,
             "has shape " + to_string(checkpoint.shape(name)) + ", expected " + to_string(shape));
    }
  };
  check(outer_tensors(description));
  // Layer by layer: a configuration that lies about their number fails at the first that is absent.
  for (int64_t layer = 0; layer < description.layers; ++layer)
    check(layer_tensors(description, layer));
  if (description.tied) {
    check_tied_copy(checkpoint);
    known.insert("lm_head.weight");
  }
  for (const std::string& name : OnlineTransforms::tensors(transforms_of(checkpoint)))
    known.insert(name);
  for (const std::string& name : checkpoint.names())
    if (!known.contains(name) && !name.ends_with(".rotary_emb.inv_freq"))
      fail(checkpoint, name, "is not used by this architecture and configuration");
}

Decoder::Decoder(const DecoderDescription& description, const Checkpoint& checkpoint,
                 const Recipe& recipe, const EngineTable& engines)
    : description_(description),
      rest_(rest_of(recipe.rest)),
      rotary_(rest_, description.rope, description.head_dim) {
  check_tensors(description, checkpoint);
  online_ = OnlineTransforms(
      transforms_of(checkpoint), checkpoint.path().string(),
      [&](const std::string& name) { return read_tensor(checkpoint, name); },
      [&](const std::string& module) { return width_after(description, module); }, rest_);
  const std::vector<std::string> modules = linear_modules(description.layers);
  check_patterns(recipe, modules);
  const EngineEntry entry = engine_entry(engines, recipe.implementation);
  if (needs_engine(recipe, modules)) engine_ = entry.make();
  attention_ = std::make_unique<Attention>(recipe, description, engine_.get(), rest_);

  const LinearMaker linear{checkpoint, recipe, engine_.get(), rest_};
  for (int64_t i = 0; i < description.layers; ++i) {
    const std::string prefix = layer_prefix(i);
    stack_.push_back(
        {.prefix = prefix,
         .input_norm = read_tensor(checkpoint, prefix + "input_layernorm.weight"),
         .post_attention_norm = read_tensor(checkpoint, prefix + "post_attention_layernorm.weight"),
         .q = linear(prefix + "self_attn.q_proj"),
         .k = linear(prefix + "self_attn.k_proj"),
         .v = linear(prefix + "self_attn.v_proj"),
         .o = linear(prefix + "self_attn.o_proj"),
         .gate = linear(prefix + "mlp.gate_proj"),
         .up = linear(prefix + "mlp.up_proj"),
         .down = linear(prefix + "mlp.down_proj")});
    for (const TensorShape& tensor : layer_tensors(description, i))
      parameters_ += tensor.elements();
  }
  for (const TensorShape& tensor : outer_tensors(description)) parameters_ += tensor.elements();
  embedding_ = read_tensor(checkpoint, "model.embed_tokens.weight");
  final_norm_ = read_tensor(checkpoint, "model.norm.weight");
  lm_head_ = std::make_unique<LinearLayer>(
      description.tied ? linear("lm_head", {embedding_, std::nullopt}) : linear("lm_head"));
}

at::Tensor Decoder::norm(const std::string& prefix, const char* module, const at::Tensor& x,
                         const at::Tensor& weight) {
  return observed(observer_, prefix, module, {x},
                  [&] { return rest_.rms_norm(x, weight, description_.norm_eps); });
}

void Decoder::disturb(Stream& stream) const {
  if (!noise_) return;
  at::Tensor x = stream.x.view({stream.sequences, -1, description_.width});
  noise_->perturb(x, stream.first, stream.places++);
}

void Decoder::add(const Layer& layer, const char* module, const at::Tensor& y, Stream& stream) {
  observed(observer_, layer.prefix, module, {stream.x, y}, [&] {
    rest_.add(stream.x, y);
    return stream.x;
  });
  disturb(stream);
}

void Decoder::rotate(const Layer& layer, const char* module, int64_t sequences, at::Tensor& x,
                     int64_t first) {
  observed(observer_, layer.prefix, module, {x}, [&] {
    rotary_.rotate(x, sequences, first);
    return x;
  });
}

at::Tensor Decoder::apply(const LinearLayer& linear, LinearInput& input) {
  return observed(observer_, linear.module(), "", {input.values()}, [&] { return linear(input); });
}

at::Tensor Decoder::transformed(const Layer& layer, const char* module, const at::Tensor& x) {
  const std::string name = layer.prefix + module;
  if (!online_.has(name)) return x;
  return observed(observer_, name, ".transform", {x}, [&] { return online_.apply(name, x); });
}

void Decoder::transform_heads(const Layer& layer, at::Tensor& q, at::Tensor& k) {
  const std::string name = layer.prefix + "self_attn.rotary";
  if (!online_.has(name)) return;
  const auto by_head = [&](at::Tensor& x, const char* module, auto apply) {
    x = observed(observer_, layer.prefix, module, {x}, [&] {
      return apply(x.view({-1, description_.head_dim})).view(x.sizes());
    });
  };
  by_head(q, "self_attn.rotary.q.transform",
          [&](const at::Tensor& rows) { return online_.apply(name, rows); });
  by_head(k, "self_attn.rotary.k.transform",
          [&](const at::Tensor& rows) { return online_.apply_to_keys(name, rows); });
}

// ids (B·T) → (B·T,D).
at::Tensor Decoder::embed(const at::Tensor& ids) const {
  const int64_t D = description_.width, T = ids.size(0);
  at::Tensor x = at::empty({T, D}, at::kFloat);
  const auto* id = ids.data_ptr<int64_t>();
  for (int64_t t = 0; t < T; ++t) {
    if (id[t] < 0 || id[t] >= description_.vocabulary)
      throw InputError("token id " + std::to_string(id[t]) + " at position " + std::to_string(t) +
                       " is not in the vocabulary (0 … " +
                       std::to_string(description_.vocabulary - 1) + ")");
    std::memcpy(x.data_ptr<float>() + t * D, embedding_.data_ptr<float>() + id[t] * D,
                size_t(D) * sizeof(float));
  }
  return x;
}

CacheRows Decoder::write(const Layer& layer, const char* module, int64_t sequences,
                         const at::Tensor& x, int64_t first) {
  CacheRows rows{x};
  if (attention_->converts_cache())
    observed(observer_, layer.prefix, module, {x}, [&] {
      rows = attention_->convert(x, sequences, first);
      return rows.values;
    });
  return rows;
}

// x (B·T,D), normalised → (B·T,D).
at::Tensor Decoder::attend(const Layer& layer, int64_t sequences, const at::Tensor& x,
                           LayerCache& cache) {
  const int64_t B = sequences, first = cache.keys.defined() ? cache.keys.size(2) : 0;
  LinearInput input(transformed(layer, "input_layernorm", x));
  at::Tensor q = apply(layer.q, input), k = apply(layer.k, input), v = apply(layer.v, input);
  rotate(layer, "self_attn.rotary.q", B, q, first);
  rotate(layer, "self_attn.rotary.k", B, k, first);
  transform_heads(layer, q, k);
  const CacheRows keys = write(layer, "self_attn.cache.k", B, k, first),
                  values = write(layer, "self_attn.cache.v", B, v, first);
  attention_->append(keys, values, B, cache);
  const at::Tensor mixed =
      observed(observer_, layer.prefix, "self_attn.attention", {q, keys.values, values.values},
               [&] { return (*attention_)(q, cache); });
  LinearInput output(transformed(layer, "self_attn.attention", mixed));
  return apply(layer.o, output);
}

void Decoder::run_layer(const Layer& layer, Stream& stream, LayerCache& cache) {
  const at::Tensor normed = norm(layer.prefix, "input_layernorm", stream.x, layer.input_norm);
  add(layer, "self_attn.residual", attend(layer, stream.sequences, normed, cache), stream);
  const at::Tensor post =
      norm(layer.prefix, "post_attention_layernorm", stream.x, layer.post_attention_norm);
  LinearInput input(transformed(layer, "post_attention_layernorm", post));
  const at::Tensor gate = apply(layer.gate, input), up = apply(layer.up, input);
  const at::Tensor product = observed(observer_, layer.prefix, "mlp.act_fn", {gate, up},
                                      [&] { return rest_.gated_silu(gate, up); });
  LinearInput gated(transformed(layer, "mlp.act_fn", product));
  add(layer, "mlp.residual", apply(layer.down, gated), stream);
}

LanguageModel::Output Decoder::forward(const at::Tensor& ids, bool with_hidden, KvCache* cache,
                                       int64_t first_logit) {
  if (ids.dim() != 2 || ids.scalar_type() != at::kLong || ids.numel() == 0)
    throw InputError("token ids: expected a tensor I64 (B,T) with at least one element");
  adopt_threads();
  const int64_t B = ids.size(0), T = ids.size(1), D = description_.width;
  const bool continues = cache && !cache->layers.empty();

  Output output;
  Stream stream{.sequences = B,
                .first = continues ? cache->length() : 0,
                .x = observed(observer_, "model.", "embed_tokens", {},
                              [&] { return embed(ids.contiguous().view(-1)); })};
  disturb(stream);
  const auto keep = [&] {
    if (with_hidden) output.hidden.push_back(stream.x.clone().view({B, T, D}));
  };
  keep();
  for (size_t i = 0; i < stack_.size(); ++i) {
    LayerCache kept;
    if (continues) kept = cache->layers[i];
    run_layer(stack_[i], stream, kept);
    if (continues)
      cache->layers[i] = kept;
    else if (cache)
      cache->layers.push_back(kept);
    keep();
  }
  const at::Tensor asked = stream.x.view({B, T, D})
                               .narrow(1, first_logit, T - first_logit)
                               .reshape({-1, D})
                               .contiguous();
  LinearInput last(norm("model.", "norm", asked, final_norm_));
  output.logits = apply(*lm_head_, last).view({B, T - first_logit, -1});
  return output;
}

}  // namespace mxref
