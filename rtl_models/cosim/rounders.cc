#include "rtl_models/cosim/rounders.h"

#include <verilated.h>

#include <sstream>

#include "emu/array_steps.h"
#include "emu/binary32.h"
#include "Vfp32_from_term_rne.h"
#include "Vfp32_from_term_rne_ftz.h"
#include "Vfp32_from_term_rz.h"
#include "Vfp32_from_term_rz13.h"
#include "Vfp32_to_16.h"

namespace mxref {
namespace {

constexpr int term_bits = 27, exponent_bits = 10;  // as the modules are built
constexpr int exponent_index_bits = 5;
static_assert(rounder_exponents.size() == 1u << exponent_index_bits);
static_assert(term_bits - 1 + 1 + exponent_index_bits == 32);  // leading bit set, sticky bit

class Rounders {
 public:
  explicit Rounders(uint8_t fault)
      : rne_(&context_), rne_ftz_(&context_), rz_(&context_), rz13_(&context_), to_16_(&context_) {
    rne_.fault_i = rne_ftz_.fault_i = rz_.fault_i = rz13_.fault_i = fault;
  }
  ~Rounders() {
    Verilated::threadContextp(&context_);  // as VerilatedArray's
    rne_.final();
    rne_ftz_.final();
    rz_.final();
    rz13_.final();
    to_16_.final();
  }

  void check(uint32_t input, RounderResult& result) {
    const int biased = rounder_exponents[input % rounder_exponents.size()];
    const bool sticky = input >> exponent_index_bits & 1;
    const uint32_t significand =
        1u << (term_bits - 1) | input >> (exponent_index_bits + 1);  // its top bit has the exponent
    const int lowest = biased + binary32::emin - 1 - (term_bits - 1);
    const uint32_t rne = binary32::round_rne(false, significand, lowest, sticky);
    const auto compare_term = [&](const char* module, auto& model, uint32_t expected) {
      model.significand_i = significand;
      model.sticky_i = sticky;
      model.exponent_i = uint16_t(biased) & ((1u << exponent_bits) - 1);
      model.eval();
      compare(module, input, expected, model.magnitude_o, result);
    };
    compare_term("fp32_from_term", rne_, rne);
    compare_term("fp32_from_term, FTZ", rne_ftz_, binary32::is_subnormal(rne) ? 0 : rne);
    compare_term("fp32_from_term, Rz", rz_,
                 binary32::truncate(false, significand, lowest, binary32::mantissa_bits));
    compare_term("fp32_from_term, Rz13", rz13_, binary32::truncate(false, significand, lowest, 13));
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
  Vfp32_from_term_rne rne_;
  Vfp32_from_term_rne_ftz rne_ftz_;
  Vfp32_from_term_rz rz_;
  Vfp32_from_term_rz13 rz13_;
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
