#pragma once
// The Verilated rounders on every input: fp32_from_term in its narrow form, a term of 23 bits whose
// leading bit is set and every exponent, 2^32 together; fp32_to_16 on all binary32.

#include <cstdint>
#include <string>

namespace mxref {

struct RounderResult {
  int64_t compared = 0;
  int64_t mismatches = 0;
  std::string first_mismatch;
};
// Inputs first, first + stride, … below last, of 2^32. fault: a number of rtl_models/rtl/faults.h
// in fp32_from_term, 0 for none.
RounderResult run_rounders(uint64_t first, uint64_t last, uint64_t stride = 1, uint8_t fault = 0);

}  // namespace mxref
