// The engine `kernel` against the definition gemm_ref: the same bits.

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <optional>
#include <random>
#include <sstream>

#include "emu/e8m0.h"
#include "emu/engine.h"
#include "emu/gemm.h"
#include "emu/threads.h"
#include "tests/emu/every_isa.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(kernel)

using Random = std::mt19937_64;

// What an operand's scales and codes are drawn from.
struct Kind {
  const char* name;
  int min_scale, max_scale;  // codes
  int nan_scale_in;          // one scale in so many is NaN; 0: none
  int nan_code_in;           // one element in so many is NaN, where the format has NaN
  int zero_block_in;         // one block in so many is all zeros, with scale code 0
  int small_code_in = 1;     // one code in so many is any; the others are of the largest exponents
};
// As small_code_in: every element of a block is ±max; or one in so many is any.
constexpr int only_largest = 0;
constexpr int largest_but_one_in(int n) { return -n; }
constexpr Kind kinds[] = {
    {"ordinary", 117, 130, 0, 0, 7},
    {"zeros among large", 130, 140, 0, 0, 2},
    {"wide", 0, 254, 0, 0, 5},
    {"nan", 100, 150, 31, 301, 5},
    {"all nan", 0, 255, 1, 2, 0},
    {"subnormal results", 50, 60, 0, 0, 3},
    {"about the least normal", 59, 66, 0, 0, 3},
    {"deep underflow", 0, 40, 0, 0, 3},
    {"overflow", 180, 195, 0, 0, 3},
    {"far overflow", 230, 254, 0, 0, 0},
    {"few small elements", 117, 130, 0, 0, 7, 300},
    {"some small elements", 117, 130, 0, 0, 7, 40},
    {"the largest sums", 117, 130, 0, 0, 7, only_largest},
    {"large sums with few small elements", 117, 130, 0, 0, 7, largest_but_one_in(100)},
    {"few small elements, scales alike", 124, 126, 0, 0, 0, 300},
};

struct Shape {
  int64_t M, N, K;
  int block;
};

static MxTensor operand(Random& random, const BlockFormat& format, int64_t rows, int64_t K,
                        int block, const Kind& kind, Prescale prescale) {
  const auto one_in = [&](int n) { return n && random() % uint64_t(n) == 0; };
  const ElementFormat& f = *format.element;
  MxTensor q{{.format = &format, .prescale = prescale, .block = block}, {rows, K}, {}, {}};
  q.codes.resize(size_t(rows * K));
  q.scales.resize(size_t(rows * q.blocks_per_row()));
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t k = 0; k < K; ++k) {
      uint8_t& scale = q.scales[size_t(row * q.blocks_per_row() + k / block)];
      if (k % block == 0) {
        scale =
            uint8_t(kind.min_scale + int(random() % uint64_t(kind.max_scale - kind.min_scale + 1)));
        if (one_in(kind.nan_scale_in)) scale = e8m0::nan;
        if (one_in(kind.zero_block_in)) scale = 0;
      }
      uint8_t& code = q.codes[size_t(row * K + k)];
      code = scale == 0 && kind.zero_block_in ? 0 : uint8_t(random() % (f.magnitude_mask() + 1));
      if (!is_finite(f, code)) code = uint8_t(f.max_code());
      if (code != 0 && kind.small_code_in <= only_largest && !one_in(-kind.small_code_in)) {
        code = uint8_t(f.max_code() | (random() % 64 == 0 ? f.sign_mask() : 0));
        continue;
      }
      if (code != 0 && kind.small_code_in > 0 && !one_in(kind.small_code_in))
        code = uint8_t(f.max_code() - random() % (f.max_code() / 2));
      if (f.has_nan() && one_in(kind.nan_code_in)) code = uint8_t(f.magnitude_mask());
      if (random() & 1) code |= uint8_t(f.sign_mask());
    }
  return q;
}

static std::vector<float> accumulators(Random& random, size_t count) {
  static constexpr uint32_t special[] = {0x80000000, 0,          1,          0x80000001, 0x007FFFFF,
                                         0x00800000, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000, 0xFF800000,
                                         0x7FC00000, 0xFFC12345, 0x7F800001};
  std::vector<float> c(count);
  for (float& x : c) {
    const uint32_t choice = uint32_t(random() % 4);
    x = choice == 0   ? std::bit_cast<float>(special[random() % std::size(special)])
        : choice == 1 ? std::bit_cast<float>(uint32_t(random()))
        : choice == 2 ? -0.0f
                      : float(int64_t(random() % 65536) - 32768) * 0x1p-8f;
  }
  return c;
}

static std::vector<float> by_kernel(const MxTensor& a, const MxTensor& b, std::span<const float> c,
                                    const Datapath& path = datapath("fused")) {
  const auto engine = make_kernel_engine();
  const auto prepared = engine->prepare(b, path);
  std::vector<float> d(size_t(a.rows() * b.rows()), -77.0f);
  engine->multiply(a, *prepared, c, d);
  return d;
}
static std::vector<float> by_reference(const MxTensor& a, const MxTensor& b,
                                       std::span<const float> c,
                                       const Datapath& path = datapath("fused")) {
  std::vector<float> d(size_t(a.rows() * b.rows()));
  gemm_ref(a, b, path, c, d);
  return d;
}

// The first element whose bits differ, in words; nothing where all are the same.
static std::optional<std::string> difference(std::span<const float> expected,
                                             std::span<const float> got, int64_t N) {
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto e = std::bit_cast<uint32_t>(expected[i]), g = std::bit_cast<uint32_t>(got[i]);
    if (e == g) continue;
    std::ostringstream text;
    text << "d[" << int64_t(i) / N << "," << int64_t(i) % N << "]: expected 0x" << std::hex << e
         << " (" << expected[i] << "), got 0x" << g << " (" << got[i] << ")";
    return text.str();
  }
  return std::nullopt;
}

static void expect_same(const MxTensor& a, const MxTensor& b, std::span<const float> c,
                        const std::string& what, const Datapath& path = datapath("fused")) {
  const std::vector<float> expected = by_reference(a, b, c, path);
  for_every_isa([&](std::string_view isa) {
    const auto found = difference(expected, by_kernel(a, b, c, path), b.rows());
    BOOST_TEST(!found, isa << ", " << path.name << ", " << a.format().name << " × "
                           << b.format().name << ", M " << a.rows() << " N " << b.rows() << " K "
                           << a.cols() << " block " << a.block() << ", " << what << ": "
                           << found.value_or(""));
  });
}

// Sanitizers make the definition slow: under them a call takes one pair of formats in five, the
// next call others.
#ifdef MXREF_SANITIZED
constexpr size_t turns = 5;
#else
constexpr size_t turns = 1;
#endif

// Every pair of formats that has a product, without and with C. Of nvfp4 there is a test below.
static void expect_same_for_all_pairs(Shape s, const Kind& kind, uint64_t seed, Prescale p_a = {},
                                      Prescale p_b = {}, const Datapath& path = datapath("fused")) {
  static size_t turn = 0;
  for (const BlockFormat& format_a : block_formats)
    for (const BlockFormat& format_b : block_formats) {
      if (format_a.has_tensor_scale() || !no_product(format_a, format_b, s.block, path).empty())
        continue;
      if (turn++ % turns != 0) continue;
      Random random(seed);
      const MxTensor a = operand(random, format_a, s.M, s.K, s.block, kind, p_a);
      const MxTensor b = operand(random, format_b, s.N, s.K, s.block, kind, p_b);
      const std::vector<float> c = accumulators(random, size_t(s.M * s.N));
      const std::string what = std::string(kind.name) + ", seed " + std::to_string(seed);
      expect_same(a, b, {}, what + ", no C", path);
      expect_same(a, b, c, what + ", with C", path);
    }
}

BOOST_AUTO_TEST_CASE(every_kind_of_operands) {
  for (const Kind& kind : kinds)
    for (uint64_t seed = 1; seed <= 3; ++seed)
      expect_same_for_all_pairs({13, 45, 200, 32}, kind, seed);
}

// Presets and described datapaths: each kind, each rounding of a sum, groups, ftz, and sums that no
// kernel holds.
static const char* const paths[] = {
    "blockwise",
    "sequential",
    "exact",
    "tensorcore_mxf8",
    "tensorcore_mxf4",
    "hopper_fp8",
    R"({"kind":"fused","ftz":true})",
    R"({"kind":"blockwise","ftz":true})",
    R"({"kind":"sequential","ftz":true})",
    R"({"kind":"exact","ftz":true})",
    R"({"kind":"aligned","terms":24,"group":8,"fraction_bits":9,"e_zero":-140,"output":"rne"})",
    R"({"kind":"aligned","terms":5,"group":1,"fraction_bits":30,"e_zero":-20,"output":"rz","ftz":true})",
    R"({"kind":"aligned","terms":3,"group":1,"fraction_bits":1,"e_zero":-127,"output":"rz13","ftz":true})",
    R"({"kind":"aligned","terms":1024,"group":8,"fraction_bits":44,"e_zero":-133,"output":"rne"})"};

BOOST_AUTO_TEST_CASE(every_datapath) {
  uint64_t seed = 0;
  for (const char* path : paths)
    for (const Kind& kind : kinds) {
      expect_same_for_all_pairs({4, 37, 72, 32}, kind, ++seed, {}, {}, datapath(path));
      expect_same_for_all_pairs({2, 3, 72, 8}, kind, ++seed, {3, 4}, {5, 7}, datapath(path));
    }
}

// Any that may be described. A zero's exponent of F - 1024 has no binary64 unit.
BOOST_AUTO_TEST_CASE(described_alignments) {
  Random random(8);
  const auto below = [&](uint64_t n) { return int(random() % n); };
  for (int trial = 0; trial < 60; ++trial) {
    const int group = 1 << below(4), terms = group * (1 + below(uint64_t(64 / group)));
    const int fraction = 1 + below(44);
    const int e_zero = below(3) == 0 ? fraction - 1024 : below(2049) - 1024;
    const char* const outputs[] = {"rne", "rz", "rz13"};
    std::ostringstream text;
    text << R"({"kind":"aligned","terms":)" << terms << R"(,"group":)" << group
         << R"(,"fraction_bits":)" << fraction << R"(,"e_zero":)" << e_zero << R"(,"output":")"
         << outputs[below(3)] << R"(","ftz":)" << (below(2) ? "true" : "false") << "}";
    const Kind& kind = kinds[size_t(trial) % std::size(kinds)];
    expect_same_for_all_pairs({2, 3, 100, 32}, kind, uint64_t(trial) + 1, {}, {},
                              datapath(text.str()));
    // Zeros alone, and then something.
    for (const BlockFormat& format : block_formats) {
      if (format.has_tensor_scale()) continue;
      MxTensor a = operand(random, format, 2, 160, 32, kind, {});
      const MxTensor b = operand(random, format, 3, 160, 32, kind, {});
      std::fill_n(a.codes.begin(), 128, uint8_t(0));
      expect_same(a, b, {}, "zeros first", datapath(text.str()));
    }
  }
}

BOOST_AUTO_TEST_CASE(every_datapath_over_more_than_one_pass) {
  for (const char* path : paths) {
    expect_same_for_all_pairs({2, 3, 1100, 128}, kinds[0], 1, {}, {}, datapath(path));
    expect_same_for_all_pairs({2, 3, 1030, 16}, kinds[10], 2, {}, {}, datapath(path));
  }
}

// Codes, scales and tensor scales of all sizes.
BOOST_AUTO_TEST_CASE(tensor_scales) {
  const BlockFormat& nvfp4 = block_format("nvfp4");
  Random random(11);
  const auto draw = [&](int64_t rows, int64_t K, bool by_row, int widest, bool nan) {
    MxTensor q{{.format = &nvfp4, .block = 16, .scale_by_row = by_row}, {rows, K}, {}, {}, {}};
    for (int64_t i = 0; i < rows * K; ++i) q.codes.push_back(uint8_t(random() % 16));
    for (int64_t i = 0; i < rows * q.blocks_per_row(); ++i) {
      q.scales.push_back(uint8_t(random() % 127));
      if (random() % 8 == 0) q.scales.back() = uint8_t(random() % 3 | (random() & 0x80));
      if (nan && random() % 64 == 0) q.scales.back() = 0x7F;
    }
    for (int64_t i = 0; i < (by_row ? rows : 1); ++i)
      q.tensor_scales.push_back(std::ldexp(1 + float(random() % (1 << 23)) * 0x1p-23f,
                                           int(random() % uint64_t(2 * widest + 1)) - widest));
    return q;
  };
  for (int trial = 0; trial < 12; ++trial) {
    const int widest = trial % 3 == 0 ? 3 : trial % 3 == 1 ? 62 : 120;
    const int64_t K = trial % 2 ? 200 : 72;
    const MxTensor a = draw(5, K, trial % 2, widest, trial > 5),
                   b = draw(35, K, false, widest, trial > 5);
    const std::vector<float> c = accumulators(random, 5 * 35);
    const std::string what = "trial " + std::to_string(trial);
    expect_same(a, b, c, what);
    for (const char* path : paths) {
      if (!no_product(nvfp4, nvfp4, 16, datapath(path)).empty()) continue;
      expect_same(a, b, {}, what + ", no C", datapath(path));
      expect_same(a, b, c, what + ", with C", datapath(path));
    }
  }
}

BOOST_AUTO_TEST_CASE(every_block_length_and_short_last_blocks) {
  for (const int block : block_lengths)
    for (const int64_t K : {1, 7, 8, 31, 64, 129, 300}) {
      expect_same_for_all_pairs({3, 33, K, block}, kinds[0], uint64_t(K * 1000 + block));
      expect_same_for_all_pairs({19, 33, K, block}, kinds[std::size(kinds) - 1], uint64_t(K));
      expect_same_for_all_pairs({19, 33, K, block}, kinds[std::size(kinds) - 2], uint64_t(K));
    }
}

BOOST_AUTO_TEST_CASE(every_size_of_a_tile) {
  for (int64_t M = 1; M <= 18; ++M)
    expect_same_for_all_pairs({M, 5, 64, 32}, kinds[0], uint64_t(M));
  for (const int64_t N : {1, 15, 16, 17, 31, 32, 33, 64, 65})
    expect_same_for_all_pairs({2, N, 64, 32}, kinds[0], uint64_t(N));
}

BOOST_AUTO_TEST_CASE(more_rows_and_longer_k_than_one_pass_holds) {
  expect_same_for_all_pairs({515, 3, 40, 8}, kinds[0], 1);
  expect_same_for_all_pairs({2, 33, 1100, 128}, kinds[0], 2);
}

BOOST_AUTO_TEST_CASE(prescales) {
  const Prescale three_quarters{3, 4}, odd{5, 7}, wide{65521, 65519}, tiny{1, 65535};
  uint64_t seed = 0;
  for (const auto& [p_a, p_b] : {std::pair{three_quarters, three_quarters},
                                 {three_quarters, Prescale{}},
                                 {Prescale{}, odd},
                                 {odd, Prescale{7, 5}},
                                 {wide, odd},
                                 {wide, wide},
                                 {tiny, tiny},
                                 {Prescale{98, 1}, Prescale{}},  // quotients that are ties
                                 {Prescale{14, 1}, Prescale{7, 1}},
                                 {Prescale{206, 1}, Prescale{}},
                                 {Prescale{65535, 1}, Prescale{65533, 1}}})
    for (const Kind& kind : kinds)
      expect_same_for_all_pairs({3, 35, 96, 32}, kind, ++seed, p_a, p_b);
}

// Block sums far below the accumulator, at ties of its last place and just beside them: where two
// roundings would show.
BOOST_AUTO_TEST_CASE(ties_and_their_neighbours) {
  const BlockFormat& mxfp8 = block_format("mxfp8_e4m3");
  Random random(1);
  const int64_t M = 8, N = 64, K = 64;
  for (int trial = 0; trial < 40; ++trial) {
    MxTensor a = operand(random, mxfp8, M, K, 32, kinds[0], {});
    MxTensor b = operand(random, mxfp8, N, K, 32, kinds[0], {});
    // Few elements: a power of two and the smallest subnormal, so that x·S = ±(2^i ± 2^-j).
    for (MxTensor* q : {&a, &b})
      for (size_t i = 0; i < q->codes.size(); ++i) {
        const size_t k = i % size_t(K) % 32;
        q->codes[i] = k == 0   ? uint8_t((1 + random() % 14) << 3)
                      : k == 1 ? uint8_t(random() % 3 | (random() & 0x80))
                               : uint8_t(0);
      }
    std::vector<float> c(size_t(M * N));
    for (float& x : c)
      x = std::ldexp(float(random() % (1 << 24)) * (random() & 1 ? 1.0f : -1.0f),
                     int(random() % 40) - 20);
    expect_same(a, b, c, "ties, trial " + std::to_string(trial));
    expect_same(a, b, {}, "ties of block sums, trial " + std::to_string(trial));
  }
}

// Without C: a block of which half a last place of the accumulator is left, and something up to 36
// bits smaller. No binary64 number holds the sum.
BOOST_AUTO_TEST_CASE(ties_that_binary64_does_not_tell) {
  const BlockFormat& mxfp8 = block_format("mxfp8_e4m3");
  Random random(5);
  const int64_t M = 24, N = 64, K = 64;
  for (int trial = 0; trial < 20; ++trial) {
    const auto sparse = [&](int64_t rows) {
      MxTensor q{{.format = &mxfp8, .block = 32}, {rows, K}, {}, {}};
      q.codes.resize(size_t(rows * K));
      for (int64_t row = 0; row < rows; ++row) {
        uint8_t* codes = q.codes.data() + row * K;
        codes[0] = uint8_t(0x70 | random() % 8);
        codes[32] = 0x70;
        codes[33] = uint8_t(1 | (random() & 0x80));
        q.scales.insert(q.scales.end(), {uint8_t(127 + 10 + random() % 5), 127});
      }
      return q;
    };
    const MxTensor a = sparse(M), b = sparse(N);
    expect_same(a, b, {}, "binary64, trial " + std::to_string(trial));
  }
}

BOOST_AUTO_TEST_CASE(cancellation_leaves_plus_zero_and_small_remainders) {
  Random random(3);
  for (const BlockFormat& format : block_formats) {
    if (format.has_tensor_scale()) continue;
    MxTensor a = operand(random, format, 5, 128, 32, kinds[0], {});
    MxTensor b = operand(random, format, 37, 128, 32, kinds[0], {});
    // The second half of b is the negative of the first, that of a the same: all sums cancel, but
    // for what is changed in every third row.
    for (MxTensor* q : {&a, &b})
      for (int64_t row = 0; row < q->rows(); ++row) {
        for (int64_t k = 64; k < 128; ++k)
          q->codes[size_t(row * 128 + k)] = uint8_t(q->codes[size_t(row * 128 + k - 64)] ^
                                                    (q == &b ? format.element->sign_mask() : 0));
        for (int64_t i = 2; i < 4; ++i)
          q->scales[size_t(row * 4 + i)] = q->scales[size_t(row * 4 + i - 2)];
        if (row % 3 == 0) q->codes[size_t(row * 128)] ^= 1;
      }
    expect_same(a, b, {}, "cancellation");
    expect_same(a, b, std::vector<float>(5 * 37, -0.0f), "cancellation from -0");
  }
}

BOOST_AUTO_TEST_CASE(minus_zero_stays_where_no_product_is_nonzero) {
  for (const BlockFormat& format : block_formats)
    for (const uint8_t scale : {uint8_t(0), uint8_t(127), uint8_t(254)}) {
      if (format.has_tensor_scale()) continue;
      MxTensor a{
          {.format = &format}, {2, 64}, std::vector<uint8_t>(128), {scale, scale, scale, scale}};
      MxTensor b = a;
      a.codes[0] = 1;       // row 0 has one element …
      b.codes[64 + 0] = 1;  // … that meets one of column 1 only
      const std::vector<float> c(4, -0.0f);
      for_every_isa([&](std::string_view isa) {
        const std::vector<float> d = by_kernel(a, b, c);
        for (const size_t i : {0, 2, 3})
          BOOST_TEST(std::bit_cast<uint32_t>(d[i]) == 0x80000000u, isa << " " << format.name);
      });
      expect_same(a, b, c, "minus zero");
    }
}

BOOST_AUTO_TEST_CASE(one_operand_meets_both_formats_and_every_instruction_set) {
  Random random(4);
  const BlockFormat& mxfp4 = block_format("mxfp4");
  const MxTensor b = operand(random, mxfp4, 40, 96, 32, kinds[0], {});
  const auto engine = make_kernel_engine();
  const auto prepared = engine->prepare(b, datapath("fused"));
  for (const BlockFormat& format : block_formats) {
    if (format.has_tensor_scale()) continue;
    const MxTensor a = operand(random, format, 9, 96, 32, kinds[0], {});
    for_every_isa([&](std::string_view isa) {
      std::vector<float> d(9 * 40);
      engine->multiply(a, *prepared, {}, d);
      BOOST_TEST(!difference(by_reference(a, b, {}), d, 40), isa);
    });
  }
}

BOOST_AUTO_TEST_CASE(bits_do_not_depend_on_the_threads) {
  const int before = threads();
  Random random(5);
  for (const BlockFormat& format : block_formats) {
    if (format.has_tensor_scale()) continue;
    const MxTensor a = operand(random, format, 70, 160, 32, kinds[3], {3, 4});
    const MxTensor b = operand(random, format, 90, 160, 32, kinds[3], {3, 4});
    for_every_isa([&](std::string_view isa) {
      set_threads(1);
      const std::vector<float> one = by_kernel(a, b, {});
      set_threads(2);
      BOOST_TEST(!difference(one, by_kernel(a, b, {}), 90), isa);
    });
  }
  set_threads(before);
}

BOOST_AUTO_TEST_CASE(control_a_planted_wrong_bit_is_found) {
  Random random(7);
  const MxTensor a = operand(random, block_formats[0], 3, 64, 32, kinds[0], {});
  const MxTensor b = operand(random, block_formats[0], 4, 64, 32, kinds[0], {});
  const std::vector<float> expected = by_reference(a, b, {});
  std::vector<float> d = by_kernel(a, b, {});
  BOOST_TEST(!difference(expected, d, 4));
  d[6] = std::bit_cast<float>(std::bit_cast<uint32_t>(d[6]) ^ 1);
  const auto found = difference(expected, d, 4);
  BOOST_REQUIRE(found);
  BOOST_TEST(found->starts_with("d[1,2]: expected 0x"));
}

BOOST_AUTO_TEST_CASE(operands_that_do_not_fit_are_refused) {
  Random random(8);
  const MxTensor a = operand(random, block_formats[0], 2, 64, 32, kinds[0], {});
  const MxTensor other_k = operand(random, block_formats[0], 2, 96, 32, kinds[0], {});
  const MxTensor other_block = operand(random, block_formats[0], 2, 64, 16, kinds[0], {});
  BOOST_CHECK_THROW(by_kernel(a, other_k, {}), UsageError);
  BOOST_CHECK_THROW(by_kernel(a, other_block, {}), UsageError);
}

BOOST_AUTO_TEST_SUITE_END()
