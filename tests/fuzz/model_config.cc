// config.json of a Hugging Face folder, and what the families make of it; then the index of its
// shards behind the first '\0', if there is one.

#include "golden/models/model_config.h"

#include "emu/files/safetensors.h"
#include "golden/models/families.h"
#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  fuzz::put("config.json", fuzz::next_part(bytes));
  const std::filesystem::path index = fuzz::folder() / "model.safetensors.index.json";
  std::error_code is_absent;
  std::filesystem::remove(index, is_absent);
  if (!bytes.empty()) fuzz::put("model.safetensors.index.json", bytes);
  static const std::vector<float> one{1};
  static const bool has_weights = [] {
    SafetensorsWriter writer;
    writer.add("model.norm.weight", DType::F32, {1}, one);
    writer.write(fuzz::folder() / "model.safetensors");
    return true;
  }();
  if (!has_weights) return;
  fuzz::read_or_refuse([&] {
    const auto checkpoint = open_checkpoint(fuzz::folder());
    for (const std::string& name : checkpoint->names()) checkpoint->tensor(name);
    describe(*checkpoint);
  });
}
