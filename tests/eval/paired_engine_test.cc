#include <boost/test/unit_test.hpp>
#include <random>

#include "emu/gemm.h"
#include "emu/product_engine.h"
#include "emu/quantize.h"
#include "eval/validate/paired_engine.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(paired_engine)

static MxTensor operand(int64_t rows, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(size_t(rows * 64));
  for (float& v : x) v = normal(random);
  return quantize(x, {rows, 64}, {.format = &block_format("mxfp4")});
}

// The definition with the sign of its first result turned, as long as that is not zero.
static std::unique_ptr<Engine> wrong_once() {
  return std::make_unique<ProductEngine>(
      "wrong", [](const MxTensor& a, const MxTensor& b, const Datapath& datapath,
                  std::span<const float> c, std::span<float> d) {
        gemm_ref(a, b, datapath, c, d);
        d[0] = -d[0];
      });
}

static PairedCall call(std::unique_ptr<Engine> engine, std::unique_ptr<Engine> witness,
                       std::vector<float>& d) {
  const auto log = std::make_shared<PairedLog>();
  const auto paired = make_paired_engine(std::move(engine), std::move(witness), log);
  log->module = "up_proj";
  const MxTensor a = operand(3, 1), b = operand(5, 2);
  d.resize(15);
  paired->multiply(a, *paired->prepare(b, datapath("fused")), {}, d);
  BOOST_REQUIRE(log->calls.size() == 1u);
  return log->calls[0];
}

BOOST_AUTO_TEST_CASE(equal_engines_agree_and_the_results_are_those_of_the_first) {
  std::vector<float> d, wrong;
  const PairedCall good = call(make_kernel_engine(), make_ref_engine(), d);
  BOOST_TEST(good.module == "up_proj");
  BOOST_TEST(good.n == 5);
  BOOST_TEST(good.k == 64);
  BOOST_TEST(good.compared == 15);
  BOOST_TEST(good.mismatches == 0);
  call(wrong_once(), make_ref_engine(), wrong);
  BOOST_TEST(wrong[0] == -d[0]);
}

BOOST_AUTO_TEST_CASE(control_one_wrong_sign_is_one_mismatch) {
  std::vector<float> d;
  BOOST_TEST(call(make_ref_engine(), wrong_once(), d).mismatches == 1);
}

BOOST_AUTO_TEST_CASE(differences_are_of_bits_not_of_values) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  BOOST_TEST(count_differences(std::vector{0.0f, nan, 1.0f}, std::vector{-0.0f, nan, 1.0f}) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
