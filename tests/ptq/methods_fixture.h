#pragma once
// The reference models as methods see them in tests: some tokens, a few steps of learning.

#include <map>
#include <memory>
#include <random>
#include <string>

#include "golden/checkpoint/memory_checkpoint.h"
#include "ptq/method.h"
#include "tests/golden/models_fixture.h"

namespace mxref::test {

inline Calibration some_tokens(int64_t vocabulary) {
  Calibration calibration{"here", "", 0, 40, {}};
  for (int64_t s = 0; s < 6; ++s) {
    std::vector<int64_t> ids;
    for (int64_t t = 0; t < calibration.length; ++t)
      ids.push_back((s * 131 + t * t * 7 + t * 29) % vocabulary);
    calibration.samples.push_back(ids);
  }
  return calibration;
}

// Small enough for a test.
inline std::map<std::string, std::string> quick_options(const Method& method) {
  std::map<std::string, std::string> options;
  for (const MethodOption& row : method.options()) {
    if (row.name == "steps" || row.name == "epochs") options[std::string(row.name)] = "2";
    if (row.name == "hadamard") options["hadamard"] = "32";
  }
  return options;
}

struct Setting {
  std::unique_ptr<Checkpoint> source;
  SafetensorsFile reference;
  Calibration calibration;
  explicit Setting(const std::filesystem::path& folder)
      : source(open_checkpoint(folder)),
        reference(SafetensorsFile::open(folder / "reference.safetensors")),
        calibration(some_tokens(source->config()["vocab_size"])) {}
  at::Tensor ids() const { return view_of(reference, "batch.input_ids"); }
  MethodRequest request(const Method& method, const char* recipe,
                        std::vector<std::string> settings = {}) const {
    settings.push_back("implementation=ref");
    return {.recipe = parse_recipe(recipe, settings),
            .options = quick_options(method),
            .calibration = &calibration,
            .seed = 4};
  }
  at::Tensor logits(const Checkpoint& model, const Recipe& recipe) const {
    return load_model(model, recipe, ref_alone())->forward(ids()).logits;
  }
};

// A copy, each tensor as edit(name, tensor) leaves it.
template <typename Edit>
std::unique_ptr<MemoryCheckpoint> edited(const Checkpoint& source, nlohmann::json config,
                                         Edit edit) {
  auto model =
      std::make_unique<MemoryCheckpoint>(std::move(config), source.path(), source.sha256());
  for (const std::string& name : source.names()) {
    HostTensor tensor = source.tensor(name);
    edit(name, tensor);
    model->set(name, std::move(tensor));
  }
  return model;
}

// The model with a key and a value head for each query head, those that there were, repeated: the
// same function.
inline std::unique_ptr<MemoryCheckpoint> with_all_heads(const Checkpoint& source) {
  nlohmann::json config = source.config();
  const int64_t heads = config["num_attention_heads"], groups = config["num_key_value_heads"];
  config["num_key_value_heads"] = heads;
  return edited(source, config, [&](const std::string& name, HostTensor& tensor) {
    if (name.find(".k_proj.") == name.npos && name.find(".v_proj.") == name.npos) return;
    const auto head = std::ptrdiff_t(tensor.values.size()) / groups;
    std::vector<float> repeated;
    for (int64_t h = 0; h < heads; ++h) {
      const auto begin = tensor.values.begin() + h * groups / heads * head;
      repeated.insert(repeated.end(), begin, begin + head);
    }
    tensor.values = repeated;
    tensor.shape[0] = tensor.shape[0] / groups * heads;
  });
}

// The model with further rows of gate and up, further columns of down: tiles and blocks of
// products, of which small models have one, are several.
inline std::unique_ptr<MemoryCheckpoint> with_wide_mlp(const Checkpoint& source, int64_t width) {
  nlohmann::json config = source.config();
  const int64_t D = config["hidden_size"], F = config["intermediate_size"];
  config["intermediate_size"] = width;
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.05f);
  return edited(source, config, [&](const std::string& name, HostTensor& tensor) {
    const bool down = name.ends_with("down_proj.weight");
    if (!down && !name.ends_with("gate_proj.weight") && !name.ends_with("up_proj.weight")) return;
    const int64_t rows = down ? D : F, cols = down ? F : D, wide_cols = down ? width : D;
    HostTensor wide{{down ? D : width, wide_cols}, std::vector<float>(size_t(D * width))};
    for (float& value : wide.values) value = normal(random);
    for (int64_t n = 0; n < rows; ++n)
      std::copy_n(tensor.values.begin() + n * cols, cols, wide.values.begin() + n * wide_cols);
    tensor = std::move(wide);
  });
}

}  // namespace mxref::test
