#pragma once
// The long suite: named parts, each a number of slices that can be run in any order and stopped
// between any two.

#include <cstdint>
#include <string>
#include <vector>

namespace mxref {
struct CrosscheckReport;
}

namespace mxref::long_suite {

struct SliceResult {
  int64_t compared = 0;
  int64_t mismatches = 0;
  std::string first_mismatch;  // operands in hex, expected, got
};

struct Part {
  std::string name;
  std::string what;
  int64_t slices;
  SliceResult (*run)(int64_t slice);
  bool (*control)();         // plants an error and says whether this part's comparison found it
  bool side_by_side = true;  // whether slices may run in several threads at once
};

SliceResult result_of(const CrosscheckReport& report);

Part conversion_part();
Part accumulator_part();
Part elementary_part();
Part crosscheck_part();
Part fuzz_part();
Part rows_part();
Part compilers_part();
Part cosim_part();
Part rounders_part();
Part proofs_part();
Part mutants_part();
Part costs_part();
Part formulation_part();
Part models_part();
Part methods_part();

inline std::vector<Part> parts() {
  return {
    conversion_part(), accumulator_part(), elementary_part(), crosscheck_part(), fuzz_part(),
        rows_part(), compilers_part(),
#if MXREF_HAS_RTL
        cosim_part(), rounders_part(), proofs_part(), mutants_part(), costs_part(),
#endif
#if MXREF_HAS_TORCH
        formulation_part(), models_part(), methods_part(),
#endif
  };
}

}  // namespace mxref::long_suite
