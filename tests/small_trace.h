#pragma once
// A trace of a small model that passes each output on as the next input.

#include <cmath>
#include <string>
#include <vector>

#include "emu/audit/trace_writer.h"
#include "emu/files/atomic_file.h"

namespace mxref {

inline constexpr int64_t small_batch = 2, small_tokens = 3, small_width = 5;

// Modules in order, with their tensors.
inline std::vector<std::pair<std::string, std::vector<std::string>>> small_modules() {
  return {{"model.embed_tokens", {"output"}},
          {"model.layers.0.self_attn.q_proj", {"input", "output"}},
          {"model.layers.0.mlp.residual", {"input.0", "input.1", "output"}},
          {"lm_head", {"input", "output"}}};
}

inline std::vector<float> small_values(int64_t rows, int64_t seed) {
  std::vector<float> values(size_t(rows * small_width));
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(float(seed * 100 + int64_t(i)));
  return values;
}

inline const char* small_facts =
    R"({"model":{"sha256":"5e"},"recipe":{"datapath":"fused"},"input_ids_sha256":"1d"})";

inline void write_small_trace(const std::filesystem::path& folder,
                              const std::string& facts = small_facts) {
  TraceWriter writer(folder, small_batch, small_tokens);
  int64_t seed = 0;
  constexpr int64_t rows = small_batch * small_tokens;
  for (const auto& [module, tensors] : small_modules())
    for (const std::string& tensor : tensors)
      writer.add(module, tensor, small_values(rows, tensor == "input" ? seed : ++seed));
  writer.finish(facts);
}

// Bits of the value at `place` of a tensor, changed in the file.
inline void flip(const std::filesystem::path& folder, const std::string& module,
                 const std::string& tensor, int64_t place, uint32_t bits) {
  const std::filesystem::path path = folder / (module + ".safetensors");
  std::string changed;
  {
    const SafetensorsFile file = SafetensorsFile::open(path);
    const std::string bytes = read_file(path);
    // Data is at the file's end, the tensors in the order of their names.
    size_t behind = 0;
    for (const TensorView& t : file.tensors())
      if (t.bytes.data() >= file.at(tensor).bytes.data()) behind += t.bytes.size();
    changed = bytes;
    for (int byte = 0; byte < 4; ++byte)
      changed[bytes.size() - behind + size_t(4 * place + byte)] ^= char(bits >> (8 * byte));
  }
  write_atomically(path, changed);
}

}  // namespace mxref
