#include "golden/models/language_model.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>

#include "emu/error.h"
#include "golden/models/decoder.h"
#include "golden/models/families.h"
#include "golden/torch_threads.h"

namespace mxref {
namespace {

// The position of the largest, the lowest on a tie. Throws InputError where one is NaN.
int64_t argmax(const float* logits, int64_t count) {
  if (std::any_of(logits, logits + count, [](float x) { return std::isnan(x); }))
    throw InputError("a logit is NaN: no token can be chosen");
  return std::max_element(logits, logits + count) - logits;
}

}  // namespace

int64_t KvCache::length() const { return layers.empty() ? 0 : layers.front().keys.size(2); }

KvCache KvCache::first(int64_t length) const {
  const auto part = [&](const at::Tensor& x) {
    return x.defined() ? x.narrow(2, 0, length) : at::Tensor();
  };
  KvCache cache;
  if (length == 0) return cache;
  for (const LayerCache& layer : layers)
    cache.layers.push_back(
        {part(layer.keys), part(layer.values), part(layer.key_codes), part(layer.key_scales)});
  return cache;
}

std::unique_ptr<LanguageModel> load_model(const Checkpoint& checkpoint, const Recipe& recipe,
                                          const EngineTable& engines) {
  adopt_threads();
  return std::make_unique<Decoder>(describe(checkpoint), checkpoint, recipe, engines);
}

std::vector<int64_t> generate_greedy(LanguageModel& model, const std::vector<int64_t>& prompt,
                                     int64_t count, const std::vector<int64_t>& stop) {
  std::vector<int64_t> generated, input = prompt;
  KvCache cache;
  while (int64_t(generated.size()) < count) {
    const at::Tensor ids = at::from_blob(input.data(), {1, int64_t(input.size())}, at::kLong);
    const at::Tensor logits = model.forward(ids, false, &cache, ids.size(1) - 1).logits;
    const int64_t token = argmax(logits.data_ptr<float>(), logits.numel());
    generated.push_back(token);
    if (std::find(stop.begin(), stop.end(), token) != stop.end()) break;
    input = {token};
  }
  return generated;
}

}  // namespace mxref
