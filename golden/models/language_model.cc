#include "golden/models/language_model.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>

#include "emu/error.h"
#include "golden/models/decoder.h"
#include "golden/models/families.h"
#include "golden/models/parts.h"

namespace mxref {
namespace {

const Family& family_of(ModelConfig& config) {
  const std::vector<std::string> architectures = config.texts("architectures");
  const std::string type = config.text("model_type", "");
  if (architectures.empty()) {
    std::vector<std::string_view> valid;
    for (const Family& family : families) {
      if (type == family.model_type) return family;
      valid.push_back(family.model_type);
    }
    config.fail("model_type", unknown_name("architecture", type, valid));
  }
  if (architectures.size() > 1) config.fail("architectures", "expected one");
  try {
    const Family& family = find_by_name(families, "architecture", architectures.front());
    if (!type.empty() && type != family.model_type)
      config.fail("model_type", "'" + type + "' contradicts the architecture '" +
                                    std::string(family.name) + "' (expected '" +
                                    std::string(family.model_type) + "')");
    return family;
  } catch (const UsageError& error) {
    config.fail("architectures", error.what());
  }
}

// The position of the largest, the lowest on a tie. Throws InputError where one is NaN.
int64_t argmax(const float* logits, int64_t count) {
  if (std::any_of(logits, logits + count, [](float x) { return std::isnan(x); }))
    throw InputError("a logit is NaN: no token can be chosen");
  return std::max_element(logits, logits + count) - logits;
}

}  // namespace

int64_t KvCache::length() const { return keys.empty() ? 0 : keys.front().size(2); }

std::unique_ptr<LanguageModel> load_model(const Checkpoint& checkpoint, const Recipe& recipe,
                                          const EngineTable& engines) {
  adopt_threads();
  ModelConfig config(checkpoint);
  const DecoderDescription description = family_of(config).describe(config);
  config.refuse_the_rest();
  return std::make_unique<Decoder>(description, checkpoint, recipe, engines);
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
