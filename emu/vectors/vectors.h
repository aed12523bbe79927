#pragma once
// Golden vectors: block pairs, the accumulator that each meets and the one that it leaves, for
// somebody's own RTL. Three file forms hold the same fields (DESIGN.md, "Golden vectors").

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "emu/block.h"
#include "emu/datapaths.h"

namespace mxref {

struct Vectors {
  const BlockFormat* format_a;
  const BlockFormat* format_b;
  const Datapath* datapath;
  int block;         // elements of a code row
  std::string kind;  // "random" or "model"
  uint64_t seed;
  std::string source;                     // of "model": the model, its tensors; else empty
  std::vector<uint8_t> codes_a, codes_b;  // (count, block), one code a byte
  std::vector<uint8_t> scale_a, scale_b;  // (count), e8m0
  std::vector<uint32_t> acc_in, acc_out;  // (count), binary32 bits

  size_t count() const { return acc_in.size(); }
  bool operator==(const Vectors&) const = default;
};

// Seeded, special values among them: NaN codes, scales and accumulators, scale extremes, subnormal
// and infinite accumulators, both zeros, ties, cancellation. The same arguments give the same
// vectors on every machine. Throws UsageError where count is below 1.
Vectors random_vectors(const BlockFormat& a, const BlockFormat& b, const Datapath& datapath,
                       int64_t count, uint64_t seed);

// Block pairs of the product a (M,K) × b (N,K): whole chains over K, each of an element (m, n)
// drawn with `seed`, the accumulators those met along the chain from +0; the last chain may be cut.
// Throws UsageError where a and b do not multiply, or count is below 1.
Vectors model_vectors(const MxTensor& a, const MxTensor& b, const Datapath& datapath, int64_t count,
                      uint64_t seed);

// `more` behind `vectors`; both of the same formats, datapath and block length.
void append(Vectors& vectors, const Vectors& more);

// A file form: the word of --as, and the name of the file in the output folder.
struct VectorForm {
  std::string_view name;
  std::string_view file;
  void (*write)(const Vectors& vectors, const std::filesystem::path& path);  // throws InputError
};
extern const std::array<VectorForm, 3> vector_forms;  // memh, json, safetensors

}  // namespace mxref
