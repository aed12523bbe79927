// The rest of a model: the definition against the second construction, the kernels against the
// definition.

#include "emu/rest.h"

#include <bit>
#include <boost/test/unit_test.hpp>
#include <random>

#include "emu/binary32.h"
#include "emu/threads.h"
#include "tests/emu/bits_of.h"
#include "tests/emu/every_isa.h"
#include "tests/emu/rest_oracle.h"

using namespace mxref;
using namespace mxref::oracle;

namespace {

int64_t differences(const Values& x, const Values& y) {
  BOOST_REQUIRE(x.size() == y.size());
  int64_t count = 0;
  for (size_t i = 0; i < x.size(); ++i) count += bits_of(x[i]) != bits_of(y[i]);
  return count;
}

// As in models; or of all magnitudes; or such that sums and products are subnormal, or overflow.
enum class Kind : uint8_t { model, wide, tiny, huge, special };
constexpr Kind kinds[] = {Kind::model, Kind::wide, Kind::tiny, Kind::huge, Kind::special};

Values random_values(size_t count, Kind kind, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Values x(count);
  for (float& v : x) {
    v = normal(random);
    const auto word = uint32_t(random());
    if (kind == Kind::wide) v = std::ldexp(v, int(word % 60) - 30);
    if (kind == Kind::tiny) v = std::ldexp(v, -76 + int(word % 6));
    if (kind == Kind::huge) v = std::ldexp(v, 62 + int(word % 3));
    if (kind == Kind::special && word % 64 == 0) {
      constexpr float values[] = {INFINITY, -INFINITY, NAN, -0.0f, 0x1p-149f, 0x1.fffffep127f};
      v = values[word / 64 % 6];
    }
    if (word % 97 == 0) v = word % 2 ? 0.0f : -0.0f;
  }
  return x;
}

// ---- the definition and the kernels side by side

// Calls check(result, by) for the definition, and for the kernels of each instruction set on one
// thread and on two.
template <typename F>
void for_every_implementation(const F& check) {
  check(true, "definition");
  const int before = threads();
  for (const int count : {1, 2}) {
    set_threads(count);
    for_every_isa([&](std::string_view isa) {
      check(false, std::string(isa) + ", " + std::to_string(count) + " threads");
    });
  }
  set_threads(before);
}

Values product(bool by_definition, const Values& a, const Values& b, int64_t M, int64_t N,
               int64_t K) {
  Values d(size_t(M * N));
  if (by_definition)
    rest::product_ref(a.data(), b.data(), M, N, K, d.data());
  else
    rest::product(a.data(), M, rest::PackedMatrix::of_rows(b.data(), N, K, K), d.data());
  return d;
}

Values attention(bool by_definition, const rest::AttentionShape& s, const Values& q,
                 const Values& k, const Values& v) {
  Values out(q.size());
  (by_definition ? rest::attention_ref : rest::attention)(s, q.data(), k.data(), v.data(),
                                                          out.data());
  return out;
}

Values softmax(bool by_definition, const Values& x, int64_t rows, float factor) {
  Values p(x.size());
  (by_definition ? rest::softmax_ref : rest::softmax)(x.data(), rows, int64_t(x.size()) / rows,
                                                      factor, p.data());
  return p;
}

Values row(const Values& x, size_t index, size_t width) {
  return {x.begin() + std::ptrdiff_t(index * width),
          x.begin() + std::ptrdiff_t((index + 1) * width)};
}
void append(Values& to, const Values& more) { to.insert(to.end(), more.begin(), more.end()); }

}  // namespace

BOOST_AUTO_TEST_SUITE(rest_of_a_model)

BOOST_AUTO_TEST_CASE(a_fused_multiply_add_in_integers_is_ieee) {
  constexpr uint32_t special[] = {0,          0x80000000, 1,          0x80000001, 0x007FFFFF,
                                  0x00800000, 0x3F800000, 0xBF800000, 0x33800000, 0x7F7FFFFF,
                                  0xFF7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC12345};
  const auto expect_ieee = [&](uint32_t a, uint32_t b, uint32_t c) {
    const float expected = canonical(
        std::fma(std::bit_cast<float>(a), std::bit_cast<float>(b), std::bit_cast<float>(c)));
    BOOST_REQUIRE_MESSAGE(bits_of(expected) == binary32::fma_rne(a, b, c),
                          std::hex << "0x" << a << " · 0x" << b << " + 0x" << c << ": expected 0x"
                                   << bits_of(expected) << ", got 0x"
                                   << binary32::fma_rne(a, b, c));
  };
  for (uint32_t a : special)
    for (uint32_t b : special)
      for (uint32_t c : special) expect_ieee(a, b, c);
  std::mt19937_64 random(1);
  for (int i = 0; i < 1'000'000; ++i) {
    const auto a = uint32_t(random()), b = uint32_t(random()), c = uint32_t(random());
    expect_ieee(a, b, c);
    // c near the product, so that they cancel or a tie is near.
    const auto exponent =
        std::clamp(int(a >> 23 & 255) + int(b >> 23 & 255) - 127 + int(c % 52) - 26, 0, 254);
    expect_ieee(a, b, (c & 0x807FFFFF) | uint32_t(exponent) << 23);
    expect_ieee(a & 0xFFFFF000, b & 0xFFFFF000, (c & 0x80000000) | uint32_t(exponent) << 23);
  }
}

BOOST_AUTO_TEST_CASE(products) {
  const struct {
    int64_t M, N, K;
  } shapes[] = {{1, 1, 1}, {3, 5, 7}, {13, 33, 129}, {2, 70, 300}, {40, 31, 16}};
  for (const auto& s : shapes)
    for (const Kind kind : kinds) {
      const Values a = random_values(size_t(s.M * s.K), kind, 1);
      const Values b = random_values(size_t(s.N * s.K), kind, 2);
      const Values expected = oracle_product(a, b, size_t(s.M), size_t(s.N), size_t(s.K));
      for_every_implementation([&](bool by_definition, const std::string& by) {
        BOOST_TEST(differences(product(by_definition, a, b, s.M, s.N, s.K), expected) == 0,
                   by << ", " << s.M << "×" << s.N << "×" << s.K << ", kind " << int(kind));
      });
    }
}

// Chains about 2^(half + 24), whose last place is 2^(half + 1), of products that are half of it and
// less or more by a few 2^-23 or 2^-46: each step is a tie or lies just beside one, by less than
// binary64 shows. Half of the least subnormal number among them.
BOOST_AUTO_TEST_CASE(products_that_lie_at_ties_and_beside_them) {
  constexpr int64_t M = 24, N = 40, K = 64;
  std::mt19937 random(3);
  for (const int half : {-150, -126, 0, 60}) {
    Values a(M * K), b(N * K);
    const auto near = [&](int log2) {
      return std::ldexp(1 + std::ldexp(float(int(random() % 5) - 2), -23), log2);
    };
    for (float& v : a) v = near(half / 2);
    for (float& v : b) v = random() % 2 ? near(half - half / 2) : -near(half - half / 2);
    for (size_t row = 0; row < M; ++row) a[row * K] = near(half / 2 + 12);
    for (size_t row = 0; row < N; ++row) b[row * K] = std::ldexp(1.0f, half - half / 2 + 12);
    const Values expected = oracle_product(a, b, M, N, K);
    for_every_implementation([&](bool by_definition, const std::string& by) {
      BOOST_TEST(differences(product(by_definition, a, b, M, N, K), expected) == 0,
                 by << ", half 2^" << half);
    });
    // The control: a binary64 sum rounded to binary32 is two roundings.
    BOOST_TEST(differences(twice_rounded_product(a, b, M, N, K), expected) > 0, "half 2^" << half);
  }
}

BOOST_AUTO_TEST_CASE(larger_products_by_the_kernels) {
  const struct { int64_t M, N, K; } shapes[] = {{270, 100, 140}, {600, 45, 64}, {7, 700, 257}};
  for (const auto& s : shapes)
    for (const Kind kind : {Kind::model, Kind::tiny}) {
      const Values a = random_values(size_t(s.M * s.K), kind, 4);
      const Values b = random_values(size_t(s.N * s.K), kind, 5);
      const Values expected = product(true, a, b, s.M, s.N, s.K);
      for_every_implementation([&](bool by_definition, const std::string& by) {
        if (!by_definition)
          BOOST_TEST(differences(product(false, a, b, s.M, s.N, s.K), expected) == 0, by);
      });
    }
}

BOOST_AUTO_TEST_CASE(norms) {
  for (const size_t D : {1u, 5u, 16u, 17u, 31u, 64u, 576u})
    for (const Kind kind : kinds) {
      constexpr size_t rows = 3;
      const Values x = random_values(rows * D, kind, 6), w = random_values(D, Kind::model, 7);
      const Values bias = random_values(D, Kind::model, 8);
      Values rms, layer, layer_without;
      for (size_t i = 0; i < rows; ++i) {
        append(rms, oracle_rms_norm(row(x, i, D), w, 1e-5f));
        append(layer, oracle_layer_norm(row(x, i, D), w, bias, 1e-6f));
        append(layer_without, oracle_layer_norm(row(x, i, D), w, {}, 1e-6f));
      }
      for_every_implementation([&](bool by_definition, const std::string& by) {
        Values y(x.size());
        (by_definition ? rest::rms_norm_ref : rest::rms_norm)(x.data(), w.data(), rows, int64_t(D),
                                                              1e-5f, y.data());
        BOOST_TEST(differences(y, rms) == 0, by << ", RMSNorm of " << D << ", kind " << int(kind));
        const auto norm = by_definition ? rest::layer_norm_ref : rest::layer_norm;
        norm(x.data(), w.data(), bias.data(), rows, int64_t(D), 1e-6f, y.data());
        BOOST_TEST(differences(y, layer) == 0, by << ", LayerNorm of " << D);
        norm(x.data(), w.data(), nullptr, rows, int64_t(D), 1e-6f, y.data());
        BOOST_TEST(differences(y, layer_without) == 0, by << ", LayerNorm of " << D);
      });
    }
}

BOOST_AUTO_TEST_CASE(softmax_of_every_length_about_the_lanes) {
  for (const size_t n : {1u, 2u, 7u, 8u, 15u, 16u, 17u, 33u, 100u, 1024u})
    for (const Kind kind : kinds) {
      const size_t rows = n == 1024 ? 1 : 3;
      const Values x = random_values(rows * n, kind, unsigned(n));
      Values expected;
      for (size_t i = 0; i < rows; ++i) append(expected, oracle_softmax(row(x, i, n), 0.125f));
      for_every_implementation([&](bool by_definition, const std::string& by) {
        BOOST_TEST(differences(softmax(by_definition, x, int64_t(rows), 0.125f), expected) == 0,
                   by << ", " << n << " keys, kind " << int(kind));
      });
    }
  // The control: a sum in another order shows.
  const Values x = random_values(1024, Kind::model, 22);
  BOOST_TEST(differences(softmax(false, x, 1, 0.125f), oracle_softmax(x, 0.125f, 1)) > 0);
}

BOOST_AUTO_TEST_CASE(element_by_element) {
  for (const Kind kind : kinds) {
    constexpr size_t rows = 5, D = 37;
    const Values x = random_values(rows * D, kind, 9), y = random_values(rows * D, kind, 10);
    Values sum, gated, biased;
    for (size_t i = 0; i < x.size(); ++i) {
      sum.push_back(plus(x[i], y[i]));
      gated.push_back(times(correctly_rounded("silu", x[i]), y[i]));
      biased.push_back(plus(x[i], y[i % D]));
    }
    for_every_implementation([&](bool by_definition, const std::string& by) {
      Values got(x.size());
      (by_definition ? rest::add_ref : rest::add)(x.data(), y.data(), rows * D, got.data());
      BOOST_TEST(differences(got, sum) == 0, by << ", sum");
      (by_definition ? rest::gated_silu_ref : rest::gated_silu)(x.data(), y.data(), rows * D,
                                                                got.data());
      BOOST_TEST(differences(got, gated) == 0, by << ", gated SiLU");
      got = x;
      (by_definition ? rest::add_bias_ref : rest::add_bias)(y.data(), rows, D, got.data());
      BOOST_TEST(differences(got, biased) == 0, by << ", bias");
    });
  }
}

BOOST_AUTO_TEST_CASE(rotations) {
  const rest::RotationShape shape{.sequences = 2, .T = 5, .heads = 3, .head_dim = 14};
  const auto frequencies = rest::rotary_frequencies(10000.0f, shape.head_dim, {});
  constexpr int64_t first = 1000;
  const size_t half = frequencies.size();
  Values cos(5 * half), sin(5 * half);
  rest::rotary_angles(frequencies, first, shape.T, cos.data(), sin.data());
  const Values x = random_values(2 * 5 * 3 * 14, Kind::special, 11);
  Values expected = x;
  for (size_t t = 0; t < 5; ++t)
    for (size_t i = 0; i < half; ++i) {
      const float p = power(10000.0f, over(float(2 * i), 14.0f));
      const float angle = times(float(size_t(first) + t), over(1, p));
      const float c = correctly_rounded("cos", angle), s = correctly_rounded("sin", angle);
      BOOST_TEST(bits_of(cos[t * half + i]) == bits_of(c));
      BOOST_TEST(bits_of(sin[t * half + i]) == bits_of(s));
      for (size_t sequence = 0; sequence < 2; ++sequence)
        for (size_t head = 0; head < 3; ++head) {
          float* pair = &expected[((sequence * 5 + t) * 3 + head) * 14 + i];
          const float x1 = pair[0], x2 = pair[half];
          pair[0] = minus(times(x1, c), times(x2, s));
          pair[half] = plus(times(x2, c), times(x1, s));
        }
    }
  for_every_implementation([&](bool by_definition, const std::string& by) {
    Values got = x;
    (by_definition ? rest::rotate_ref : rest::rotate)(shape, cos.data(), sin.data(), got.data());
    BOOST_TEST(differences(got, expected) == 0, by);
  });
}

BOOST_AUTO_TEST_CASE(frequencies_under_scaling) {
  using Kind = rest::WaveScaling::Kind;
  const rest::WaveScaling llama3{Kind::llama3, 8, 1, 4, 8192};
  const auto plain = rest::rotary_frequencies(500000, 128, {});
  const auto scaled = rest::rotary_frequencies(500000, 128, llama3);
  int kept = 0, slowed = 0, between = 0;
  for (size_t i = 0; i < plain.size(); ++i) {
    const float w = over(0x1.921fb6p2f, plain[i]);
    float expected = plain[i];
    if (w > over(8192, 1)) {
      expected = over(plain[i], 8);
      ++slowed;
    } else if (!(w < over(8192, 4))) {
      const float s = over(minus(over(8192, w), 1), minus(4, 1));
      expected = plus(over(times(minus(1, s), plain[i]), 8), times(s, plain[i]));
      ++between;
    } else {
      ++kept;
    }
    BOOST_TEST(bits_of(scaled[i]) == bits_of(expected));
  }
  BOOST_TEST((kept > 10 && slowed > 10 && between > 2));
  const auto linear = rest::rotary_frequencies(500000, 128, {Kind::linear, 3});
  for (size_t i = 0; i < plain.size(); ++i)
    BOOST_TEST(bits_of(linear[i]) == bits_of(over(plain[i], 3)));
}

BOOST_AUTO_TEST_CASE(attention_over_the_visible_keys) {
  const rest::AttentionShape shapes[] = {
      {.queries = 1, .keys = 1, .heads = 1, .kv_heads = 1, .head_dim = 2},
      {.queries = 1, .keys = 70, .heads = 6, .kv_heads = 2, .head_dim = 18},
      {.queries = 37, .keys = 37, .heads = 4, .kv_heads = 4, .head_dim = 8},
      {.queries = 18, .keys = 51, .heads = 2, .kv_heads = 1, .head_dim = 40}};
  for (const rest::AttentionShape& s : shapes)
    for (const Kind kind : kinds) {
      const Values q = random_values(size_t(s.queries * s.heads * s.head_dim), kind, 12);
      const Values k = random_values(size_t(s.kv_heads * s.keys * s.head_dim), kind, 13);
      const Values v = random_values(k.size(), kind, 14);
      const Values expected = oracle_attention(s, q, k, v);
      for_every_implementation([&](bool by_definition, const std::string& by) {
        BOOST_TEST(differences(attention(by_definition, s, q, k, v), expected) == 0,
                   by << ", " << s.queries << " of " << s.keys << ", kind " << int(kind));
      });
    }
}

BOOST_AUTO_TEST_CASE(longer_attention_by_the_kernels) {
  const rest::AttentionShape s{
      .queries = 150, .keys = 201, .heads = 2, .kv_heads = 1, .head_dim = 64};
  const Values q = random_values(size_t(s.queries * s.heads * s.head_dim), Kind::model, 15);
  const Values k = random_values(size_t(s.keys * s.head_dim), Kind::model, 16);
  const Values v = random_values(k.size(), Kind::model, 17);
  const Values expected = attention(true, s, q, k, v);
  for_every_implementation([&](bool by_definition, const std::string& by) {
    if (!by_definition) BOOST_TEST(differences(attention(false, s, q, k, v), expected) == 0, by);
  });
  // Controls: a key that a query should not see, or another order of the keys, shows.
  Values other = k;
  std::swap_ranges(other.begin(), other.begin() + 64, other.begin() + 64);
  BOOST_TEST(differences(attention(false, s, q, other, v), expected) > 0);
}

// A part of the work alone has the bits that it has among others.
BOOST_AUTO_TEST_CASE(rows_are_independent) {
  constexpr int64_t M = 300, N = 50, K = 96;
  const Values a = random_values(M * K, Kind::model, 18), b = random_values(N * K, Kind::model, 19);
  for_every_isa([&](std::string_view isa) {
    const Values all = product(false, a, b, M, N, K);
    for (const size_t m : {0u, 5u, 17u, 255u, 256u, 299u})
      BOOST_TEST(differences(product(false, row(a, m, K), b, 1, N, K), row(all, m, N)) == 0, isa);
  });
}

BOOST_AUTO_TEST_SUITE_END()
