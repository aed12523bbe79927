// The Verilated arrays against emu, bit for bit, and against the cycles of rtl_models/README.md.
// (Against the SystemC model: cosim_test.cc.)

#include <unistd.h>

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "emu/binary32.h"
#include "emu/dot.h"
#include "emu/e8m0.h"
#include "rtl_models/cosim/array_stimulus.h"
#include "rtl_models/cosim/scoreboard.h"
#include "rtl_models/engine/verilated_array.h"
#include "rtl_models/rtl/faults.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(array)

struct Verdict {
  int64_t accumulations = 0;  // compared with accumulate_block
  int64_t results = 0;        // compared, once more
  std::string failure;        // the first mismatch; empty: none
};

// Random traffic (gaps, back-pressure, resets, special values) over `cycles`; every update of the
// accumulators and every row of results is compared, until one differs.
static Verdict drive(ArrayPort& array, const CosimOptions& options, int64_t cycles,
                     uint8_t fault = 0) {
  ArrayStimulus stimulus(options, array.design());
  Scoreboard scoreboard(array.design());
  Verdict verdict;
  bool taken = false;
  for (int64_t cycle = 0; cycle < cycles && verdict.failure.empty(); ++cycle) {
    ArrayInputs pins = stimulus.next(taken);
    pins.fault = fault;
    const ArrayOutputs& out = array.outputs();
    std::vector<Mismatch> mismatches;
    taken = false;
    if (!pins.rst_n) {
      scoreboard.reset();
    } else {
      if (out.trace_valid) {
        scoreboard.check_trace(out, mismatches);
        verdict.accumulations += int64_t(out.trace_acc.size());
      }
      taken = pins.in_valid && out.in_ready;
      if (taken) scoreboard.beat_taken(pins);
      if (out.out_valid && pins.out_ready) {
        scoreboard.check_row(out, mismatches);
        verdict.results += int64_t(out.out_data.size());
      }
    }
    if (!mismatches.empty())
      verdict.failure = mismatches[0].signal + ": expected " + mismatches[0].expected + ", got " +
                        mismatches[0].got + " (cycle " + std::to_string(cycle) + ", seed " +
                        std::to_string(options.seed) + ")";
    array.clock(pins);
  }
  return verdict;
}

// A tile of one block with these pins → the accumulators.
static std::vector<uint32_t> one_block(ArrayPort& array, ArrayInputs& pins) {
  pins.in_valid = pins.in_first = pins.in_last = pins.out_ready = true;
  while (!array.outputs().in_ready) array.clock(pins);
  array.clock(pins);
  pins.in_valid = false;
  while (!array.outputs().trace_valid) array.clock(pins);
  return array.outputs().trace_acc;
}

static std::unique_ptr<ArrayPort> reset_array(std::unique_ptr<ArrayPort> array, ArrayInputs& pins) {
  pins.rst_n = false;
  array->clock(pins);
  pins.rst_n = true;
  return array;
}
static std::unique_ptr<ArrayPort> reset_engine_array(ArrayInputs& pins) {
  return reset_array(make_engine_array(), pins);
}

// Each pair alone in a block of zeros, its lane running over all lanes: a row has one code of a, a
// column one of b.
static void check_all_pairs(const BenchSource& source, const BlockFormat& format_a,
                            const BlockFormat& format_b) {
  const ElementFormat &a = *format_a.element, &b = *format_b.element;
  ArrayInputs pins(source.design);
  const auto array = reset_array(source.make(), pins);
  pins.format_a = uint8_t(format_number(format_a));
  pins.format_b = uint8_t(format_number(format_b));
  pins.in_lanes = uint8_t(format_a.block);
  pins.a_scales.assign(pins.a_scales.size(), format_a.scale->one);
  pins.b_scales.assign(pins.b_scales.size(), format_b.scale->one);
  const auto rows = uint32_t(source.design.shape.rows), cols = uint32_t(source.design.shape.cols);
  const auto lanes = size_t(source.design.lanes());
  const uint32_t codes_a = 1u << a.bits(), codes_b = 1u << b.bits();
  size_t lane = 0;
  for (uint32_t code_a = 0; code_a < codes_a; code_a += rows)
    for (uint32_t code_b = 0; code_b < codes_b; code_b += cols) {
      lane = (lane + 1) % size_t(format_a.block);
      std::ranges::fill(pins.a_codes, uint8_t(0));
      std::ranges::fill(pins.b_codes, uint8_t(0));
      // Behind the last code they begin anew.
      for (uint32_t i = 0; i < rows; ++i)
        pins.a_codes[i * lanes + lane] = uint8_t((code_a + i) % codes_a);
      for (uint32_t i = 0; i < cols; ++i)
        pins.b_codes[i * lanes + lane] = uint8_t((code_b + i) % codes_b);
      const std::vector<uint32_t> got = one_block(*array, pins);
      for (uint32_t i = 0; i < rows * cols; ++i) {
        const uint8_t ca = pins.a_codes[i / cols * lanes + lane],
                      cb = pins.b_codes[i % cols * lanes + lane];
        const uint32_t expected = accumulate_block(
            datapath("fused"), 0, block_sum(a, {&ca, 1}, b, {&cb, 1}), format_a.scale->one,
            format_b.scale->one, *format_a.scale, *format_b.scale);
        BOOST_REQUIRE_MESSAGE(got[i] == expected, a.name << " 0x" << std::hex << int(ca) << " · "
                                                         << b.name << " 0x" << int(cb)
                                                         << " in lane " << std::dec << lane
                                                         << ": expected 0x" << std::hex << expected
                                                         << ", got 0x" << got[i]);
      }
    }
}

// The array of a datapath at the ragged shape.
static const BenchSource& ragged_array(std::string_view name) {
  for (const BenchSource& source : bench_arrays())
    if (source.design.datapath->name == name && source.design.shape.rows == 3) return source;
  throw UsageError("no such array");
}

BOOST_AUTO_TEST_CASE(every_pair_of_elements_of_every_pair_of_formats) {
  for (const BlockFormat& a : block_formats)
    for (const BlockFormat& b : block_formats)
      if (a.scale == b.scale) check_all_pairs(ragged_array("fused"), a, b);
}

BOOST_AUTO_TEST_CASE(a_million_accumulations_of_random_and_adversarial_operands) {
  const auto array = make_engine_array();
  const Verdict verdict = drive(*array, {.backpressure = 0.2, .seed = 7}, 66000);
  BOOST_TEST(verdict.failure.empty(), verdict.failure);
  BOOST_TEST(verdict.accumulations > 1000000);
  BOOST_TEST(verdict.results > 100000);
}

BOOST_AUTO_TEST_CASE(gaps_back_pressure_and_resets_change_no_bits) {
  for (const BenchSource& source : bench_arrays())
    for (double backpressure : {0.0, 0.5, 1.0}) {
      const auto array = source.make();
      const Verdict verdict = drive(*array, {.backpressure = backpressure, .seed = 11}, 10000);
      BOOST_TEST(verdict.failure.empty(), verdict.failure);
      BOOST_TEST(verdict.results > 100);
      BOOST_TEST(array->assertions_failed() == 0);
    }
}

// The figures of rtl_models/README.md.
BOOST_AUTO_TEST_CASE(a_result_comes_four_cycles_after_the_last_beat_and_a_tile_takes_what_it_says) {
  for (int blocks : {1, 5, 9, 12}) {
    ArrayInputs pins(engine_array_design());
    const auto array = reset_engine_array(pins);
    pins.in_lanes = 32;
    pins.in_valid = pins.out_ready = true;
    const int tiles = 20;
    std::vector<int64_t> first_row_cycle, last_beat_cycle;
    int64_t beats = 0;
    for (int64_t cycle = 0; first_row_cycle.size() < tiles; ++cycle) {
      pins.in_first = beats % blocks == 0;
      pins.in_last = beats % blocks == blocks - 1;
      const ArrayOutputs& out = array->outputs();
      if (out.out_valid && out.out_row == 0) first_row_cycle.push_back(cycle);
      if (out.in_ready && pins.in_last) last_beat_cycle.push_back(cycle);
      beats += out.in_ready;
      array->clock(pins);
    }
    BOOST_TEST(first_row_cycle[0] - last_beat_cycle[0] == 4);
    const int64_t period = first_row_cycle[tiles - 1] - first_row_cycle[tiles - 2];
    BOOST_TEST(period == std::max(blocks, engine_array_design().shape.rows + 1));
  }
}

// Known by hand: the second oracle of the special values.
BOOST_AUTO_TEST_CASE(special_values_by_hand) {
  ArrayInputs pins(engine_array_design());
  const auto array = reset_engine_array(pins);
  pins.in_lanes = 32;
  const auto run = [&](uint32_t c, uint8_t code_a, uint8_t code_b, uint8_t scale_a,
                       uint8_t scale_b) {
    std::ranges::fill(pins.a_codes, uint8_t(0));
    pins.format_a = 3;  // e4m3: 0x38 is 1, 0x7e is 448, 0x01 is 2^-9
    pins.format_b = 0;  // e2m1: 0x2 is 1, 0x7 is 6
    pins.a_codes[0] = code_a;
    pins.b_codes[0] = code_b;
    pins.a_scales[0] = scale_a;
    pins.b_scales[0] = scale_b;
    pins.in_preload = true;
    pins.c[0] = c;
    return one_block(*array, pins)[0];
  };
  const uint32_t one = 0x3F800000, nan = 0x7FC00000, inf = 0x7F800000, minus = 0x80000000;
  BOOST_TEST(run(0, 0x38, 0x2, 127, 127) == one);
  BOOST_TEST(run(0, 0x7F, 0x2, 127, 127) == nan);           // NaN element
  BOOST_TEST(run(0, 0x7F, 0x0, 127, 127) == nan);           // NaN · 0
  BOOST_TEST(run(0, 0x00, 0x0, 255, 0) == nan);             // NaN scale, no product
  BOOST_TEST(run(0xFFC12345, 0x38, 0x2, 127, 127) == nan);  // the payload is canonical
  BOOST_TEST(run(inf, 0xB8, 0x2, 254, 254) == inf);         // Inf stays
  BOOST_TEST(run(minus | inf, 0x38, 0x2, 254, 254) == (minus | inf));
  BOOST_TEST(run(0x7F7FFFFF, 0x38, 0x2, 127, 127) == 0x7F7FFFFFu);
  BOOST_TEST(run(0x7F7FFFFF, 0x38, 0x2, 127 + 103, 127) == inf);  // half of the last place: ties
  BOOST_TEST(run(0x7F7FFFFF, 0x38, 0x2, 127 + 102, 127) == 0x7F7FFFFFu);
  BOOST_TEST(run(0, 0x38, 0x2, 0, 127 - 22) == 1u);       // 2^-149
  BOOST_TEST(run(0, 0x38, 0x2, 0, 127 - 23) == 0u);       // half of it: to even
  BOOST_TEST(run(0, 0xB8, 0x2, 0, 127 - 23) == minus);    // with its sign
  BOOST_TEST(run(1, 0x38, 0x2, 0, 127 - 23) == 2u);       // 1.5 of it: to even
  BOOST_TEST(run(one, 0x38, 0x2, 127 - 24, 127) == one);  // a tie at 1
  BOOST_TEST(run(one + 1, 0x38, 0x2, 127 - 24, 127) == one + 2);
  BOOST_TEST(run(one, 0xB8, 0x2, 127, 127) == 0u);       // cancels to +0
  BOOST_TEST(run(minus, 0x00, 0x2, 127, 127) == minus);  // -0 stays without a product
  BOOST_TEST(run(minus, 0x38, 0x2, 0, 0) == 0u);         // far below: rounds to +0
  BOOST_TEST(run(one, 0x38, 0x2, 0, 0) == one);
}

// 21 of the largest products, 448^2 each, put the leading bit of the sum as high as it comes: the
// sum is 4214784, its last place in binary32 2^-1, one unit 2^-18.
BOOST_AUTO_TEST_CASE(one_unit_decides_a_tie_of_the_widest_sum) {
  ArrayInputs pins(engine_array_design());
  const auto array = reset_engine_array(pins);
  pins.in_lanes = 32;
  pins.format_a = pins.format_b = 3;  // e4m3
  std::ranges::fill(pins.a_scales, e8m0::encode_sat(0));
  std::ranges::fill(pins.b_scales, e8m0::encode_sat(0));
  const auto sum = [&](bool odd, uint8_t unit) {
    std::ranges::fill(pins.a_codes, uint8_t(0));
    std::ranges::fill(pins.b_codes, uint8_t(0));
    const auto put = [&](size_t lane, uint8_t a, uint8_t b) {
      pins.a_codes[lane] = a;
      pins.b_codes[lane] = b;
    };
    for (size_t lane = 0; lane < 21; ++lane) put(lane, 0x7E, 0x7E);
    if (odd) put(29, 0x38, 0x30);  // 1 · 2^-1: one last place
    put(30, 0x30, 0x30);           // 2^-2: half of it
    put(31, unit, 0x01);           // ±2^-9 · 2^-9, or nothing
    return std::bit_cast<float>(one_block(*array, pins)[0]);
  };
  const uint8_t none = 0x00, plus = 0x01, minus = 0x81;
  BOOST_TEST(sum(false, none) == 4214784.0f);
  BOOST_TEST(sum(false, plus) == 4214784.5f);
  BOOST_TEST(sum(false, minus) == 4214784.0f);
  BOOST_TEST(sum(true, none) == 4214785.0f);
  BOOST_TEST(sum(true, plus) == 4214785.0f);
  BOOST_TEST(sum(true, minus) == 4214784.5f);
}

BOOST_AUTO_TEST_CASE(waves_and_coverage_are_written_or_refused) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path();
  const std::string name = "mxref-array-test-" + std::to_string(getpid());
  const auto array = covered_arrays().front().make();
  array->open_waves(folder / (name + ".fst"));
  BOOST_TEST(drive(*array, {}, 200).failure.empty());
  BOOST_TEST(array->coverage().size() > 10000u);
  BOOST_CHECK_THROW(array->open_waves("/nonexistent/x.fst"), InputError);
  std::filesystem::remove(folder / (name + ".fst"));
}

BOOST_AUTO_TEST_CASE(control_every_planted_fault_is_seen_at_the_ragged_shape) {
  for (size_t i = 0; i < faults.size(); ++i) {
    const auto array = ragged_array("fused").make();
    const Verdict verdict = drive(*array, {.seed = 3}, 50000, uint8_t(i + 1));
    const std::string seen = verdict.failure.empty()
                                 ? std::to_string(array->assertions_failed()) + " assertions failed"
                                 : verdict.failure;
    BOOST_TEST_MESSAGE(faults[i].name << ": " << seen);
    BOOST_TEST((!verdict.failure.empty() || array->assertions_failed() > 0),
               faults[i].name << " was not seen");
  }
}

BOOST_AUTO_TEST_SUITE_END()
