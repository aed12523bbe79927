#pragma once
// Golden vectors of the units of which a block's product and a conversion are made, and of those
// that compute the rest of a model, so that each can be tested alone.
//
//   decode         code → value (binary32 bits)                                        every code
//   multiply       code_a code_b → product (binary32 bits, exact; a zero has its sign)  every pair
//   scale_product  scale_a scale_b → significand · 2^exponent (two's complement of 16 bits), is_nan
//   accumulate     sum (two's complement of 80 bits, in units of 2^unit_log2, which the header has)
//                  special (0 finite, 1 NaN, 2 +Inf, 3 -Inf) scale_a scale_b acc_in → acc_out
//   quantize       x (binary32 bits of a block)
//                  [random: 32 bits an element, where the rounding is stochastic]
//                  [tensor_scale (binary32 bits)] → codes scale
//
// The rest, strict (ARITHMETIC.md §7); all words have 32 bits, those of binary32 but for position.
//
//   rms_norm       x w (D each, the header's `width`) eps → y (D)
//   softmax        scores (`keys` of them: q·k_j, before they are multiplied by d^(-1/2), as
//                  attention hands them to its softmax) factor (d^(-1/2)) → p (`keys`)
//   gated_silu     gate up → y
//   rotary         position (a whole number) frequency → angle → cos sin; with x1 x2 → y1 y2

#include "emu/block.h"
#include "emu/vectors/vectors.h"

namespace mxref {

// What goes into a unit of the rest, vector by vector.
struct UnitRows {
  int64_t width = 1;  // D, keys; 1 where all inputs are single words
  // In the order of the line, rotary: position frequency x1 x2. (count, width) or (count), the last
  // one (count).
  std::vector<std::vector<uint32_t>> inputs;
  std::vector<std::string> comments = {};  // (count), or none
  std::string source = {};                 // of "model"

  size_t count() const { return inputs.back().size(); }
};

struct UnitRequest {
  const BlockFormat *a, *b;  // of decode and quantize a alone, of the rest neither
  const Datapath* datapath;  // of accumulate
  Conversion conversion;     // of quantize
  std::string kind;          // a word of `kinds` of the unit
  int64_t count = 0;         // at most; 0: all, of random 1000
  uint64_t seed = 1;
  const UnitRows* rows = nullptr;  // of the kind "model": all of them are taken
};

struct Unit {
  std::string_view name;
  int formats;             // 2: a and b, 1: a alone, 0: a unit of the rest
  std::string_view kinds;  // "exhaustive", or the kinds that it has, the first the default
  // Throws UsageError where the unit does not do what is requested.
  VectorTable (*make)(const UnitRequest& request);
};
extern const std::array<Unit, 9> units;

}  // namespace mxref
