#include "ptq/layer_forward.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <cstring>

#include "emu/error.h"

namespace mxref {
namespace {

int64_t width_after(const PtqModel& model, const std::string& module) {
  if (module.ends_with("self_attn.rotary")) return model.description.head_dim;
  for (const Place place : all_places)
    if (module.ends_with(module_before(place))) return model.width(place);
  return 0;
}

}  // namespace

LayerForward::LayerForward(const PtqModel& model)
    : model_(model),
      rest_(library_rest()),
      online_(
          model.transforms, model.path.string(),
          [&](const std::string& name) { return model.transform_tensors.at(name); },
          [&](const std::string& module) { return width_after(model, module); }, rest_),
      rotary_(rest_, model.description.rope, model.description.head_dim) {}

at::Tensor LayerForward::embed(const std::vector<int64_t>& ids) const {
  const int64_t D = model_.description.width;
  at::Tensor x = at::empty({int64_t(ids.size()), D}, at::kFloat);
  for (size_t t = 0; t < ids.size(); ++t) {
    if (ids[t] < 0 || ids[t] >= model_.embedding.size(0))
      throw InputError("calibration: token id " + std::to_string(ids[t]) +
                       " is not in the vocabulary");
    std::memcpy(x.data_ptr<float>() + int64_t(t) * D,
                model_.embedding.data_ptr<float>() + ids[t] * D, size_t(D) * sizeof(float));
  }
  return x;
}

at::Tensor LayerForward::transformed(const LayerWeights& layer, Place place,
                                     const at::Tensor& x) const {
  return online_.empty() ? x : online_.apply(layer.prefix + module_before(place), x);
}

at::Tensor LayerForward::linear(const LayerWeights& layer, Linear linear,
                                const at::Tensor& x) const {
  const LinearWeights& weights = layer[linear];
  at::Tensor y = rest_.product(x, *rest_.prepare(weights.weight));
  if (weights.bias.defined()) rest_.add_bias(y, weights.bias);
  return y;
}

at::Tensor LayerForward::qkv_input(const LayerWeights& layer, const at::Tensor& x) const {
  return transformed(layer, Place::qkv,
                     rest_.rms_norm(x, layer.input_norm, model_.description.norm_eps));
}

at::Tensor LayerForward::o_input(const LayerWeights& layer, const at::Tensor& input) {
  const int64_t T = input.size(0), G = model_.description.kv_heads, d = model_.description.head_dim;
  at::Tensor q = linear(layer, Linear::q, input), k = linear(layer, Linear::k, input);
  const at::Tensor v = linear(layer, Linear::v, input);
  rotary_.rotate(q, 1, 0);
  rotary_.rotate(k, 1, 0);
  if (const std::string rotary = layer.prefix + "self_attn.rotary"; online_.has(rotary)) {
    q = online_.apply(rotary, q.view({-1, d})).view(q.sizes());
    k = online_.apply_to_keys(rotary, k.view({-1, d})).view(k.sizes());
  }
  const auto by_head = [&](const at::Tensor& x) {
    return x.view({T, G, d}).transpose(0, 1).contiguous();
  };
  at::Tensor out = at::empty_like(q);
  rest_.attention(q, by_head(k), by_head(v), out);
  return transformed(layer, Place::o, out);
}

at::Tensor LayerForward::gate_up_input(const LayerWeights& layer, const at::Tensor& x) const {
  return transformed(layer, Place::gate_up,
                     rest_.rms_norm(x, layer.post_attention_norm, model_.description.norm_eps));
}

at::Tensor LayerForward::down_input(const LayerWeights& layer, const at::Tensor& input) const {
  return transformed(
      layer, Place::down,
      rest_.gated_silu(linear(layer, Linear::gate, input), linear(layer, Linear::up, input)));
}

void LayerForward::run(const LayerWeights& layer, at::Tensor& x, const See& see) {
  const auto seen = [&](Place place, at::Tensor input) {
    if (see) see(place, input);
    return input;
  };
  const at::Tensor o = seen(Place::o, o_input(layer, seen(Place::qkv, qkv_input(layer, x))));
  add(x, linear(layer, Linear::o, o));
  const at::Tensor down =
      seen(Place::down, down_input(layer, seen(Place::gate_up, gate_up_input(layer, x))));
  add(x, linear(layer, Linear::down, down));
}

at::Tensor LayerForward::head_input(const at::Tensor& x) const {
  return rest_.rms_norm(x, model_.final_norm, model_.description.norm_eps);
}

}  // namespace mxref
