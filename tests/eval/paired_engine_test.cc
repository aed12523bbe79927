#include <boost/test/unit_test.hpp>
#include <random>

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
class WrongOnce : public Engine {
 public:
  std::string_view name() const override { return "wrong"; }
  std::string refuses(const BlockFormat&, const BlockFormat&, int, const Datapath&) const override {
    return "";
  }
  std::unique_ptr<PreparedOperand> prepare(const MxTensor& b, const Datapath& d) const override {
    return ref_->prepare(b, d);
  }
  void multiply(const MxTensor& a, const PreparedOperand& b, std::span<const float> c,
                std::span<float> d) override {
    ref_->multiply(a, b, c, d);
    d[0] = -d[0];
  }

 private:
  std::unique_ptr<Engine> ref_ = make_ref_engine();
};

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
  call(std::make_unique<WrongOnce>(), make_ref_engine(), wrong);
  BOOST_TEST(wrong[0] == -d[0]);
}

BOOST_AUTO_TEST_CASE(control_one_wrong_sign_is_one_mismatch) {
  std::vector<float> d;
  BOOST_TEST(call(make_ref_engine(), std::make_unique<WrongOnce>(), d).mismatches == 1);
}

BOOST_AUTO_TEST_CASE(differences_are_of_bits_not_of_values) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  BOOST_TEST(count_differences(std::vector{0.0f, nan, 1.0f}, std::vector{-0.0f, nan, 1.0f}) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
