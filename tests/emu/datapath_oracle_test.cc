// The datapaths of the definition against the second construction (datapath_oracle.h).

#include "tests/emu/datapath_oracle.h"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <numeric>
#include <random>

#include "emu/dot_aligned.h"
#include "emu/gemm.h"
#include "emu/hex.h"
#include "emu/vectors/stimulus.h"
#include "tests/format_counts.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(datapath_oracle)

// What is compared with the oracle: dot_ref(), or a copy of a rule with a planted bug.
using Subject = std::function<uint32_t(const Datapath&, uint32_t, const RowView&, const RowView&)>;

struct Row {
  const BlockFormat *a, *b;
  int block;
  std::vector<uint8_t> codes_a, codes_b, scales_a, scales_b;
  uint32_t acc = 0;
  RowView view_a() const { return {a, block, codes_a, scales_a}; }
  RowView view_b() const { return {b, block, codes_b, scales_b}; }
};

static std::string hex_of(const std::vector<uint8_t>& bytes) {
  std::string text;
  for (uint8_t byte : bytes) text += to_hex(byte, 2);
  return text;
}

// Rows that were compared with the oracle, and how many differed.
struct Tally {
  Subject subject = dot_ref;
  bool is_control = false;
  int compared = 0, mismatches = 0;

  void compare(const Datapath& d, const Row& row, const std::string& where) {
    if (is_control && mismatches > 0) return;  // it is seen
    const uint32_t expected = oracle::dot(d, row.acc, row.view_a(), row.view_b());
    const uint32_t got = subject(d, row.acc, row.view_a(), row.view_b());
    ++compared;
    if (got == expected) return;
    if (++mismatches == 1 && !is_control)
      BOOST_TEST_MESSAGE(d.name << (d.ftz ? " ftz" : "") << ", " << row.a->name << " × "
                                << row.b->name << " block " << row.block << " a "
                                << hex_of(row.codes_a) << " b " << hex_of(row.codes_b) << " scales "
                                << hex_of(row.scales_a) << " " << hex_of(row.scales_b) << " acc 0x"
                                << to_hex(row.acc, 8) << ": expected 0x" << to_hex(expected, 8)
                                << ", got 0x" << to_hex(got, 8) << " (" << where << ")");
  }
};

static bool multiply(const BlockFormat& a, const BlockFormat& b) { return a.scale == b.scale; }

// Rows of K elements in which the cases that go wrong are frequent; scales near each other where
// the row is a chain.
static Row random_row(Stimulus& stimulus, const BlockFormat& a, const BlockFormat& b, int block,
                      size_t K) {
  Row row{&a, &b, block, std::vector<uint8_t>(K), std::vector<uint8_t>(K), {}, {}};
  BlockSum last;
  for (size_t k = 0; k < K; k += size_t(block)) {
    const size_t count = std::min(size_t(block), K - k);
    const auto x = std::span(row.codes_a).subspan(k, count);
    const auto y = std::span(row.codes_b).subspan(k, count);
    stimulus.codes(*a.element, x);
    stimulus.codes(*b.element, y);
    row.scales_a.push_back(stimulus.scale(*a.scale));
    row.scales_b.push_back(stimulus.scale(*b.scale));
    if (k == 0) last = block_sum(*a.element, x, *b.element, y);
  }
  row.acc = stimulus.accumulator(last, row.scales_a[0], row.scales_b[0], *a.scale, *b.scale);
  return row;
}

// Each preset with and without ftz.
static std::vector<Datapath> presets() {
  std::vector<Datapath> all;
  for (Datapath d : datapaths)
    for (bool ftz : {false, true}) {
      d.ftz = ftz;
      all.push_back(d);
    }
  return all;
}

// --- one block: every pair of formats on every preset

static void single_blocks(Tally& tally, const Datapath& d, int count) {
  for (const BlockFormat& a : block_formats)
    for (const BlockFormat& b : block_formats) {
      if (!multiply(a, b)) continue;
      Stimulus stimulus(11);
      for (int i = 0; i < count; ++i) {
        const Row row = random_row(stimulus, a, b, a.block, size_t(a.block));
        tally.compare(d, row, "seed 11, index " + std::to_string(i));
      }
    }
}

BOOST_AUTO_TEST_CASE(a_block_of_every_pair_of_formats_on_every_preset) {
  for (const Datapath& d : presets()) {
    Tally tally;
    single_blocks(tally, d, 120);
    BOOST_TEST(tally.compared == pairs_of_formats() * 120);
    BOOST_TEST(tally.mismatches == 0, d.name);
  }
}

// --- chains: K no multiple of block or of T, short last blocks

static void chains(Tally& tally, const Datapath& d, int count) {
  std::mt19937_64 random(12);
  for (int i = 0; i < count; ++i) {
    const BlockFormat& a = block_formats[random() % block_formats.size()];
    const BlockFormat* b = &a;
    if (!a.has_tensor_scale()) b = mx_formats()[random() % mx_formats().size()];
    const int block = a.has_tensor_scale() ? 16 : block_lengths[random() % block_lengths.size()];
    if (d.kind == Accumulation::aligned && block % d.alignment.group != 0) continue;
    Stimulus stimulus(random(), 2000);
    const size_t K = 1 + random() % 400;
    tally.compare(d, random_row(stimulus, a, *b, block, K), "seed 12, index " + std::to_string(i));
  }
}

BOOST_AUTO_TEST_CASE(chains_of_every_block_length) {
  for (const Datapath& d : presets()) {
    Tally tally;
    chains(tally, d, 500);
    BOOST_TEST(tally.compared > 300);
    BOOST_TEST(tally.mismatches == 0, d.name);
  }
}

// The control of both: each planted bug is a difference that these rows show.
BOOST_AUTO_TEST_CASE(planted_bugs_are_seen) {
  const auto is_seen = [](const Datapath& d, const Subject& planted) {
    Tally tally{planted, true};
    single_blocks(tally, d, 60);
    chains(tally, d, 150);
    return tally.mismatches > 0;
  };
  for (const Datapath& d : presets()) {
    const auto other = [](Datapath wrong) {
      return [wrong](const Datapath&, uint32_t acc, const RowView& a, const RowView& b) {
        return dot_ref(wrong, acc, a, b);
      };
    };
    Datapath wrong = d;
    wrong.ftz = !d.ftz;
    BOOST_TEST(is_seen(d, other(wrong)), d.name << ": ftz");
    if (d.kind != Accumulation::aligned) {
      for (const Datapath& kind : datapaths) {
        if (kind.kind == d.kind) continue;
        wrong = kind;
        wrong.ftz = d.ftz;
        BOOST_TEST(is_seen(d, other(wrong)), d.name << ": taken for " << kind.name);
      }
    } else {
      for (auto [what, change] :
           std::initializer_list<std::pair<const char*, void (*)(Alignment&)>>{
               {"F + 1", [](Alignment& g) { ++g.fraction_bits; }},
               {"F - 1", [](Alignment& g) { --g.fraction_bits; }},
               {"T",
                [](Alignment& g) {
                  g.terms = g.terms % (2 * g.group) == 0 ? g.terms / 2 : g.terms + g.group;
                }},
               {"G", [](Alignment& g) { g.group = g.group == 1 ? std::gcd(g.terms, 8) : 1; }},
               {"e_zero", [](Alignment& g) { g.e_zero = 0; }},
               {"rne",
                [](Alignment& g) {
                  g.output = g.output == SumRounding::rne ? SumRounding::rz : SumRounding::rne;
                }},
               {"output", [](Alignment& g) {
                  g.output = g.output == SumRounding::rz ? SumRounding::rz13 : SumRounding::rz;
                }}}) {
        wrong = d;
        change(wrong.alignment);
        if (wrong.alignment == d.alignment) continue;
        BOOST_TEST(is_seen(d, other(wrong)), d.name << ": " << what);
      }
    }
    // Of results: the sign of zero, a NaN's payload, an odd last place, Inf.
    for (const auto& [from, to] :
         {std::pair{0u, 0x80000000u},
          {d.kind == Accumulation::aligned ? 0x7FFFFFFFu : 0x7FC00000u, 0xFFC00000u},
          {0x7F800000u, 0x7F7FFFFFu}})
      BOOST_TEST(is_seen(d,
                         [from = from, to = to](const Datapath& right, uint32_t acc,
                                                const RowView& a, const RowView& b) {
                           const uint32_t result = dot_ref(right, acc, a, b);
                           return result == from ? to : result;
                         }),
                 d.name << ": 0x" << to_hex(from, 8));
  }
}

// --- described datapaths

BOOST_AUTO_TEST_CASE(described_aligned_datapaths_over_all_their_limits) {
  std::mt19937_64 random(13);
  Tally tally;
  for (int i = 0; i < 6000; ++i) {
    const BlockFormat& a = block_formats[random() % block_formats.size()];
    const BlockFormat* b = &a;
    if (!a.has_tensor_scale()) b = mx_formats()[random() % mx_formats().size()];
    const int block = a.has_tensor_scale() ? 16 : block_lengths[random() % block_lengths.size()];
    Datapath d{.name = "described", .kind = Accumulation::aligned, .source = ""};
    Alignment& g = d.alignment;
    do g.group = 1 << random() % 8;
    while (block % g.group != 0);
    g.terms = g.group * int(1 + random() % uint64_t(random() % 8 == 0 ? 1024 / g.group : 4));
    g.fraction_bits = 1 + int(random() % 44);
    constexpr int e_zeros[] = {-1024, -300, -139, -133, -126, -20, 0, 30, 1024};
    g.e_zero = e_zeros[random() % std::size(e_zeros)];
    g.output = sum_roundings[random() % 3].rounding;
    d.ftz = random() % 4 == 0;
    Stimulus stimulus(random(), 2000);
    const Row row = random_row(stimulus, a, *b, block, 1 + random() % 160);
    tally.compare(d, row,
                  "seed 13, index " + std::to_string(i) + ", T " + std::to_string(g.terms) + " G " +
                      std::to_string(g.group) + " F " + std::to_string(g.fraction_bits) +
                      " e_zero " + std::to_string(g.e_zero));
  }
  BOOST_TEST(tally.mismatches == 0);
}

// Every pair of scales under a product and the least number, on datapaths that truncate; the others
// are in exhaustive_test.cc.
BOOST_AUTO_TEST_CASE(all_pairs_of_scales_on_the_aligned_datapaths) {
  const std::vector<uint8_t> a{0x7, 0xD, 0x1}, b{0x5, 0x2, 0x1};
  for (const Datapath& d : datapaths) {
    if (d.kind != Accumulation::aligned) continue;
    Tally tally;
    for (uint32_t pair = 0; pair < 0x10000; ++pair) {
      const BlockFormat& f = block_format(pair % 3 == 0 ? "nvfp4" : "mxfp4");
      const uint32_t acc = pair % 2 == 0 ? 0 : pair * 65537;
      const Row row{&f, &f, 16, a, b, {uint8_t(pair)}, {uint8_t(pair >> 8)}, acc};
      tally.compare(d, row, "pair " + std::to_string(pair));
    }
    BOOST_TEST(tally.mismatches == 0, d.name);
  }
}

// --- adversarial accumulators and places

static const std::vector<uint32_t>& accumulators() {
  static const std::vector<uint32_t> all = [] {
    std::vector<uint32_t> bits{0x00000000, 0x00000001, 0x00000002, 0x007FFFFF, 0x00800000,
                               0x00800001, 0x33800000, 0x3F7FFFFF, 0x3F800000, 0x3F800001,
                               0x40FFFFFF, 0x4B800000, 0x4B800001, 0x4C000001, 0x7F7FFFFE,
                               0x7F7FFFFF, 0x7F800000, 0x7F800001, 0x7FC12345};
    const size_t positive = bits.size();
    for (size_t i = 0; i < positive; ++i) bits.push_back(bits[i] | 0x80000000);
    return bits;
  }();
  return all;
}

// Inf and NaN codes, and zeros that meet an Inf, in every place of a short row.
BOOST_AUTO_TEST_CASE(infinity_and_nan_in_every_place) {
  const BlockFormat &e5 = block_format("mxfp8_e5m2"), &e4 = block_format("mxfp8_e4m3");
  for (const Datapath& d : presets()) {
    if (d.alignment.group > 8) continue;
    Tally tally;
    for (size_t place = 0; place < 20; ++place)
      for (const auto& [b, code_b] : {std::pair{&e5, uint8_t(0x3C)},
                                      {&e5, uint8_t(0x7C)},
                                      {&e5, uint8_t(0xFC)},
                                      {&e5, uint8_t(0)},
                                      {&e4, uint8_t(0x7F)}})
        for (uint8_t code_a : {0x7C, 0xFC, 0x7D, 0xFF, 0x3C})
          for (uint32_t acc : {0u, 0x80000000u, 0x7F800000u, 0xFF800000u, 0x7F800001u}) {
            Row row{&e5,
                    b,
                    8,
                    std::vector<uint8_t>(20, 0xBC),
                    std::vector<uint8_t>(20, 0x3C),
                    {127, 130, 120},
                    {127, 127, 127},
                    acc};
            row.codes_a[place] = code_a;
            row.codes_b[place] = code_b;
            tally.compare(d, row, "place " + std::to_string(place));
            row.codes_a[(place + 5) % 20] = 0x7C;
            tally.compare(d, row, "two places from " + std::to_string(place));
            row.scales_a[place % 3] = 0xFF;
            if (acc == 0) tally.compare(d, row, "scale " + std::to_string(place % 3));
          }
    BOOST_TEST(tally.mismatches == 0, d.name);
  }
}

// All e2m1 blocks of two elements, all of their 2^16 pairs: each under an accumulator and scales of
// a list, which the pairs run through.
BOOST_AUTO_TEST_CASE(all_blocks_of_two_e2m1_elements) {
  const BlockFormat &mx = block_format("mxfp4"), &nv = block_format("nvfp4");
  constexpr std::array<std::pair<uint8_t, uint8_t>, 6> mx_scales{
      {{127, 127}, {52, 53}, {0, 105}, {188, 190}, {103, 127}, {115, 127}}};
  constexpr std::array<std::pair<uint8_t, uint8_t>, 6> nv_scales{
      {{0x38, 0x38}, {0x01, 0x02}, {0x7E, 0x7E}, {0x00, 0x38}, {0x93, 0x2B}, {0x07, 0x7D}}};
  size_t turn = 0;
  for (const Datapath& d : datapaths) {
    Tally tally;
    for (uint32_t pair = 0; pair < 0x10000; ++pair) {
      ++turn;
      const bool is_nv = turn % 5 == 4;
      const auto& [scale_a, scale_b] = (is_nv ? nv_scales : mx_scales)[turn % 6];
      const BlockFormat& format = is_nv ? nv : mx;
      const Row row{&format,
                    &format,
                    is_nv ? 16 : 8,
                    {uint8_t(pair & 15), uint8_t(pair >> 4 & 15)},
                    {uint8_t(pair >> 8 & 15), uint8_t(pair >> 12)},
                    {scale_a},
                    {scale_b},
                    accumulators()[turn % accumulators().size()]};
      if (d.alignment.group > row.block) continue;
      tally.compare(d, row, "pair " + std::to_string(pair));
    }
    BOOST_TEST(tally.mismatches == 0, d.name);
  }
}

// A product that cancels the accumulator or lies a last place beside, or at a tie with it.
BOOST_AUTO_TEST_CASE(cancellation_and_ties_with_the_accumulator) {
  const BlockFormat& e5 = block_format("mxfp8_e5m2");
  for (const Datapath& d : presets()) {
    Tally tally;
    for (uint8_t code : {0x01, 0x03, 0x3C, 0x3D, 0x7B})
      for (int scale = -160; scale <= 200; scale += 3)
        for (int beside = -2; beside <= 2; ++beside)
          for (uint8_t tail : {0x00, 0x01, 0x81}) {
            const auto half = int(scale / 2);
            Row row{&e5,
                    &e5,
                    32,
                    std::vector<uint8_t>(32),
                    std::vector<uint8_t>(32, 0x3C),
                    {uint8_t(std::clamp(127 + half, 0, 254))},
                    {uint8_t(std::clamp(127 + scale - half, 0, 254))}};
            row.codes_a[0] = code;
            row.acc =
                (dot_ref(datapath("fused"), 0, row.view_a(), row.view_b()) + uint32_t(beside)) ^
                0x80000000;
            row.codes_a[31] = tail;
            tally.compare(d, row, "cancels");
            if ((row.acc & 0x7F800000) + (24u << 23) < 0x7F800000u) {
              row.acc = (row.acc + (24u << 23)) ^ (beside < 0 ? 0x80000000 : 0);
              tally.compare(d, row, "tie");
            }
          }
    BOOST_TEST(tally.mismatches == 0, d.name);
  }
}

// --- whole products: pre-scales, tensor scales, C

BOOST_AUTO_TEST_CASE(products_with_their_factor_and_c) {
  std::mt19937_64 random(14);
  constexpr std::array<Prescale, 6> prescales{
      {{1, 1}, {3, 4}, {4, 3}, {5, 7}, {1, 65535}, {65535, 1}}};
  int without_factor = 0, mismatches = 0, control = 0;
  for (int i = 0; i < 3000; ++i) {
    const Datapath d = presets()[random() % presets().size()];
    const BlockFormat& a = block_formats[random() % block_formats.size()];
    Conversion c{.format = &a};
    if (!a.has_tensor_scale()) c.prescale = prescales[random() % prescales.size()];
    Stimulus stimulus(random(), 500);
    const Row row = random_row(stimulus, a, a, c.block, 1 + random() % 70);
    MxTensor x{c, {1, int64_t(row.codes_a.size())}, row.codes_a, row.scales_a, {}};
    if (!a.has_tensor_scale()) c.prescale = prescales[random() % prescales.size()];
    MxTensor y{c, x.shape, row.codes_b, row.scales_b, {}};
    const auto any_g = [&] {
      const auto exponent = uint32_t(1 + random() % 254);
      return std::bit_cast<float>(exponent << 23 | uint32_t(random() & 0x7FFFFF));
    };
    if (a.has_tensor_scale()) {
      x.tensor_scales = {any_g()};
      y.tensor_scales = {any_g()};
    }
    const uint32_t acc = row.acc;
    const float start = std::bit_cast<float>(acc);
    const bool has_c = random() % 4 != 0;
    float got;
    gemm_ref(x, y, d, has_c ? std::span(&start, 1) : std::span<const float>(), {&got, 1});
    const uint32_t expected = oracle::product_element(x, 0, y, 0, d, has_c ? acc : 0);
    without_factor += !has_last_step(x, y);
    if (std::bit_cast<uint32_t>(got) != expected && ++mismatches == 1)
      BOOST_TEST_MESSAGE(d.name << " " << a.name << " index " << i << ": expected 0x"
                                << to_hex(expected, 8) << ", got 0x"
                                << to_hex(std::bit_cast<uint32_t>(got), 8));
    // Planted: C is taken for the accumulator's start, and the factor comes last.
    const uint32_t late = dot_ref(d, has_c ? acc : 0, row_of(x, 0), row_of(y, 0));
    control +=
        (has_last_step(x, y) ? last_step(d, late, factor_of(x, 0, y, 0), 0) : late) != expected;
  }
  BOOST_TEST(without_factor > 300);
  BOOST_TEST(mismatches == 0);
  BOOST_TEST(control > 300);
}

BOOST_AUTO_TEST_SUITE_END()
