// The Verilated quantizer and dequantizer against emu, bit for bit, and against the figures of
// their headers.

#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

#include "emu/error.h"
#include "emu/quantize.h"
#include "rtl_models/cosim/coverage.h"
#include "rtl_models/cosim/quantize_bench.h"
#include "rtl_models/cosim/quantize_stimulus.h"
#include "rtl_models/rtl/quantize_faults.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(conversion)

static const ConversionBuild& build_named(std::string_view name) {
  return *std::ranges::find(conversion_builds(), name, &ConversionBuild::name);
}
template <typename Rows>
static uint8_t number_of(const Rows& rows, std::string_view name) {
  return uint8_t(std::ranges::find(rows, name, &Rows::value_type::name) - rows.begin());
}

// A model after a reset.
static std::unique_ptr<ConversionModel> reset_model(std::string_view name) {
  auto model = build_named(name).make();
  ConversionInputs pins;
  pins.rst_n = false;
  model->clock(pins);
  return model;
}

// One block through it.
static ConvertedBlock convert(ConversionModel& model, const ConversionBeat& beat) {
  ConversionInputs pins;
  pins.beat = beat;
  pins.in_valid = pins.out_ready = true;
  model.clock(pins);
  pins.in_valid = false;
  for (int cycle = 0; !model.outputs().out_valid && cycle < 20; ++cycle) model.clock(pins);
  BOOST_REQUIRE(model.outputs().out_valid);
  const ConvertedBlock block = model.outputs().block;
  model.clock(pins);
  return block;
}

static ConversionBeat beat_of(std::string_view format, std::vector<float> x,
                              std::string_view rule = "floor", std::string_view rounding = "rne") {
  ConversionBeat beat;
  beat.format = number_of(block_formats, format);
  beat.rule = number_of(scale_rules, rule);
  beat.rounding = number_of(roundings, rounding);
  beat.lanes = uint8_t(x.size());
  for (size_t i = 0; i < x.size(); ++i) beat.data[i] = std::bit_cast<uint32_t>(x[i]);
  return beat;
}

BOOST_AUTO_TEST_CASE(every_directed_block_is_as_the_definition_says) {
  for (const ConversionBuild& build : conversion_builds()) {
    const ConversionBenchResult r = run_conversion_bench(build, {.blocks = 0});
    BOOST_TEST(r.passed(), r.failure);
    BOOST_TEST_MESSAGE(r.model << ": " << r.blocks << " blocks, " << r.elements << " elements, "
                               << r.cycles << " cycles, " << r.dropped << " dropped by resets");
    BOOST_TEST(r.blocks > 400);
    BOOST_TEST(r.stalled_cycles > 100);
    if (!build.is_covered) continue;
    const Coverage coverage = parse_coverage(r.coverage_data);
    BOOST_TEST(coverage.line.value() == 1.0);
    BOOST_TEST(coverage.functional.value() == 1.0);
  }
}

BOOST_AUTO_TEST_CASE(random_blocks_gaps_back_pressure_and_resets_change_no_bits) {
  for (const double backpressure : {0.0, 0.5, 1.0})
    for (const ConversionBuild& build : conversion_builds()) {
      const ConversionBenchResult r =
          run_conversion_bench(build, {.backpressure = backpressure, .seed = 5});
      BOOST_TEST(r.passed(), r.failure);
      BOOST_TEST(r.dropped > 0);
    }
}

BOOST_AUTO_TEST_CASE(every_format_alone) {
  for (const BlockFormat& format : block_formats)
    for (const ConversionBuild& build : conversion_builds()) {
      if (!build.design.formats[format_number(format)]) continue;
      const ConversionBenchResult r =
          run_conversion_bench(build, {.format = &format, .blocks = 4000, .seed = 6});
      BOOST_TEST(r.passed(), r.failure);
    }
}

BOOST_AUTO_TEST_CASE(a_failure_says_what_differs_and_repeats) {
  const auto fault = std::ranges::find(quantize_faults, "tie_away", &QuantizeFault::name);
  const auto run = [&] {
    return run_conversion_bench(build_named("quantize"), {.blocks = 2000, .seed = 7},
                                uint8_t(1 + (fault - quantize_faults.begin())));
  };
  const ConversionBenchResult first = run(), second = run();
  BOOST_TEST(!first.passed());
  BOOST_TEST(first.failure == second.failure);
  for (const char* part : {"quantize, seed 7, cycle ", ", signal out_", ": expected 0x", ", got 0x",
                           "rounding rne", "blocks 2000", "fault tie_away"})
    BOOST_TEST(first.failure.find(part) != std::string::npos, part << " not in: " << first.failure);
}

// The figures of the headers: the cycles from a block to its result, and between two blocks.
BOOST_AUTO_TEST_CASE(blocks_take_the_cycles_that_the_headers_say) {
  const auto check = [](std::string_view name, const ConversionBeat& beat, int latency,
                        int distance) {
    const auto model = reset_model(name);
    ConversionInputs pins;
    pins.beat = beat;
    pins.in_valid = pins.out_ready = true;
    std::vector<int> results;
    for (int cycle = 0; results.size() < 10; ++cycle) {
      if (model->outputs().out_valid) results.push_back(cycle);
      model->clock(pins);
    }
    BOOST_TEST(results[0] == latency, name << ": " << results[0] << " cycles");
    for (size_t i = 1; i < results.size(); ++i) BOOST_TEST(results[i] - results[i - 1] == distance);
  };
  check("quantize", beat_of("mxfp8_e4m3", {1, 2, 3}), 4, 1);
  check("quantize", beat_of("nvfp4", {1, 2, 3}), 4, 1);
  check("quantize", beat_of("mxint8", {1, 2, 3}, "mse"), 4 + 5, 6);
  check("quantize", beat_of("mxfp4", {1, 2, 3}, "floor", "stochastic"), 4 + 10, 11);
  check("quantize", beat_of("mxfp4", {1, 2, 3}, "mse", "stochastic"), 4 + 10, 11);
  check("quantize", beat_of("nvfp4", {1, 2, 3}, "floor", "stochastic"), 4 + 10, 11);
  check("dequantize", beat_of("mxfp4", {}), 3, 1);
}

// Known by hand: the second oracle of the rules.
BOOST_AUTO_TEST_CASE(values_by_hand) {
  const auto model = reset_model("quantize");
  const auto codes = [&](const ConversionBeat& beat) {
    const ConvertedBlock block = convert(*model, beat);
    std::vector<int> list(block.codes.begin(), block.codes.begin() + beat.lanes);
    list.push_back(block.scale);
    return list;
  };
  using Codes = std::vector<int>;
  const float inf = INFINITY;
  // The ties of e2m1, as ARITHMETIC §2 lists them; 6 makes the scale 1.
  const std::vector<float> ties{0.25f, 0.75f, 1.25f, 1.75f, 2.5f, 3.5f, 5, 6};
  BOOST_TEST(codes(beat_of("mxfp4", ties)) == (Codes{0, 2, 2, 4, 4, 6, 6, 7, 127}));
  BOOST_TEST(codes(beat_of("mxfp4", ties, "floor", "rna")) == (Codes{1, 2, 3, 4, 5, 6, 7, 7, 127}));
  BOOST_TEST(codes(beat_of("mxfp4", ties, "floor", "rtz")) == (Codes{0, 1, 2, 3, 4, 5, 6, 7, 127}));
  // 7: beyond 6, so `roundup` and `even` (7 rounds to 8) take twice the scale, `floor` saturates.
  BOOST_TEST(codes(beat_of("mxfp4", {7})) == (Codes{7, 127}));
  BOOST_TEST(codes(beat_of("mxfp4", {7}, "roundup")) == (Codes{6, 128}));
  BOOST_TEST(codes(beat_of("mxfp4", {7}, "even")) == (Codes{6, 128}));
  BOOST_TEST(codes(beat_of("mxfp4", {4}, "ceil")) == (Codes{6, 127}));
  BOOST_TEST(codes(beat_of("mxfp4", {4.5f}, "ceil")) == (Codes{4, 128}));
  // 3 and 1.5 are codes under the scales 1/2 and 1: the smaller one.
  BOOST_TEST(codes(beat_of("mxfp4", {3, 1.5f}, "mse")) == (Codes{7, 5, 126}));
  // Zeros keep their sign, NaN and Inf take the block.
  BOOST_TEST(codes(beat_of("mxfp8_e5m2", {0.0f, -0.0f})) == (Codes{0, 0x80, 0}));
  BOOST_TEST(codes(beat_of("mxint8", {0.0f, -0.0f})) == (Codes{0, 0, 0}));
  BOOST_TEST(codes(beat_of("mxfp6_e3m2", {1, -inf, 2})) == (Codes{0, 0, 0, 0xFF}));
  BOOST_TEST(codes(beat_of("nvfp4", {1, NAN})) == (Codes{0, 0, 0x7F}));
  // int8 is symmetric: -1.999 saturates at -127/64.
  BOOST_TEST(codes(beat_of("mxint8", {-1.999f, 1})) == (Codes{0x81, 64, 127}));
  // nvfp4, g = 1: 6 has the scale 1; the least number where the quotient rounds to zero.
  BOOST_TEST(codes(beat_of("nvfp4", {6, -1.5f})) == (Codes{7, 0xB, 0x38}));
  BOOST_TEST(codes(beat_of("nvfp4", {0x1p-12f})) == (Codes{0, 1}));
  BOOST_TEST(codes(beat_of("nvfp4", {0x1p-10f})) == (Codes{1, 1}));
  // 3/4 of 7 is 5.25, nearer to 6 than to 4, under the scale of 7.
  ConversionBeat prescaled = beat_of("mxfp4", {7, 4});
  prescaled.prescale = true;
  BOOST_TEST(codes(prescaled) == (Codes{7, 5, 127}));
}

// Philox known answers (emu/philox.h) through the quantizer: 1 + f under the scale 1 of int8 goes
// up where the word lies below f · 2^32.
BOOST_AUTO_TEST_CASE(a_stochastic_rounding_meets_its_random_word) {
  const auto model = reset_model("quantize");
  // Words of counter 0, key 0; the last two lanes are of counter 1.
  const std::vector<uint32_t> words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  for (const uint64_t first : {0, 1, 2})
    for (const int above : {0, 1}) {
      ConversionBeat beat =
          beat_of("mxint8", std::vector<float>(5 - size_t(first), 1.0f), "floor", "stochastic");
      beat.index = first;
      for (size_t i = 0; first + i < 4; ++i) {  // the fraction in 2^-16, its bits above and at it
        const uint32_t fraction = (words[first + i] >> 16) + uint32_t(above);
        beat.data[i] = std::bit_cast<uint32_t>(1.0f + float(fraction) * 0x1p-22f);
      }
      const ConvertedBlock block = convert(*model, beat);
      for (size_t i = 0; first + i < 4; ++i) BOOST_TEST(block.codes[i] == 64 + above);
    }
}

// What a build leaves out is converted as its header says.
BOOST_AUTO_TEST_CASE(without_search_and_random_words) {
  const auto model = reset_model("quantize_mxfp4");
  const std::vector<float> x{5, 0.3f, -0.7f, 1.9f};
  BOOST_TEST((convert(*model, beat_of("mxfp4", x, "mse")) ==
              convert(*model, beat_of("mxfp4", x, "floor"))));
  BOOST_TEST((convert(*model, beat_of("mxfp4", x, "ceil", "stochastic")) ==
              convert(*model, beat_of("mxfp4", x, "ceil", "rtz"))));
}

BOOST_AUTO_TEST_CASE(wrong_use_is_refused) {
  BOOST_CHECK_THROW(run_conversion_bench(build_named("quantize"), {.backpressure = 1.5}),
                    UsageError);
  BOOST_CHECK_THROW(
      run_conversion_bench(build_named("quantize_mxfp4"), {.format = &block_format("nvfp4")}),
      UsageError);
}

BOOST_AUTO_TEST_SUITE_END()
