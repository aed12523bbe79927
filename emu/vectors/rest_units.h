#pragma once
// The units of the rest of a model (units.h), and their inputs.

#include "emu/vectors/units.h"

namespace mxref {

VectorTable rms_norm_unit(const UnitRequest& request);
VectorTable softmax_unit(const UnitRequest& request);
VectorTable gated_silu_unit(const UnitRequest& request);
VectorTable rotary_unit(const UnitRequest& request);

// Both D and keys where no model says them: two rounds of the 16 lanes of a sum, and half a one.
inline constexpr size_t rest_width = 40;

// Every special case of ARITHMETIC.md §7, named in the row's comment.
UnitRows directed_rms_norm();
UnitRows directed_softmax();
UnitRows directed_gated_silu();
UnitRows directed_rotary();

// Mostly of magnitudes that models have; all magnitudes and special values among them. The same on
// every machine.
UnitRows random_rms_norm(size_t count, uint64_t seed);
UnitRows random_softmax(size_t count, uint64_t seed);
UnitRows random_gated_silu(size_t count, uint64_t seed);
UnitRows random_rotary(size_t count, uint64_t seed);

}  // namespace mxref
