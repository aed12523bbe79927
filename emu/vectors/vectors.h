#pragma once
// Golden vectors: block pairs, the accumulator that each meets and the one that it leaves, for
// somebody's own RTL. Three file forms hold the same fields (DESIGN.md, "Golden vectors").

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "emu/block.h"
#include "emu/datapaths.h"
#include "emu/vectors/vector_table.h"

namespace mxref {

struct Vectors {
  const BlockFormat* format_a;
  const BlockFormat* format_b;
  const Datapath* datapath;
  int block;         // elements of a code row
  std::string kind;  // "directed", "exhaustive", "random" or "model"
  uint64_t seed;
  std::string source;                     // of "model": the model, its tensors; else empty
  std::vector<uint8_t> codes_a, codes_b;  // (count, block), one code a byte
  std::vector<uint8_t> scale_a, scale_b;  // (count), codes of the formats' scales
  std::vector<uint32_t> acc_in, acc_out;  // (count), binary32 bits
  std::vector<std::string> comments;      // (count), or none: of "directed", the cases it reaches

  size_t count() const { return acc_in.size(); }
  bool operator==(const Vectors&) const = default;
};

// A grid of exponent edges × significand patterns over blocks at their extremes, every code beside
// 1, every special value in the places where it can stand, and a vector for each corner case
// (corner_cases.h) that these do not reach and a search with `seed` does; at most `count` of them,
// 0 being all. Throws UsageError where there is no_product().
Vectors directed_vectors(const BlockFormat& a, const BlockFormat& b, const Datapath& datapath,
                         int64_t count, uint64_t seed);

// All blocks that differ from +0 in n elements a side, n the most whose 2^(n·bits) blocks are at
// most 2^16 (two e2m1 pairs, else one pair), the accumulators running through a list; then all 2^16
// pairs of scales over a product of ones. At most `count`, 0 being all.
Vectors exhaustive_vectors(const BlockFormat& a, const BlockFormat& b, const Datapath& datapath,
                           int64_t count, uint64_t seed);

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

// The names and words that the headers of all sets have.
std::map<std::string, std::string> vector_header(const std::string& kind, uint64_t seed,
                                                 size_t count);
VectorTable table_of(const Vectors& vectors);  // refers to them

}  // namespace mxref
