#include "rtl_models/cosim/rounders.h"

#include <verilated.h>

#include <sstream>

#include "emu/array_steps.h"
#include "emu/binary32.h"
#include "Vfp32_from_term.h"
#include "Vfp32_to_16.h"

namespace mxref {
namespace {

constexpr int term_bits = 23, exponent_bits = 10;  // as the module is built

class Rounders {
 public:
  explicit Rounders(uint8_t fault) : from_term_(&context_), to_16_(&context_) {
    from_term_.fault_i = fault;
    from_term_.sticky_i = false;
  }
  ~Rounders() {
    Verilated::threadContextp(&context_);  // as VerilatedArray's
    from_term_.final();
    to_16_.final();
  }

  void check(uint32_t input, RounderResult& result) {
    const uint32_t significand = 1u << (term_bits - 1) | (input >> exponent_bits);
    const int code = int(input & ((1u << exponent_bits) - 1));
    const int exponent = code < 1 << (exponent_bits - 1) ? code : code - (1 << exponent_bits);
    from_term_.significand_i = significand;
    from_term_.exponent_i = uint16_t(code);
    from_term_.eval();
    // The exponent is biased, of the top bit.
    const int lowest = exponent + binary32::emin - 1 - (term_bits - 1);
    compare("fp32_from_term", input, binary32::round_rne(false, significand, lowest),
            from_term_.magnitude_o, result);
    to_16_.value_i = input;
    for (const OutType type : {OutType::bf16, OutType::f16}) {
      to_16_.type_i = uint8_t(type);
      to_16_.eval();
      compare("fp32_to_16", input, to_out_type(input, type), to_16_.result_o, result);
    }
  }

 private:
  static void compare(const char* module, uint32_t input, uint32_t expected, uint32_t got,
                      RounderResult& result) {
    ++result.compared;
    if (expected == got || result.mismatches++ > 0) return;
    std::ostringstream text;
    text << std::hex << module << ", input 0x" << input << ": expected 0x" << expected << ", got 0x"
         << got;
    result.first_mismatch = text.str();
  }

  VerilatedContext context_;
  Vfp32_from_term from_term_;
  Vfp32_to_16 to_16_;
};

}  // namespace

RounderResult run_rounders(uint64_t first, uint64_t last, uint64_t stride, uint8_t fault) {
  RounderResult result;
  Rounders rounders(fault);
  for (uint64_t input = first; input < last; input += stride)
    rounders.check(uint32_t(input), result);
  return result;
}

}  // namespace mxref
