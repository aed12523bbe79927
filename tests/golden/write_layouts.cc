// write_layouts MODEL RECIPE OUT: the model, its weights rounded to the nearest as the recipe says,
// in OUT/compressed-tensors, OUT/mxref and OUT/dequantized, as far as they hold it; and
// OUT/expected.safetensors: the values of its weights, "input_ids" (B,T) and the "logits" (B,T,V)
// of those values in binary32.

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstdio>
#include <list>
#include <numeric>

#include "emu/engine.h"
#include "emu/error.h"
#include "emu/files/safetensors.h"
#include "golden/checkpoint/layouts.h"
#include "golden/models/language_model.h"
#include "golden/models/tensor_values.h"
#include "tests/golden/rounded_model.h"

using namespace mxref;

namespace {

constexpr int64_t most_tokens = 24;

void write_all(const std::filesystem::path& source, const char* recipe,
               const std::filesystem::path& out) {
  const MemoryCheckpoint model = test::rounded_model(source, parse_recipe(recipe));
  std::filesystem::create_directory(out);
  for (const LayoutRow& row : layouts)
    if (const std::string objection = objection_to(model, row.layout); objection.empty())
      write_model(model, row.layout, source, out / row.name);
    else
      std::printf("%s\n", objection.c_str());

  const auto runs =
      load_model(model, parse_recipe("fp32", {"implementation=ref"}), {{"ref", make_ref_engine}});
  std::vector<int64_t> ids(size_t(std::min(most_tokens, runs->vocabulary())));
  std::iota(ids.begin(), ids.end(), 0);
  const int64_t T = int64_t(ids.size());
  const at::Tensor logits =
      runs->forward(at::from_blob(ids.data(), {1, T}, at::kLong)).logits.contiguous();
  const auto values = values_of(logits);
  const std::vector<float> kept(values.begin(), values.end());
  std::list<HostTensor> tensors;
  SafetensorsWriter writer;
  writer.add("input_ids", DType::I64, {1, T}, ids);
  writer.add("logits", DType::F32, logits.sizes().vec(), kept);
  for (const std::string& name : model.names()) {
    const HostTensor& tensor = tensors.emplace_back(model.tensor(name));
    writer.add(name, DType::F32, tensor.shape, tensor.values);
  }
  writer.write(out / "expected.safetensors");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: write_layouts MODEL RECIPE OUT\n", stderr);
    return 2;
  }
  try {
    write_all(argv[1], argv[2], argv[3]);
  } catch (const std::runtime_error& error) {
    std::fprintf(stderr, "write_layouts: %s\n", error.what());
    return 3;
  }
}
