// The benches of the units beside the array: each passes, and catches every fault planted in it.

#include "rtl_models/cosim/bench_units.h"

#include <boost/test/unit_test.hpp>

#include "rtl_models/cosim/coverage.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(bench_units_suite)

BOOST_AUTO_TEST_CASE(every_build_of_every_unit_agrees) {
  for (const BenchUnit& unit : bench_units())
    for (const UnitResult& r : unit.run({.seed = 2})) {
      BOOST_TEST(r.passed(), r.failure);
      BOOST_TEST(r.compared > 10'000, r.model << " compared " << r.compared);
    }
}

BOOST_AUTO_TEST_CASE(control_every_planted_fault_is_caught) {
  for (const BenchUnit& unit : bench_units()) {
    const std::vector<UnitFault> faults = unit.faults();
    BOOST_TEST(!faults.empty());
    for (size_t i = 0; i < faults.size(); ++i) {
      const UnitResult r = unit.plant({}, i);
      BOOST_TEST_MESSAGE(unit.name << ", " << faults[i].name << " after " << r.cycles << " cycles");
      BOOST_TEST(!r.passed(), faults[i].name << " not caught in " << r.cycles << " cycles");
    }
  }
}

BOOST_AUTO_TEST_CASE(the_scaling_unit_reaches_every_corner) {
  for (const BenchUnit& unit : bench_units()) {
    if (unit.name != "scaling") continue;
    const Coverage coverage = parse_coverage(unit.run({}).front().coverage_data);
    BOOST_TEST(coverage.functional == 1.0);
    BOOST_TEST(coverage.line == 1.0);
  }
}

BOOST_AUTO_TEST_SUITE_END()
