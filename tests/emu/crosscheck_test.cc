#include "emu/crosscheck/crosscheck.h"

#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>

#include "emu/crosscheck/controls.h"
#include "emu/crosscheck/random_product.h"
#include "emu/files/atomic_file.h"
#include "emu/gemm.h"
#include "emu/product_engine.h"
#include "emu/quantize.h"
#include "tests/format_counts.h"
#include "tests/temporary_folder.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(crosschecking)

static EngineTable reference_alone() { return {{"ref", make_ref_engine}}; }

BOOST_AUTO_TEST_CASE(the_definition_agrees_with_itself_and_every_control_is_caught) {
  const CrosscheckReport report = crosscheck(reference_alone(), {});
  size_t products = 0;
  for (const BlockFormat& a : block_formats)
    for (const BlockFormat& b : block_formats)
      for (const Datapath& d : datapaths) products += no_product(a, b, a.block, d).empty();
  BOOST_TEST(products == pairs_of_formats() * datapaths.size());
  BOOST_TEST(report.rows.size() == products);
  for (const CrosscheckRow& row : report.rows) {
    BOOST_TEST(row.compared > 2000);
    BOOST_TEST(row.mismatches == 0);
  }
  BOOST_TEST(report.controls.size() == 3u);
  for (const CrosscheckControl& control : report.controls) BOOST_TEST(control.caught, control.name);
  BOOST_TEST(report.passed());
}

BOOST_AUTO_TEST_CASE(a_faulty_engine_fails_and_is_described_so_that_it_can_be_repeated) {
  CrosscheckOptions options{.seed = 40};
  options.formats = {&block_format("mxfp8_e4m3")};
  const CrosscheckReport report = crosscheck(control_engines(), options);
  BOOST_TEST(!report.passed());
  BOOST_TEST(report.failures.size() == report.rows.size());
  for (const CrosscheckRow& row : report.rows) BOOST_TEST(row.mismatches > 0, row.implementation);
  for (const char* part :
       {"planted_fault: mxfp8_e4m3 × mxfp8_e4m3 on fused", "seed 40", "index (31, 31)",
        "expected 0x", "got 0x", "a mxfp8_e4m3 pre-scale 1 scales ",
        "repeat: mxref crosscheck --impl planted_fault --format mxfp8_e4m3 --format-b mxfp8_e4m3 "
        "--datapath fused --seed 40"})
    BOOST_TEST(report.failures[0].find(part) != std::string::npos,
               part << " not in: " << report.failures[0]);
}

BOOST_AUTO_TEST_CASE(given_operands_are_compared_too) {
  std::vector<float> x(3 * 50, 0.5f), w(2 * 50, -1.25f);
  GivenProduct given{"layer",
                     quantize(x, {3, 50}, {.format = &block_format("mxfp4")}),
                     quantize(w, {2, 50}, {.format = &block_format("mxfp8_e4m3")}),
                     {}};
  const CrosscheckReport report = crosscheck(
      reference_alone(),
      {.formats = {&block_format("mxfp4")}, .datapaths = {&datapath("fused")}, .given = {given}});
  BOOST_TEST(report.rows.size() == 2u);
  BOOST_TEST(report.rows[1].source == "layer");
  BOOST_TEST(report.rows[1].format_b == "mxfp8_e4m3");
  BOOST_TEST(report.rows[1].compared == 6);
}

// The definition, but for the block lengths it refuses.
class Choosy : public ProductEngine {
 public:
  explicit Choosy(int least_block) : ProductEngine("choosy", gemm_ref), least_(least_block) {}
  std::string refuses(const BlockFormat&, const BlockFormat&, int block,
                      const Datapath&) const override {
    return block < least_ ? "blocks too short" : "";
  }

 private:
  int least_;
};

BOOST_AUTO_TEST_CASE(an_engine_that_refuses_products_is_named_with_its_own_reason) {
  const auto rows_of = [](int least_block, std::vector<std::string> names) {
    const EngineTable engines{
        {"choosy", [least_block] { return std::make_unique<Choosy>(least_block); }},
        {"ref", make_ref_engine}};
    const CrosscheckReport report = crosscheck(
        engines, {.formats = {&block_format("mxfp4")}, .implementations = std::move(names)});
    BOOST_TEST(report.passed());
    return report.rows;
  };
  const CrosscheckRow control = rows_of(8, {"choosy"})[0];  // refuses none
  BOOST_TEST(control.reason == "");
  BOOST_TEST(control.refused == 0);
  const CrosscheckRow some = rows_of(32, {"choosy"})[0];
  BOOST_TEST(some.reason == "blocks too short");
  BOOST_TEST(some.refused > 0);
  BOOST_TEST(some.refused < some.products);
  BOOST_TEST(some.products == control.products);
  BOOST_TEST(some.compared < control.compared);
  const CrosscheckRow none = rows_of(1000, {})[0];  // one of all engines, not asked for
  BOOST_TEST(none.reason == "blocks too short");
  BOOST_TEST(none.compared == 0);
  BOOST_TEST(none.refused == none.products);
  BOOST_CHECK_EXCEPTION(rows_of(1000, {"ref", "choosy"}), UsageError, [](const UsageError& e) {
    return e.what() ==
           std::string("engine 'choosy' takes none of these products: blocks too short");
  });
}

// The definition, but for the last element of a chain that no buffer of 300 elements holds.
class ForgetsLongChains : public ProductEngine {
 public:
  ForgetsLongChains() : ProductEngine("forgets", gemm_ref) {}
  void multiply(const MxTensor& a, const PreparedOperand& b, std::span<const float> c,
                std::span<float> d) override {
    ProductEngine::multiply(a, b, c, d);
    if (a.cols() > 300 && std::isfinite(d.back())) d.back() = std::nextafter(d.back(), INFINITY);
  }
};

BOOST_AUTO_TEST_CASE(chains_as_long_as_a_model_s_are_compared_at_the_first_level) {
  const EngineTable engines{{"forgets", [] { return std::make_unique<ForgetsLongChains>(); }}};
  const CrosscheckReport report = crosscheck(engines, {.datapaths = {&datapath("fused")}});
  BOOST_TEST(report.rows.size() == pairs_of_formats());
  for (const CrosscheckRow& row : report.rows)
    BOOST_TEST(row.mismatches > 0, row.format_a << " × " << row.format_b);
}

BOOST_AUTO_TEST_CASE(formats_that_do_not_meet_are_refused) {
  BOOST_CHECK_EXCEPTION(crosscheck(reference_alone(), {.formats = {&block_format("mxfp4")},
                                                       .formats_b = {&block_format("nvfp4")}}),
                        UsageError, [](const UsageError& e) {
                          return std::string(e.what()).ends_with("they do not meet");
                        });
}

BOOST_AUTO_TEST_CASE(nothing_compared_is_no_pass) {
  CrosscheckOptions options;
  options.formats = {&block_format("mxfp4")};
  BOOST_TEST(!crosscheck({}, options).passed());
}

BOOST_AUTO_TEST_CASE(wrong_use_is_refused) {
  BOOST_CHECK_THROW(crosscheck(reference_alone(), {.implementations = {"rfe"}}), UsageError);
  BOOST_CHECK_THROW(crosscheck(reference_alone(), {.level = 0}), UsageError);
  BOOST_CHECK_THROW(crosscheck(reference_alone(), {.level = 4}), UsageError);
}

static GivenProduct product_of_seed(uint64_t seed) {
  return random_product(block_formats[0], block_formats[1], seed);
}

// Bits, for a NaN is no float that equals itself.
static bool is_same(const GivenProduct& x, const GivenProduct& y) {
  const auto is_same_bits = [](float p, float q) {
    return std::bit_cast<uint32_t>(p) == std::bit_cast<uint32_t>(q);
  };
  return x.source == y.source && x.a == y.a && x.b == y.b &&
         std::ranges::equal(x.c, y.c, is_same_bits);
}

BOOST_AUTO_TEST_CASE(a_product_is_decided_by_its_seed) {
  for (uint64_t seed = 0; seed < 64; ++seed) {
    const GivenProduct product = product_of_seed(seed);
    BOOST_TEST(is_same(product, product_of_seed(seed)), "seed " << seed);
    // The control: another seed, even of the same shape, is another product.
    BOOST_TEST(!is_same(product, product_of_seed(seed + 8)), "seed " << seed);
    if (product.c.empty()) continue;
    GivenProduct other = product;
    other.c.back() = -other.c.back();
    BOOST_TEST(!is_same(product, other), "seed " << seed);
  }
}

// What a product has beside its operands meets everything else that it can have.
BOOST_AUTO_TEST_CASE(pre_scales_and_block_lengths_come_with_c_and_without) {
  int64_t scaled[2] = {};  // without and with C
  std::set<std::pair<int, bool>> blocks;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const GivenProduct product = product_of_seed(seed);
    const bool is_scaled =
        !product.a.conversion.prescale.is_one() || !product.b.conversion.prescale.is_one();
    scaled[!product.c.empty()] += is_scaled;
    blocks.emplace(product.a.block(), product.c.empty());
  }
  BOOST_TEST(scaled[0] > 0);
  BOOST_TEST(scaled[1] > 0);
  BOOST_TEST(blocks.size() == 2 * block_lengths.size());
}

// The definition, which gives up at its n-th product as a process that is stopped does.
class Stopped : public ProductEngine {
 public:
  explicit Stopped(int products) : ProductEngine("ref", gemm_ref), left_(products) {}
  void multiply(const MxTensor& a, const PreparedOperand& b, std::span<const float> c,
                std::span<float> d) override {
    if (left_-- == 0) throw std::runtime_error("stopped");
    ProductEngine::multiply(a, b, c, d);
  }

 private:
  int left_;
};

BOOST_AUTO_TEST_CASE(a_run_that_was_stopped_goes_on_and_reports_the_same) {
  const TemporaryFolder folder;
  CrosscheckOptions options{.formats = {&block_format("mxfp4"), &block_format("mxint8")},
                            .datapaths = {&datapath("fused"), &datapath("exact")}};
  const CrosscheckReport whole = crosscheck(reference_alone(), options);
  options.resume = folder.path() / "state.json";
  options.resume_key = "here";
  const EngineTable stopped{{"ref", [] { return std::make_unique<Stopped>(27); }}};
  BOOST_CHECK_THROW(crosscheck(stopped, options), std::runtime_error);
  // What was done before is not computed again: an engine that stops after the rest is enough.
  const int rest = 8 * 8 - 27 / 8 * 8;
  const EngineTable enough{{"ref", [rest] { return std::make_unique<Stopped>(rest); }}};
  const CrosscheckReport resumed = crosscheck(enough, options);
  BOOST_REQUIRE(resumed.rows.size() == whole.rows.size());
  for (size_t i = 0; i < whole.rows.size(); ++i)
    BOOST_TEST(resumed.rows[i].compared == whole.rows[i].compared);
  BOOST_TEST(resumed.passed());

  options.seed = 2;
  BOOST_CHECK_EXCEPTION(crosscheck(reference_alone(), options), InputError, [](auto& e) {
    return std::string(e.what()).find("it has   here; level 1, seed 1;") != std::string::npos;
  });
  options.seed = 1;
  std::string state = read_file(options.resume);
  const size_t at = state.find("\"implementation\": \"ref\"");
  BOOST_REQUIRE(at != std::string::npos);
  write_atomically(options.resume, state.replace(at, 23, "\"implementation\": \"nob\""));
  BOOST_CHECK_THROW(crosscheck(reference_alone(), options), InputError);
  write_atomically(options.resume, "{\"schema\": 3}");
  BOOST_CHECK_THROW(crosscheck(reference_alone(), options), InputError);
}

BOOST_AUTO_TEST_SUITE_END()
