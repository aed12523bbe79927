#define BOOST_TEST_MODULE systemc
#include "emu/systemc/systemc_array.h"

#include <boost/test/unit_test.hpp>

#include "emu/array_port.h"
#include "emu/crosscheck/crosscheck.h"
#include "emu/crosscheck/random_product.h"
#include "emu/gemm.h"
#include "emu/threads.h"

using namespace mxref;

BOOST_AUTO_TEST_CASE(the_engine_gives_the_bits_of_the_definition) {
  const CrosscheckReport report = crosscheck({{"systemc", make_systemc_engine}}, {.level = 1});
  BOOST_TEST(report.rows.size() == 37 * datapaths.size());  // pairs of formats
  for (const CrosscheckRow& row : report.rows) BOOST_TEST(row.compared > 100);
  for (const std::string& failure : report.failures) BOOST_ERROR(failure);
  BOOST_TEST(report.passed());
}

BOOST_AUTO_TEST_CASE(bits_and_cycles_do_not_depend_on_threads) {
  const GivenProduct p = random_product(block_format("mxfp4"), block_format("mxfp8_e4m3"), 2);
  const auto run = [&](int count) {
    set_threads(count);
    const auto engine = make_systemc_engine();
    std::vector<float> d(size_t(p.a.rows() * p.b.rows()));
    engine->multiply(p.a, *engine->prepare(p.b, datapath("fused")), p.c, d);
    std::vector<uint32_t> bits{uint32_t(engine->cost().cycles)};
    for (float x : d) bits.push_back(std::bit_cast<uint32_t>(x));
    return bits;
  };
  const int before = threads();
  BOOST_CHECK(run(1) == run(2));
  set_threads(before);
}

// One tile of `blocks` beats without a gap, results taken at once: README of rtl_models.
static std::vector<int> cycles_of_rows(ArrayPort& array, int blocks) {
  ArrayInputs in(array.design());
  in.rst_n = false;
  array.clock(in);
  in.rst_n = in.out_ready = true;
  std::vector<int> cycles;
  for (int cycle = 0; cycle < blocks + 10 + array.design().shape.rows; ++cycle) {
    in.in_valid = cycle < blocks;
    in.in_first = cycle == 0;
    in.in_last = cycle == blocks - 1;
    in.in_lanes = 32;
    BOOST_TEST((!in.in_valid || array.outputs().in_ready));
    if (array.outputs().out_valid) cycles.push_back(cycle);
    array.clock(in);
  }
  return cycles;
}

BOOST_AUTO_TEST_CASE(row_r_leaves_in_cycle_4_plus_r_after_the_last_beat) {
  const auto array = make_systemc_array({.shape = {3, 5}});
  for (int blocks : {1, 2, 7}) {
    const int last = blocks - 1;
    BOOST_TEST(cycles_of_rows(*array, blocks) == (std::vector{last + 4, last + 5, last + 6}),
               boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(arrays_of_several_shapes_live_side_by_side) {
  const auto small = make_systemc_array({.shape = {1, 1}});
  auto other = make_systemc_array({.shape = {2, 7}});
  BOOST_TEST(cycles_of_rows(*small, 4).size() == 1u);
  BOOST_TEST(cycles_of_rows(*other, 4).size() == 2u);
  other.reset();
  other = make_systemc_array({.shape = {4, 4}});
  BOOST_TEST(cycles_of_rows(*small, 1).size() == 1u);
  BOOST_TEST(cycles_of_rows(*other, 1).size() == 4u);
}

// An array whose results are held back stops taking beats, and goes on where it was.
BOOST_AUTO_TEST_CASE(back_pressure_reaches_the_inputs) {
  const auto array = make_systemc_array({.shape = {2, 2}});
  ArrayInputs in(array->design());
  in.rst_n = false;
  array->clock(in);
  in.rst_n = in.in_valid = in.in_first = in.in_last = true;
  int taken = 0;
  for (int cycle = 0; cycle < 20; ++cycle) {
    taken += array->outputs().in_ready;
    array->clock(in);
  }
  BOOST_TEST(taken == 4);  // one in each of beat, sum, term and result
  BOOST_TEST(array->outputs().trace_stages == 15);
  in.out_ready = true;
  for (int cycle = 0; cycle < 20; ++cycle) {
    taken += array->outputs().in_ready;
    array->clock(in);
  }
  BOOST_TEST(taken > 4 + 5);
}
