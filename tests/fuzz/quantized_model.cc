// A folder with a quantized model: config.json, then model.safetensors as fuzz::safetensors() takes
// it behind the first '\0'.

#include <nlohmann/json.hpp>

#include "golden/checkpoint/checkpoint.h"
#include "golden/stored_recipe.h"
#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  fuzz::put("config.json", fuzz::next_part(bytes));
  fuzz::put("model.safetensors", fuzz::safetensors(bytes));
  fuzz::read_or_refuse([&] {
    const auto checkpoint = open_checkpoint(fuzz::folder());
    checkpoint->storage();
    for (const std::string& name : checkpoint->names()) {
      checkpoint->shape(name);
      fuzz::read_or_refuse([&] { checkpoint->quantized(name); });
      fuzz::read_or_refuse([&] { checkpoint->tensor(name); });
    }
    stored_recipe(*checkpoint);
  });
}
