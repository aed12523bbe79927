// The benches of the units beside the array: each passes, and catches every fault planted in it.

#include "rtl_models/cosim/bench_units.h"

#include <boost/test/unit_test.hpp>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "rtl_models/cosim/coverage.h"
#include "rtl_models/cosim/rounders.h"
#include "rtl_models/cosim/scaling_bench.h"
#include "rtl_models/rtl/faults.h"
#include "tests/temporary_folder.h"

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
    const std::vector<UnitFault> faults = unit.faults({});
    BOOST_TEST(!faults.empty());
    for (size_t i = 0; i < faults.size(); ++i) {
      const UnitResult r = unit.plant({}, i);
      BOOST_TEST_MESSAGE(unit.name << ", " << faults[i].name << " after " << r.cycles << " cycles");
      BOOST_TEST(!r.passed(), faults[i].name << " not caught in " << r.cycles << " cycles");
    }
  }
}

// An FST file begins with the block of its header: type 0, its length 329, then where it begins and
// ends (https://gtkwave.sourceforge.net/gtkwave.pdf, appendix F), big-endian.
static uint64_t last_time(const std::filesystem::path& fst) {
  const std::string bytes = read_file(fst);
  BOOST_REQUIRE(bytes.size() > 329u);
  BOOST_TEST(bytes[0] == 0);
  uint64_t end = 0;
  for (size_t i = 17; i < 25; ++i) end = end << 8 | uint8_t(bytes[i]);
  return end;
}

BOOST_AUTO_TEST_CASE(a_failing_run_leaves_the_waves_of_its_last_cycles) {
  const TemporaryFolder folder;
  for (const BenchUnit& unit : bench_units()) {
    const std::filesystem::path waves = folder.path() / "w.fst";
    const UnitResult r = unit.plant({.waves = waves}, 0);
    BOOST_TEST(!r.passed());
    BOOST_TEST(last_time(r.waves) + 10 > uint64_t(2 * r.cycles - 10), unit.name);
    BOOST_CHECK_THROW(unit.plant({.waves = "/nonexistent/x.fst"}, 0), InputError);
  }
}

// Of 2^32 inputs some (the long suite has all), and a fault as the control, also where results
// are normal.
BOOST_AUTO_TEST_CASE(rounders_agree_on_inputs_from_everywhere) {
  constexpr uint64_t all = uint64_t(1) << 32, stride = 65'537;
  const RounderResult r = run_rounders(0, all, stride);
  BOOST_TEST(r.mismatches == 0, r.first_mismatch);
  BOOST_TEST(r.compared > 390'000);
  const Fault& fault = find_by_name(faults, "fault", "tie_away");
  const auto number = uint8_t(1 + (&fault - faults.data()));
  BOOST_TEST(run_rounders(0, all, stride, number).mismatches > 0);
  static_assert(rounder_exponents[0] == 1 && rounder_exponents[2] == 254);
  for (int i = 0; i < 3; ++i)  // of normal results
    BOOST_TEST(run_rounders(i, all, stride * rounder_exponents.size(), number).mismatches > 0);
}

BOOST_AUTO_TEST_CASE(control_a_scaling_unit_of_another_rounding_or_flush_differs) {
  const ScalingSource& source = scaling_units().back();
  ScalingDesign rne = source.design, gradual = source.design;
  rne.rounding = SumRounding::rne;
  gradual.ftz = false;
  BOOST_TEST(run_scaling_bench({.design = source.design}, source.make).mismatches == 0);
  for (const ScalingDesign& other : {rne, gradual})
    BOOST_TEST(run_scaling_bench({.design = other}, source.make).mismatches > 0);
}

BOOST_AUTO_TEST_CASE(the_scaling_unit_reaches_every_corner) {
  for (const BenchUnit& unit : bench_units()) {
    if (unit.name != "scaling") continue;
    const Coverage coverage = parse_coverage(unit.run({}).front().coverage_data);
    BOOST_TEST(coverage.functional.value() == 1.0);
    BOOST_TEST(coverage.line.value() == 1.0);
  }
}

BOOST_AUTO_TEST_SUITE_END()
