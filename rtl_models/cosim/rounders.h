#pragma once
// The Verilated rounders on every input of 32 bits: fp32_from_term to nearest, to nearest with FTZ,
// toward zero with 23 and with 13 fraction bits, on each term of 27 bits whose leading bit is set,
// with and without a sticky bit, under each of 32 exponents; fp32_to_16 on all binary32.

#include <array>
#include <cstdint>
#include <string>

namespace mxref {

// Biased exponents of the terms; the lowest five bits of an input choose one. Normal: least,
// middle, last, overflow, far above; and every distance below the least at which a bit of the term
// counts.
inline constexpr std::array rounder_exponents{1,   127, 254, 255, 511, 0,   -1,  -2,  -3,  -4,  -5,
                                              -6,  -7,  -8,  -9,  -10, -11, -12, -13, -14, -15, -16,
                                              -17, -18, -19, -20, -21, -22, -23, -24, -25, -512};

struct RounderResult {
  int64_t compared = 0;
  int64_t mismatches = 0;
  std::string first_mismatch;
};
// Inputs first, first + stride, … below last, of 2^32. fault: a number of rtl_models/rtl/faults.h
// in fp32_from_term, 0 for none. A stride of a multiple of 32 stays with one exponent.
RounderResult run_rounders(uint64_t first, uint64_t last, uint64_t stride = 1, uint8_t fault = 0);

}  // namespace mxref
