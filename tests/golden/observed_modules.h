#pragma once
// What went into the modules of a model and came out of them, for a test to compute again.

#include <ATen/ops/arange.h>

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tests/golden/models_fixture.h"

namespace mxref::test {

// "model.layers.0.self_attn.rotary.k output" → values.
using ObservedModules = std::map<std::string, at::Tensor>;

// Of one pass over ids (B,T), which the cache continues or holds afterwards.
inline ObservedModules observe_modules(LanguageModel& model, const at::Tensor& ids,
                                       KvCache* cache = nullptr) {
  ObservedModules seen;
  model.observe([&](const std::string& module, std::string_view role, const at::Tensor& values) {
    seen[module + " " + std::string(role)] = values.clone();
  });
  model.forward(ids, /*with_hidden=*/false, cache);
  model.observe({});
  return seen;
}

// One sequence's part of what a layer's module observed: b of B → (T, heads, d).
struct HeadsOf {
  const ObservedModules& seen;
  int64_t B, b, d;
  at::Tensor operator()(const std::string& name, int64_t layer = 1) const {
    const at::Tensor& x = seen.at("model.layers." + std::to_string(layer) + "." + name);
    const int64_t T = x.size(0) / B;
    return x.narrow(0, b * T, T).view({T, -1, d});
  }
};

inline std::vector<float> vector_of(const at::Tensor& x) {
  const at::Tensor values = x.contiguous();
  return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}
inline at::Tensor tensor_like(const at::Tensor& x, const std::vector<float>& values) {
  at::Tensor y = x.contiguous().clone();
  std::ranges::copy(values, y.data_ptr<float>());
  return y;
}

// B sequences of T tokens of the model's vocabulary, each other tokens.
inline at::Tensor some_ids(const LanguageModel& model, int64_t B, int64_t T) {
  const at::Tensor ids = at::arange(B * T, at::kLong).view({B, T});
  return ids.mul(7919).add(13).remainder(model.vocabulary());
}

}  // namespace mxref::test
