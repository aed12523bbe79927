#pragma once
// Golden vectors of the units of which a block's product and a conversion are made, so that each
// can be tested alone.
//
//   decode         code → value (binary32 bits)                                        every code
//   multiply       code_a code_b → product (binary32 bits, exact; a zero has its sign)  every pair
//   scale_product  scale_a scale_b → significand · 2^exponent (two's complement of 16 bits), is_nan
//   accumulate     sum (two's complement of 80 bits, in units of 2^unit_log2, which the header has)
//                  special (0 finite, 1 NaN, 2 +Inf, 3 -Inf) scale_a scale_b acc_in → acc_out
//   quantize       x (binary32 bits of a block)
//                  [random: 32 bits an element, where the rounding is stochastic]
//                  [tensor_scale (binary32 bits)] → codes scale

#include "emu/block.h"
#include "emu/vectors/vectors.h"

namespace mxref {

struct UnitRequest {
  const BlockFormat *a, *b;  // of decode and quantize a alone
  const Datapath* datapath;  // of accumulate
  Conversion conversion;     // of quantize
  std::string kind;          // a word of `kinds` of the unit
  int64_t count = 0;         // at most; 0: all, of random 1000
  uint64_t seed = 1;
};

struct Unit {
  std::string_view name;
  std::string_view kinds;  // "exhaustive", or the kinds that it has, the first the default
  // Throws UsageError where the unit does not do what is requested.
  VectorTable (*make)(const UnitRequest& request);
};
extern const std::array<Unit, 5> units;

}  // namespace mxref
