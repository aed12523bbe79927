#pragma once
// The smallest input that still fails: parts are taken away, and what is left is made simpler, as
// long as the simulator still differs from the definition, and in the same way.

#include "emu/audit/report.h"
#include "emu/audit/simulator.h"

namespace mxref {

struct ShrinkLimits {
  int64_t runs = 400;  // of the simulator
  double seconds = 60;
};

// One element of a failing product (one row of a and one of b), or one failing block → the smallest
// found, with the simulator's answer to it alone. Nothing where the simulator does not differ as
// `row` says on the part alone. An error of the simulator counts as no difference.
std::unique_ptr<ProductCase> shrink(Simulator& simulator, const ProductInput& one,
                                    const Datapath& datapath, const ClassRow& row,
                                    const ShrinkLimits& limits = {});
std::unique_ptr<ConversionCase> shrink(Simulator& simulator, const ConversionInput& one,
                                       const ClassRow& row, const ShrinkLimits& limits = {});

}  // namespace mxref
