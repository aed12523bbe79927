#define BOOST_TEST_MODULE cosim
#include "rtl_models/cosim/cosim.h"

#include <boost/test/unit_test.hpp>

#include "emu/error.h"
#include "rtl_models/cosim/array_stimulus.h"
#include "rtl_models/cosim/bench_units.h"
#include "rtl_models/cosim/coverage_waivers.h"
#include "rtl_models/cosim/scoreboard.h"
#include "rtl_models/engine/verilated_array.h"
#include "rtl_models/rtl/faults.h"

using namespace mxref;

static CosimOptions small_run(uint64_t seed = 1) {
  CosimOptions options;
  options.blocks = 200'000;
  options.seed = seed;
  return options;
}

BOOST_AUTO_TEST_CASE(rtl_and_systemc_and_the_definition_agree_in_every_cycle) {
  const std::vector<CosimResult> results = run_cosim(small_run());
  BOOST_TEST(results.size() == bench_arrays().size() + covered_arrays().size());
  for (const CosimResult& r : results) {
    BOOST_TEST(r.passed(), r.failure);
    BOOST_TEST(r.compared > 1000);
    BOOST_TEST(r.stalled_cycles > 100);
    BOOST_TEST(r.cycles > r.stalled_cycles);
    BOOST_TEST(r.coverage.line.value() >= 0.97);
    BOOST_TEST(r.coverage.toggle.value() >= 0.97);
    BOOST_TEST(r.coverage.functional.value() == 1.0);
  }
}

// Before reset is left the array takes nothing, so nothing must stay on the pins.
BOOST_AUTO_TEST_CASE(what_the_pins_show_in_reset_is_no_beat_when_the_array_drains) {
  const CosimOptions options = small_run();
  int ends_in_reset = 0;
  for (int length = 1; length < 5000; ++length) {
    ArrayStimulus stimulus(options, bench_arrays().front().design);
    const ArrayInputs* pins = nullptr;
    for (int cycle = 0; cycle < length; ++cycle) pins = &stimulus.next(false);
    if (pins->rst_n || !pins->in_valid) continue;
    ++ends_in_reset;
    BOOST_TEST(!stimulus.drain(false).in_valid, "after " << length << " cycles");
  }
  BOOST_TEST(ends_in_reset > 0);
}

// Every planted fault is a control of the bench, and no fault is one of the controls: the same run
// without a fault passes (above).
BOOST_AUTO_TEST_CASE(every_planted_fault_is_caught) {
  const std::vector<FaultResult> results = run_faults({});
  BOOST_TEST(results.size() == faults.size());
  for (const FaultResult& r : results)
    BOOST_TEST(r.caught, r.name << " not caught in " << r.cycles << " cycles");
}

// Of each datapath that was built the faults in its hardware.
BOOST_AUTO_TEST_CASE(every_planted_fault_of_a_datapath_is_caught) {
  using Names = std::vector<std::string>;
  const Names of_binary32{"nan_scale_without_product",
                          "nan_payload",
                          "inf_changes_sign",
                          "align_wraps",
                          "align_sticky",
                          "acc_minus_zero"};
  const Names of_sums{"sign_both_negative", "sum_last_lane", "sum_one_bit_short"};
  for (const BenchSource& source : bench_arrays()) {
    if (source.design.shape.rows != 2) continue;
    const Datapath& d = *source.design.datapath;
    Names elsewhere;
    for (const FaultResult& r : run_faults({.datapath = &d})) {
      BOOST_TEST((r.caught || !r.needs.empty()), r.name << " not caught on " << d.name);
      if (!r.needs.empty()) elsewhere.push_back(r.name);
    }
    Names expected;
    const auto add = [&](const Names& names) {
      expected.insert(expected.end(), names.begin(), names.end());
    };
    const bool aligned = d.kind == Accumulation::aligned, groups = d.alignment.group > 1;
    if (aligned && !groups) add(of_sums);
    if (d.kind != Accumulation::fused && !groups) add({"sum_all_cancelled"});
    if (aligned || d.kind == Accumulation::exact) add(of_binary32);
    if (aligned && d.alignment.output != SumRounding::rne) add({"round_subnormal", "tie_away"});
    std::ranges::sort(elsewhere);
    std::ranges::sort(expected);
    BOOST_TEST(elsewhere == expected, d.name);
  }
}

// Under every restriction a fault is caught, or is said not to show; few are.
BOOST_AUTO_TEST_CASE(under_restrictions_a_fault_is_caught_or_cannot_show) {
  const BlockFormat *any = nullptr, *e2m1 = &block_format("mxfp4"),
                    *e4m3 = &block_format("mxfp8_e4m3");
  for (const auto& [a, b] : {std::pair{any, any},
                             {e2m1, e2m1},
                             {e4m3, e4m3},
                             {e2m1, e4m3},
                             {e4m3, e2m1},
                             {any, e4m3},
                             {e2m1, any}})
    for (const double backpressure : {0.0, 0.5, 1.0}) {
      CosimOptions options;
      options.format_a = a;
      options.format_b = b;
      options.backpressure = backpressure;
      for (const FaultResult& r : run_faults(options))
        BOOST_TEST((r.caught || !r.needs.empty()),
                   r.name << " not caught: a " << (a ? a->name : "any") << ", b "
                          << (b ? b->name : "any") << ", back-pressure " << backpressure);
    }
  CosimOptions options = small_run();
  options.format_a = options.format_b = e2m1;
  const auto hidden = [](const CosimOptions& restricted) {
    std::vector<std::string> names;
    for (const FaultResult& r : run_faults(restricted))
      if (!r.needs.empty()) names.push_back(r.name);
    return names;
  };
  using Names = std::vector<std::string>;
  BOOST_TEST(hidden(options) ==
             (Names{"decode_max_as_nan", "multiply_max", "sum_one_bit_short", "format_kept"}));
  BOOST_TEST(hidden({.backpressure = 0}) ==
             (Names{"valid_withdrawn", "row_repeated", "format_of_a_gap"}));
  BOOST_TEST(hidden({}).empty());
  BOOST_CHECK_THROW(run_faults(options, "multiply_max"), UsageError);
  BOOST_TEST(run_faults(options, "tie_away").front().caught);
}

BOOST_AUTO_TEST_CASE(a_failure_says_how_to_repeat_it_and_repeats) {
  CosimOptions options = small_run(7);
  options.format_a = options.format_b = &block_format("mxfp8_e4m3");
  const auto run = [&] { return run_faults(options, "tie_away").front(); };
  const FaultResult first = run(), second = run();
  BOOST_TEST(first.caught);
  BOOST_TEST(first.cycles == second.cycles);
  BOOST_TEST(first.failure == second.failure);
  for (const char* part : {"seed 7, cycle ", ", signal ", ": expected 0x", ", got 0x",
                           "repeat: mxref cosim --format mxfp8_e4m3 --format-b mxfp8_e4m3 --blocks "
                           "200000 --backpressure 0.5 --seed 7 --faults tie_away"})
    BOOST_TEST(first.failure.find(part) != std::string::npos, part << " not in: " << first.failure);
}

BOOST_AUTO_TEST_CASE(the_seed_decides_the_run) {
  CosimOptions options = small_run(3);
  options.shape = {3, 5};
  options.datapath = &datapath("fused");
  const auto cycles = [&] { return run_cosim(options).front().cycles; };
  const int64_t first = cycles();
  BOOST_TEST(first == cycles());
  options.seed = 4;
  BOOST_TEST(first != cycles());
}

BOOST_AUTO_TEST_CASE(without_back_pressure_beats_wait_only_for_short_tiles) {
  CosimOptions options = small_run();
  options.shape = {2, 2};
  options.datapath = &datapath("fused");
  const int64_t with = run_cosim(options).front().stalled_cycles;
  options.backpressure = 0;
  const int64_t without = run_cosim(options).front().stalled_cycles;
  BOOST_TEST(without < with);
}

BOOST_AUTO_TEST_CASE(wrong_use_is_refused) {
  CosimOptions options = small_run();
  options.shape = {4, 4};
  BOOST_CHECK_THROW(run_cosim(options), UsageError);
  BOOST_CHECK_THROW(run_faults({}, "tie_avay"), UsageError);
  options = small_run();
  options.backpressure = 1.5;
  BOOST_CHECK_THROW(run_cosim(options), UsageError);
  // Before the work, not after it.
  const char* before = getenv("TMPDIR");
  const std::string kept = before ? before : "";
  setenv("TMPDIR", "/nonexistent", 1);
  options = small_run();
  options.progress = [](int64_t, int64_t) { BOOST_ERROR("began without a place for its data"); };
  BOOST_CHECK_THROW(run_cosim(options), InputError);
  before ? setenv("TMPDIR", kept.c_str(), 1) : unsetenv("TMPDIR");
}

BOOST_AUTO_TEST_CASE(every_waiver_leaves_out_points_that_no_run_reaches) {
  std::string data;
  for (const CosimResult& r : run_cosim(small_run())) data += r.coverage_data;
  for (const BenchUnit& unit : bench_units())
    for (const UnitResult& r : unit.run({})) data += r.coverage_data;
  std::vector<std::string> unsound;
  const Coverage merged = parse_coverage(data, coverage_waivers, &unsound);
  BOOST_TEST(merged.waived > 200);
  BOOST_TEST(merged.line.value() >= 0.97);
  BOOST_TEST(merged.toggle.value() >= 0.97);
  BOOST_TEST(merged.functional.value() == 1.0);
  for (const std::string& waiver : unsound) BOOST_ERROR(waiver);
  // The control: one that leaves out what was reached, one of no signal.
  const CoverageWaiver wrong[] = {{"mx_stage.sv", "valid_q", ""}, {"mx_stage.sv", "valid_p", ""}};
  unsound.clear();
  parse_coverage(data, wrong, &unsound);
  BOOST_TEST(unsound.size() == 2u);
}

BOOST_AUTO_TEST_CASE(coverage_has_signals_of_any_width_in_runs_no_longer_than_asked_for) {
  CosimOptions options;
  options.datapath = &datapath("exact");
  options.blocks = 10'000;
  std::string data;
  for (const CosimResult& r : run_cosim(options)) {
    data += r.coverage_data;
    if (!r.coverage_data.empty()) BOOST_TEST(r.blocks < 2 * options.blocks);
  }
  for (const char* bit : {"exact_q[0]", "exact_q[593]"})
    BOOST_TEST(data.find("\2" + std::string(bit) + "\1") != data.npos, bit);
}

BOOST_AUTO_TEST_CASE(coverage_data_is_read_as_fractions_and_damage_is_refused) {
  const std::string head = "# SystemC::Coverage-3\n";
  const auto point = [](const char* page, const char* line, const char* instance, int count) {
    return std::string("C '\1f\2a.sv\1l\2") + line + "\1page\2" + page + "\1h\2" + instance + "' " +
           std::to_string(count) + "\n";
  };
  const Coverage coverage =
      parse_coverage(head + point("v_line/a", "1", "x", 0) + point("v_line/a", "1", "y", 3) +
                     point("v_branch/a", "2", "x", 0) + point("v_toggle/a", "3", "x", 1) +
                     point("v_user/a", "4", "x", 0));
  BOOST_TEST(coverage.line.value() == 0.5);  // line 1 is reached in one of its instances
  BOOST_TEST(coverage.toggle.value() == 1.0);
  BOOST_TEST(coverage.functional.value() == 0.0);
  // Of a variant, which collects its corners alone, nothing is said of lines.
  const Coverage of_corners = parse_coverage(head + point("v_user/a", "4", "x", 1));
  BOOST_TEST(!of_corners.line);
  BOOST_TEST(!of_corners.toggle);
  BOOST_TEST(of_corners.functional.value() == 1.0);
  // A corner that one model reaches, and another does not: a datapath's is a point in each.
  for (const auto& [page, reached] :
       {std::pair{"v_user/mx_pe_corners__D0", 0.5}, {"v_user/a", 1.0}})
    BOOST_TEST(parse_coverage(head + point(page, "4", "x", 0) + head + point(page, "4", "x", 1))
                   .functional.value() == reached);
  for (const char* bad : {"", "no coverage\n", "# SystemC::Coverage-3\nC 'x' 1\n",
                          "# SystemC::Coverage-3\nC '\1f\2a' many\n"})
    BOOST_CHECK_THROW(parse_coverage(bad), InputError);
}

BOOST_AUTO_TEST_CASE(the_scoreboard_sees_a_wrong_bit_a_lost_row_and_a_row_too_many) {
  const ArrayDesign design{.shape = {1, 2}};
  ArrayInputs beat(design);
  beat.in_lanes = 32;
  beat.in_valid = beat.in_first = beat.in_last = beat.in_preload = true;
  beat.c = {0x3F800000, 0x40000000};
  ArrayOutputs row(design.shape);
  row.out_data = beat.c;  // +0 codes add nothing
  row.out_last = true;
  const auto mismatches = [&](int beats, int rows, uint32_t flip) {
    Scoreboard scoreboard(design);
    std::vector<Mismatch> found;
    for (int i = 0; i < beats; ++i) scoreboard.beat_taken(beat);
    row.out_data[1] ^= flip;
    for (int i = 0; i < rows; ++i) scoreboard.check_row(row, found);
    row.out_data[1] ^= flip;
    return found.size();
  };
  BOOST_TEST(mismatches(1, 1, 0) == 0u);
  BOOST_TEST(mismatches(1, 1, 1) == 1u);
  BOOST_TEST(mismatches(1, 2, 0) == 1u);
}
