#pragma once
// Datapaths (ARITHMETIC.md §4): how the products of a row meet the binary32 accumulator.

#include <array>
#include <string_view>

#include "emu/error.h"

namespace mxref {

// The kinds of accumulation. Each has its steps in emu/dot.cc; a preset is a row of a kind with
// parameters.
enum class Accumulation {
  fused,       // acc ← RNE32(acc + x·S), one rounding a block
  blockwise,   // t ← RNE32(x·S); acc ← RNE32(acc + t)
  sequential,  // acc ← RNE32(x_a·a_i · x_b·b_i + acc), one rounding an element
  exact,       // one rounding of C + the sum over all of K
  aligned,     // terms aligned to the largest exponent, truncated, summed: tensor cores
};

// How the sum of an aligned step becomes binary32.
enum class SumRounding {
  rz,    // toward zero
  rz13,  // toward zero, 13 fraction bits kept
  rne,
};
struct SumRoundingName {
  std::string_view name;
  SumRounding rounding;
};
inline constexpr std::array sum_roundings{
    SumRoundingName{"rz", SumRounding::rz},
    SumRoundingName{"rz13", SumRounding::rz13},
    SumRoundingName{"rne", SumRounding::rne},
};

struct Alignment {
  int terms = 0;          // T: products of one step
  int group = 1;          // G: of these, products summed exactly before they are aligned
  int fraction_bits = 0;  // F: kept below the largest exponent
  int e_zero = 0;         // exponent of a term that is zero
  SumRounding output = SumRounding::rz;
  bool operator==(const Alignment&) const = default;
};

struct Datapath {
  std::string_view name;
  Accumulation kind;
  Alignment alignment = {};  // of the kind aligned
  bool ftz = false;          // every rounding flushes a subnormal result to zero
  std::string_view source;
};

inline constexpr std::array datapaths{
    Datapath{
        .name = "fused",
        .kind = Accumulation::fused,
        .source = "exact block sum, one rounding a block; the bits of pulp-platform's mxdotp unit"},
    Datapath{
        .name = "blockwise",
        .kind = Accumulation::blockwise,
        .source = "the block's sum rounded, then added: a unit whose block product is binary32"},
    Datapath{.name = "sequential",
             .kind = Accumulation::sequential,
             .source = "a chain of fused multiply-adds of dequantized values, as software does it"},
    Datapath{.name = "exact",
             .kind = Accumulation::exact,
             .source = "one rounding of the whole sum: a Kulisch accumulator"},
    Datapath{.name = "tensorcore_mxf8",
             .kind = Accumulation::aligned,
             .alignment = {.terms = 32, .group = 1, .fraction_bits = 25, .e_zero = -133},
             .source = "MMA-Sim v2 (arXiv 2511.10909): Blackwell, mxf8f6f4 with block scales"},
    Datapath{.name = "tensorcore_mxf4",
             .kind = Accumulation::aligned,
             .alignment = {.terms = 64, .group = 16, .fraction_bits = 35, .e_zero = -139},
             .source = "MMA-Sim v2 (arXiv 2511.10909): Blackwell, mxf4; F = 35 rests on this one "
                       "published source"},
    Datapath{.name = "tensorcore_nvfp4",
             .kind = Accumulation::aligned,
             .alignment = {.terms = 64, .group = 16, .fraction_bits = 35, .e_zero = -139},
             .source =
                 "MMA-Sim v2 (arXiv 2511.10909): Blackwell, mxf4nvf4 with ue4m3 scales; F = 35 "
                 "rests on this one published source"},
    Datapath{.name = "tensorcore_f8f6f4",
             .kind = Accumulation::aligned,
             .alignment = {.terms = 32, .group = 1, .fraction_bits = 25, .e_zero = -133},
             .source = "MMA-Sim v2 (arXiv 2511.10909): Blackwell, f8f6f4; that machine has no "
                       "scales (all 1), others are taken as tensorcore_mxf8 takes them"},
    Datapath{.name = "hopper_fp8",
             .kind = Accumulation::aligned,
             .alignment = {.terms = 32,
                           .group = 1,
                           .fraction_bits = 13,
                           .e_zero = -133,
                           .output = SumRounding::rz13},
             .source = "MMA-Sim v2 (arXiv 2511.10909): Hopper, fp8; that machine has no scales "
                       "(all 1), others are taken as tensorcore_mxf8 takes them"},
    Datapath{.name = "ada_fp8",
             .kind = Accumulation::aligned,
             .alignment = {.terms = 16,
                           .group = 1,
                           .fraction_bits = 13,
                           .e_zero = -132,
                           .output = SumRounding::rz13},
             .source =
                 "MMA-Sim v2 (arXiv 2511.10909): Ada Lovelace, fp8; that machine has no scales "
                 "(all 1), others are taken as tensorcore_mxf8 takes them"},
};
static_assert(names_are_distinct(datapaths));

// A preset by its name, or a described datapath: a JSON object such as
//   {"kind":"aligned","terms":32,"group":1,"fraction_bits":25,"e_zero":-133,"output":"rz"}
// with "ftz": true or not; its name is the object, in this order of fields. It lives as long as the
// program, and the same description gives the same object. Throws UsageError on an unknown name and
// where a field is unknown, missing or outside the limits of ARITHMETIC.md §4.
const Datapath& datapath(std::string_view text);

}  // namespace mxref
