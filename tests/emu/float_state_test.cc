// No result depends on the caller's floating-point state, and the state is left as it was.

#include <xmmintrin.h>

#include <bit>
#include <boost/test/unit_test.hpp>
#include <random>

#include "emu/binary32.h"
#include "emu/crosscheck/random_product.h"
#include "emu/engine.h"
#include "emu/gemm.h"
#include "emu/quantize.h"
#include "emu/threads.h"
#include "tests/emu/every_isa.h"
#include "tests/every_rest_operation.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(float_state)

// Flush results to zero, take subnormal operands for zero, round toward zero.
constexpr unsigned hostile = 0x8000 | 0x0040 | 0x6000;
constexpr unsigned modes = hostile;  // the same bits, as a mask

// What `compute` gives in the hostile state.
template <typename F>
static auto in_hostile_state(const F& compute) {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | hostile);
  auto result = compute();
  const unsigned after = _mm_getcsr();
  _mm_setcsr(before);
  BOOST_TEST((after & modes) == hostile);
  return result;
}

static std::vector<uint32_t> bits(const std::vector<float>& x) {
  std::vector<uint32_t> words;
  for (float v : x) words.push_back(std::bit_cast<uint32_t>(v));
  return words;
}
static std::vector<float> product(Engine& engine, const GivenProduct& p) {
  std::vector<float> d(size_t(p.a.rows() * p.b.rows()));
  engine.multiply(p.a, *engine.prepare(p.b, datapath("fused")), p.c, d);
  return d;
}

// Random values below 2^-126 · 2^binades, subnormal numbers among them.
static std::vector<float> tiny_values(size_t count, unsigned seed, int binades) {
  std::mt19937 random(seed);
  std::vector<float> x(count);
  for (float& v : x) {
    const auto word = uint32_t(random()), biased = uint32_t(random() % (1 + unsigned(binades)));
    v = std::bit_cast<float>((word & 0x807FFFFF) | biased << 23);
  }
  return x;
}

// Enough work for two threads, results about the least subnormal, with C; the pre-scales as given.
static GivenProduct tiny_product(const BlockFormat& a, const BlockFormat& b, Prescale p) {
  constexpr int64_t M = 64, N = 96, K = 64;
  GivenProduct made{"tiny",
                    quantize_ref(tiny_values(M * K, 1, 20), {M, K}, {.format = &a, .prescale = p}),
                    quantize_ref(tiny_values(N * K, 2, 20), {N, K}, {.format = &b, .prescale = p}),
                    tiny_values(M * N, 3, 1)};
  // Block sums about 2^-140.
  for (MxTensor* q : {&made.a, &made.b})
    for (uint8_t& scale : q->scales) scale = uint8_t(127 - 70 - q->element().emax() + scale % 8);
  return made;
}

static std::vector<GivenProduct> products() {
  std::vector<GivenProduct> all;
  for (const BlockFormat& a : block_formats)
    for (const BlockFormat& b : block_formats) {
      if (!refusal(*make_kernel_engine(), a, b, 32, datapath("fused")).empty()) continue;
      for (const Prescale p : {Prescale{}, Prescale{3, 4}, Prescale{5, 7}})
        all.push_back(tiny_product(a, b, p));
      for (uint64_t seed = 0; seed < 12; ++seed) all.push_back(random_product(a, b, seed));
    }
  return all;
}

BOOST_AUTO_TEST_CASE(control_the_state_changes_the_hosts_own_arithmetic) {
  volatile float subnormal = 0x1p-140f, one = 1, third = 0x1.555556p-2f;
  // Each sum is stored where it is made: clang may compute later what nothing holds.
  volatile float sum = 0;
  const auto flushed = [&] {
    sum = subnormal + subnormal;
    return float(sum);
  };
  const auto rounded = [&] {
    sum = one + third;
    return float(sum);
  };
  BOOST_TEST(flushed() == 0x1p-139f);
  BOOST_TEST(in_hostile_state(flushed) == 0.0f);
  BOOST_TEST(in_hostile_state(rounded) < rounded());
}

BOOST_AUTO_TEST_CASE(products_of_the_definition_and_of_every_kernel) {
  const int before = threads();
  const auto ref = make_ref_engine(), kernel = make_kernel_engine();
  int64_t subnormal = 0;
  for (const GivenProduct& p : products()) {
    const std::vector<uint32_t> expected = bits(product(*ref, p));
    for (uint32_t word : expected) {
      const uint32_t magnitude = word & ~binary32::sign_mask;
      subnormal += magnitude > 0 && magnitude < 0x00800000;
    }
    BOOST_TEST((bits(in_hostile_state([&] { return product(*ref, p); })) == expected));
    for (const int count : {1, 2}) {
      set_threads(count);
      for_every_isa([&](std::string_view isa) {
        const auto got = bits(in_hostile_state([&] { return product(*kernel, p); }));
        BOOST_TEST((got == expected), isa << ", " << count << " threads, " << p.source << " "
                                          << p.a.format().name << " × " << p.b.format().name);
      });
    }
  }
  BOOST_TEST(subnormal > 30000);
  set_threads(before);
}

BOOST_AUTO_TEST_CASE(conversions_by_the_definition_and_by_every_kernel) {
  const int before = threads();
  constexpr int64_t rows = 128, K = 300;
  std::vector<float> x = tiny_values(rows * K, 4, 20);
  for (size_t i = 0; i < x.size() / 2; ++i) x[i] *= 0x1p100f;
  for (const BlockFormat& format : block_formats)
    for (const Prescale p : {Prescale{}, Prescale{3, 4}, Prescale{5, 7}}) {
      if (format.has_tensor_scale() && !p.is_one()) continue;
      const Conversion conversion{.format = &format, .prescale = p};
      const MxTensor expected = quantize_ref(x, {rows, K}, conversion);
      const auto expect_same = [&](const MxTensor& got, std::string_view by) {
        BOOST_TEST((got.codes == expected.codes && got.scales == expected.scales),
                   by << ", " << format.name << ", pre-scale " << to_string(p));
      };
      expect_same(in_hostile_state([&] { return quantize_ref(x, {rows, K}, conversion); }), "ref");
      for (const int count : {1, 2}) {
        set_threads(count);
        for_every_isa([&](std::string_view isa) {
          expect_same(in_hostile_state([&] { return quantize(x, {rows, K}, conversion); }), isa);
        });
      }
      BOOST_TEST((bits(in_hostile_state([&] { return dequantize(expected); })) ==
                  bits(dequantize(expected))));
    }
  set_threads(before);
}

// Of values about 1 and about the least normal number, on enough rows that a second thread helps,
// which has a state of its own.
BOOST_AUTO_TEST_CASE(the_rest_of_a_model_by_the_definition_and_by_every_kernel) {
  const int before = threads();
  for (const bool is_tiny : {false, true}) {
    RestOperand x{tiny_values(size_t(RestOperand::width) * 256, 5, 20)};
    if (!is_tiny)
      for (float& v : x.values) v *= 0x1p116f;
    for (const RestOperation& operation : every_rest_operation) {
      const std::vector<uint32_t> expected = bits(operation.run(true, x));
      const auto expect_same = [&](bool by_definition, std::string_view by) {
        const auto got = bits(in_hostile_state([&] { return operation.run(by_definition, x); }));
        BOOST_TEST((got == expected), by << ", " << threads() << " threads, " << operation.name
                                         << (is_tiny ? " of tiny values" : ""));
      };
      expect_same(true, "definition");
      for (const int count : {1, 2}) {
        set_threads(count);
        for_every_isa([&](std::string_view isa) { expect_same(false, isa); });
      }
    }
  }
  set_threads(before);
}

// The one addition that a product with pre-scales ends with, against the host's own.
BOOST_AUTO_TEST_CASE(addition_in_integers_is_ieee) {
  constexpr uint32_t special[] = {0,          0x80000000, 1,          0x80000001, 0x007FFFFF,
                                  0x00800000, 0x3F800000, 0x33800000, 0x7F7FFFFF, 0xFF7FFFFF,
                                  0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC12345, 0x7F800001};
  constexpr unsigned seed = 5;
  std::mt19937_64 random(seed);
  const auto expect_ieee = [&](uint32_t x, uint32_t y) {
    const float sum = std::bit_cast<float>(x) + std::bit_cast<float>(y);
    const uint32_t expected = sum != sum ? binary32::canonical_nan : std::bit_cast<uint32_t>(sum);
    const uint32_t got = binary32::add_rne(x, y);
    BOOST_REQUIRE_MESSAGE(got == expected, std::hex << "0x" << x << " + 0x" << y << ": expected 0x"
                                                    << expected << ", got 0x" << got << ", seed "
                                                    << seed);
  };
  for (uint32_t x : special)
    for (uint32_t y : special) expect_ieee(x, y);
  for (int i = 0; i < 1'000'000; ++i) {
    const auto x = uint32_t(random()), y = uint32_t(random());
    expect_ieee(x, y);
    // Exponents within 32 of each other: ties, cancellation, sticky bits.
    const uint32_t biased = std::min(254u, (x >> 23 & 255) / 32 * 32 + (y >> 23 & 31));
    expect_ieee(x, (y & 0x807FFFFF) | biased << 23);
    expect_ieee(x, x ^ 0x80000000 ^ (y & 3));
  }
}

BOOST_AUTO_TEST_SUITE_END()
