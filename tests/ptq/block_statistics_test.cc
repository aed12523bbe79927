// Statistics of blocks on data that was made up to have them.

#include "ptq/block_statistics.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

#include "ptq/method.h"
#include "tests/golden/models_fixture.h"

using namespace mxref;
using namespace mxref::test;
using nlohmann::ordered_json;

namespace {

std::optional<Conversion> mxfp4() { return Conversion{.format = &block_format("mxfp4")}; }

BlockFigures figures(const std::vector<float>& x, int64_t K,
                     const std::optional<Conversion>& conversion = std::nullopt) {
  BlockStatistics sums(conversion);
  sums.add(x, K);
  return sums.figures();
}

bool near(double x, double expected, double tolerance) {
  return std::abs(x - expected) <= tolerance;
}

const ordered_json& place(const ordered_json& rows, const char* name) {
  for (const ordered_json& row : rows)
    if (row["place"] == name) return row;
  throw std::out_of_range(name);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(block_statistics_of)

BOOST_AUTO_TEST_CASE(normal_numbers_have_kurtosis_three_and_signs_one) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0.5f, 2);
  std::vector<float> x(64 * 1024), signs(64 * 1024);
  for (float& v : x) v = normal(random);
  for (float& v : signs) v = random() & 1 ? 1.f : -1.f;
  BOOST_TEST(near(figures(x, 64).kurtosis, 3, 0.1));
  BOOST_TEST(near(figures(signs, 64).kurtosis, 1, 1e-3));
  BOOST_TEST(near(figures(signs, 64).crest, 1, 1e-12));
  BOOST_TEST(figures(x, 64).crest > 1.9);  // of 32 normal numbers around 2.07, fewer off centre
}

BOOST_AUTO_TEST_CASE(one_element_alone_has_the_crest_of_its_block) {
  std::vector<float> x(4 * 40, 0);  // rows of 40: a block of 32 and one of 8
  x[3] = 5;
  BOOST_TEST(near(figures(x, 40).crest, std::sqrt(32.0), 1e-12));
  x[3] = 0;
  x[40 + 35] = -5;
  BOOST_TEST(near(figures(x, 40).crest, std::sqrt(8.0), 1e-12));
  BOOST_TEST(std::isnan(figures(std::vector<float>(64, 0), 32).crest));
}

BOOST_AUTO_TEST_CASE(the_error_is_that_of_the_conversion_block_by_block) {
  std::vector<float> x(64, 1);
  BOOST_TEST(figures(x, 64, mxfp4()).error == 0);
  BOOST_TEST(std::isnan(figures(x, 64).error));
  // The largest is 4, so 1 is a step of the scale 1 and 1.25 rounds to 1: an error of 1/16 in each
  // of 31 elements. The other block has none.
  x.assign(64, 1.25f);
  x[0] = 4;
  for (size_t i = 32; i < 64; ++i) x[i] = 1;
  const double expected = 31.0 / 16 / (16 + 31 * 1.5625) / 2;
  BOOST_TEST(near(figures(x, 64, mxfp4()).error, expected, 1e-9));
}

BOOST_AUTO_TEST_CASE(parts_of_a_tensor_add_up) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(8 * 96);
  for (float& v : x) v = normal(random);
  BlockStatistics sums(mxfp4());
  sums.add({x.data(), 3 * 96}, 96);
  sums.add({x.data() + 3 * 96, 5 * 96}, 96);
  const BlockFigures whole = figures(x, 96, mxfp4()), parts = sums.figures();
  BOOST_TEST(near(parts.kurtosis, whole.kurtosis, 1e-12));
  BOOST_TEST(near(parts.crest, whole.crest, 1e-12));
  BOOST_TEST(near(parts.error, whole.error, 1e-12));
}

// A channel that is far larger than the others is seen before the change, and gone behind a
// rotation of the whole model; without one (RTN) nothing changes.
BOOST_AUTO_TEST_CASE(a_rotation_spreads_a_large_channel) {
  const auto data = shared_data("models");
  if (!data) return;
  const auto source = open_checkpoint(*data / "llama_tied");
  MemoryCheckpoint planted(source->config(), source->path(), source->sha256());
  for (const std::string& name : source->names()) {
    HostTensor tensor = source->tensor(name);
    if (name.ends_with("input_layernorm.weight")) tensor.values[5] *= 60;
    planted.set(name, std::move(tensor));
  }
  Calibration calibration{"here", "", 0, 24, {}};
  for (int64_t s = 0; s < 2; ++s) {
    calibration.samples.emplace_back();
    for (int64_t t = 0; t < calibration.length; ++t)
      calibration.samples.back().push_back((s * 131 + t * t * 7 + t * 29) % 512);
  }
  const auto statistics = [&](const char* name) {
    ordered_json record;
    const MethodRequest request{
        .recipe = parse_recipe("w4a4"), .options = {}, .calibration = &calibration, .seed = 4};
    return block_statistics(change_model(method(name), planted, request, record), calibration, 2,
                            request.recipe);
  };
  const ordered_json before = statistics("rtn"), after = statistics("quarot");
  BOOST_TEST(before["inputs"].size() == all_places.size());
  BOOST_TEST(before["weights"].size() == all_linears.size());
  const ordered_json &large = place(before["inputs"], "q, k, v"),
                     &spread = place(after["inputs"], "q, k, v");
  BOOST_TEST(large["kurtosis"].get<double>() > 20);
  BOOST_TEST(spread["kurtosis"].get<double>() < 6);
  BOOST_TEST(spread["crest"].get<double>() < large["crest"].get<double>());
  BOOST_TEST(large["kurtosis_largest"].get<double>() >= large["kurtosis"].get<double>());
  BOOST_TEST(place(before["weights"], "down")["error"].get<double>() > 0);
}

BOOST_AUTO_TEST_SUITE_END()
