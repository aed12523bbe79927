#pragma once
// Datapaths (ARITHMETIC.md §4): how the products of a block meet the binary32 accumulator.

#include <array>
#include <string_view>

#include "emu/error.h"

namespace mxref {

// The kinds of accumulation. Each has one step in emu/dot.cc; a preset is a row of a kind with
// parameters.
enum class Accumulation {
  fused,  // acc ← RNE32(acc + x·S), one rounding a block
};

struct Datapath {
  std::string_view name;
  Accumulation kind;
  std::string_view source;
};

inline constexpr std::array datapaths{
    Datapath{
        .name = "fused",
        .kind = Accumulation::fused,
        .source = "exact block sum, one rounding a block; the bits of pulp-platform's mxdotp unit"},
};
static_assert(names_are_distinct(datapaths));

inline const Datapath& datapath(std::string_view name) {
  return find_by_name(datapaths, "datapath", name);
}

}  // namespace mxref
