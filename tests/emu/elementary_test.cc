// Functions of one binary32 against MPFR, and the kernels against them.

#include "emu/elementary.h"

#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

#include "emu/rest.h"
#include "tests/emu/bits_of.h"
#include "tests/emu/every_isa.h"
#include "tests/emu/mpfr_oracle.h"

using namespace mxref;

namespace {

float float_of(uint32_t bits) { return std::bit_cast<float>(bits); }

// Every sign and exponent, as often each, and the neighbours of what functions turn at: zeros,
// subnormal numbers, overflow and underflow of each, multiples of π/2, special values.
std::vector<float> stratified(size_t count) {
  std::vector<float> x;
  for (const float turn : {0.0f, 0x1p-149f, 0x1p-126f, 1.0f, 0x1.921fb6p0f, 0x1.921fb6p1f, 15.0f,
                           88.722839f, 87.336544f, 103.972084f, 14.4f, 108.0f, 0x1p64f, INFINITY})
    for (int step = -40; step <= 40; ++step)
      for (const uint32_t sign : {0u, 0x80000000u})
        x.push_back(float_of((bits_of(turn) + uint32_t(step)) ^ sign));
  std::mt19937 random(1);
  for (uint32_t i = 0; x.size() < count; ++i) {
    const auto fraction = uint32_t(random()) & 0x007FFFFF;
    x.push_back(float_of(i % 512 << 23 | fraction));
    // Where most functions are neither 0 nor infinite.
    x.push_back(float_of((i & 1) << 31 | (118 + i / 2 % 16) << 23 | fraction));
  }
  return x;
}

// Values as in models: kernels take vectors of them in another way than vectors that hold any of
// the extremes above. One result in 2^14 lies closer to a tie than that way resolves.
std::vector<float> moderate(size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> distribution(0, 4);
  std::vector<float> x(count);
  for (float& v : x) v = distribution(random);
  return x;
}

// How many results of f differ from MPFR's; the first is told.
template <typename F>
int64_t differences(std::string_view name, const std::vector<float>& inputs, const F& f) {
  int64_t count = 0;
  for (const float x : inputs) {
    const float expected = oracle::correctly_rounded(name, x), got = f(x);
    if (bits_of(expected) == bits_of(got) || count++ > 0) continue;
    BOOST_TEST_MESSAGE(name << "(" << std::hexfloat << x << "): expected 0x" << std::hex
                            << bits_of(expected) << ", got 0x" << bits_of(got) << std::dec);
  }
  return count;
}

// Of every function with a kernel, on every instruction set.
void check_kernels(const std::vector<float>& inputs) {
  const auto count = int64_t(inputs.size());
  const struct {
    const char* name;
    void (*kernel)(const float* x, int64_t count, float* y);
    float (*ref)(float x);
  } functions[] = {
      {"exp", rest::exp, exp_ref}, {"silu", rest::silu, silu_ref}, {"gelu", rest::gelu, gelu_ref}};
  for (const auto& f : functions) {
    std::vector<float> expected;
    for (const float x : inputs) expected.push_back(f.ref(x));
    for_every_isa([&](std::string_view isa) {
      std::vector<float> got(inputs.size());
      f.kernel(inputs.data(), count, got.data());
      int64_t different = 0;
      for (size_t i = 0; i < inputs.size(); ++i)
        different += bits_of(got[i]) != bits_of(expected[i]);
      BOOST_TEST(different == 0, f.name << " by " << isa);
      // Any length, and in place.
      for (int64_t n = 0; n < 40; ++n) {
        std::vector<float> some(inputs.begin() + 100, inputs.begin() + 140);
        f.kernel(some.data(), n, some.data());
        for (int64_t i = 0; i < 40; ++i)
          BOOST_REQUIRE(bits_of(some[size_t(i)]) ==
                        bits_of(i < n ? expected[size_t(100 + i)] : inputs[size_t(100 + i)]));
      }
    });
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(elementary)

BOOST_AUTO_TEST_CASE(functions_are_correctly_rounded) {
  const std::vector<float> inputs = stratified(1'000'000 / std::size(elementary_functions));
  for (const ElementaryFunction& f : elementary_functions)
    BOOST_TEST(differences(f.name, inputs, f.ref) == 0, f.name);
}

BOOST_AUTO_TEST_CASE(control_one_unit_at_one_input_is_found) {
  const std::vector<float> inputs = stratified(3000);
  for (const ElementaryFunction& f : elementary_functions) {
    const float wrong = inputs[2600];
    BOOST_REQUIRE(!std::isnan(f.ref(wrong)));
    const auto faulty = [&](float x) {
      return x == wrong ? float_of(bits_of(f.ref(x)) ^ 1) : f.ref(x);
    };
    BOOST_TEST(differences(f.name, inputs, faulty) == 1, f.name);
  }
}

// Half of an odd multiple of 2^-149 is a tie; the functions lie just beside it.
BOOST_AUTO_TEST_CASE(silu_and_gelu_of_subnormal_numbers_lie_beside_ties) {
  BOOST_TEST(bits_of(silu_ref(0x1p-149f)) == 1u);
  BOOST_TEST(bits_of(silu_ref(-0x1p-149f)) == 0x80000000u);
  for (uint32_t n = 0; n < 4000; ++n)
    for (const uint32_t sign : {0u, 0x80000000u}) {
      const float x = float_of(n | sign);
      BOOST_REQUIRE(bits_of(silu_ref(x)) == bits_of(oracle::correctly_rounded("silu", x)));
      BOOST_REQUIRE(bits_of(gelu_ref(x)) == bits_of(oracle::correctly_rounded("gelu", x)));
    }
}

BOOST_AUTO_TEST_CASE(special_values) {
  const float inf = INFINITY, nan = float_of(0xFFC12345);
  for (const ElementaryFunction& f : elementary_functions)
    BOOST_TEST(bits_of(f.ref(nan)) == 0x7FC00000u, f.name);
  BOOST_TEST(bits_of(exp_ref(-inf)) == 0u);
  BOOST_TEST(exp_ref(inf) == inf);
  BOOST_TEST(rsqrt_ref(0.0f) == inf);
  BOOST_TEST(rsqrt_ref(-0.0f) == -inf);
  BOOST_TEST(bits_of(rsqrt_ref(-1.0f)) == 0x7FC00000u);
  BOOST_TEST(bits_of(sin_ref(inf)) == 0x7FC00000u);
  BOOST_TEST(bits_of(cos_ref(-inf)) == 0x7FC00000u);
  BOOST_TEST(bits_of(sin_ref(-0.0f)) == 0x80000000u);
  for (float (*f)(float) : {silu_ref, gelu_ref}) {
    BOOST_TEST(bits_of(f(0.0f)) == 0u);
    BOOST_TEST(bits_of(f(-0.0f)) == 0x80000000u);
    BOOST_TEST(bits_of(f(-inf)) == 0x80000000u);
    BOOST_TEST(f(inf) == inf);
  }
}

BOOST_AUTO_TEST_CASE(powers_of_the_bases_of_rotary_embeddings) {
  for (const float base :
       {10000.0f, 100000.0f, 130000.0f, 500000.0f, 1000000.0f, 16000000.0f, 7.3f})
    for (const int d : {2, 6, 16, 64, 80, 96, 128, 256})
      for (int i = 0; i < d / 2; ++i) {
        const float exponent = float(2 * i) / float(d);
        BOOST_TEST(bits_of(power_ref(base, exponent)) == bits_of(oracle::power(base, exponent)),
                   base << "^" << exponent);
      }
}

BOOST_AUTO_TEST_CASE(kernels_have_the_bits_of_the_definition) {
  check_kernels(stratified(200'000));
  check_kernels(moderate(1'000'000));
}

BOOST_AUTO_TEST_SUITE_END()
