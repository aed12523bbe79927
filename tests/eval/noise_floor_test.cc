#include "eval/tasks/noise_floor.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "eval/tasks/standard_deviation.h"
#include "tests/eval/fakes.h"

using namespace mxref;
using nlohmann::ordered_json;

BOOST_AUTO_TEST_SUITE(noise_floor)

using Seeds = std::vector<std::optional<uint64_t>>;

// Without noise a token costs 1 and the first choice is the likelier; with noise of a seed s it
// costs `of_seed(s)`, and the first choice is the likelier for even s alone.
class SeededScorer : public Scorer {
 public:
  explicit SeededScorer(double (*of_seed)(uint64_t)) : of_seed_(of_seed) {}
  int64_t window() const override { return INT64_MAX; }
  void perturb(std::optional<uint64_t> seed) override { seeds.push_back(now_ = seed); }
  std::vector<double> nll(std::span<const int64_t> ids) override {
    return std::vector<double>(ids.size() - 1, now_ ? of_seed_(*now_) : 1);
  }
  std::vector<double> loglikelihoods(std::span<const TokenRequest> requests) override {
    std::vector<double> scores(requests.size(), -1);
    scores[now_ ? *now_ % 2 : 0] = 0;
    return scores;
  }

  Seeds seeds;  // that were asked for

 private:
  double (*of_seed_)(uint64_t);
  std::optional<uint64_t> now_;
};

static double as_large(uint64_t seed) { return double(seed); }
static double as_without(uint64_t) { return 1; }

static LoadedTask text_task(const TemporaryFile& file) {
  static const ByteTokenizer tokenizer;
  return {{"perplexity", file.path, "text"}, {.window = 4}, tokenizer};
}

BOOST_AUTO_TEST_CASE(the_standard_deviation_is_that_of_a_sample) {
  BOOST_TEST(standard_deviation({1, 3}) == std::sqrt(2.0));
  BOOST_TEST(standard_deviation({1, 2, 3, 4}) == std::sqrt(5.0 / 3));
  BOOST_TEST(standard_deviation({-7, 1, 1, 5}) == std::sqrt(76.0 / 3));
  BOOST_TEST(std::isnan(standard_deviation({1})));
  for (const double equal : {0.1, 3.3, 1e300})
    BOOST_TEST(standard_deviation({equal, equal, equal}) == 0);
}

BOOST_AUTO_TEST_CASE(every_metric_of_a_text_has_its_values_and_their_spread) {
  const TemporaryFile file("text.txt", "abcdefghij");
  SeededScorer model(as_large);
  const ordered_json r = run_with_noise(text_task(file), model, {.runs = 3, .seed = 2}, {});
  BOOST_TEST(r["nll"] == 1.0);  // the result is that of the model as it is
  const ordered_json& noise = r["noise"];
  BOOST_TEST(noise["runs"] == 3);
  BOOST_TEST(noise["seed"] == 2);
  BOOST_TEST(noise["relative"] == "2^-22");
  BOOST_TEST(noise["nll"]["values"] == ordered_json({2.0, 3.0, 4.0}));
  BOOST_TEST(noise["nll"]["sd"] == std::sqrt(5.0 / 3));  // of 1, 2, 3, 4
  BOOST_TEST(noise["ppl"]["values"] == ordered_json({std::exp(2.0), std::exp(3.0), std::exp(4.0)}));
  BOOST_TEST(noise["ppl"]["sd"] ==
             standard_deviation({std::exp(1.0), std::exp(2.0), std::exp(3.0), std::exp(4.0)}));
  BOOST_TEST(!noise.contains("acc"));
}

BOOST_AUTO_TEST_CASE(every_metric_of_choices_has_its_values_and_their_spread) {
  const TemporaryFile file("items", "{\"query\":\"Q:\",\"choices\":[\"a\",\"b\"],\"gold\":0}\n");
  const ByteTokenizer tokenizer;
  const LoadedTask task({"piqa", file.path, "items"}, {}, tokenizer);
  SeededScorer model(as_large);
  const ordered_json r = run_with_noise(task, model, {.runs = 2, .seed = 6}, {});
  for (const char* metric : {"acc", "acc_norm"}) {
    BOOST_TEST(r[metric] == 1.0);
    BOOST_TEST(r["noise"][metric]["values"] == ordered_json({1.0, 0.0}));
    // Of 1, 1, 0: mean 2/3, squares 6/9, over 2.
    BOOST_TEST(std::abs(r["noise"][metric]["sd"].get<double>() - std::sqrt(1.0 / 3)) < 1e-15);
  }
  BOOST_TEST(!r["noise"].contains("nll"));
}

BOOST_AUTO_TEST_CASE(runs_take_one_seed_after_the_other_and_leave_no_noise) {
  const TemporaryFile file("text.txt", "abcdefghij");
  SeededScorer model(as_without);
  run_with_noise(text_task(file), model, {.runs = 3, .seed = UINT64_MAX - 1}, {});
  BOOST_TEST((model.seeds == Seeds{UINT64_MAX - 1, UINT64_MAX, 0, std::nullopt}));
  SeededScorer fails([](uint64_t) { return std::numeric_limits<double>::quiet_NaN(); });
  BOOST_CHECK_THROW(run_with_noise(text_task(file), fails, {.runs = 3}, {}), InputError);
  BOOST_TEST((fails.seeds == Seeds{0, std::nullopt}));
}

BOOST_AUTO_TEST_CASE(without_runs_the_result_is_the_tasks_own) {
  const TemporaryFile file("text.txt", "abcdefghij");
  SeededScorer model(as_large);
  ordered_json r = run_with_noise(text_task(file), model, {}, {}),
               own = text_task(file).run(model, {});
  r.erase("seconds"), own.erase("seconds");
  BOOST_TEST(r == own);
  BOOST_TEST(model.seeds.empty());
}

BOOST_AUTO_TEST_CASE(progress_counts_the_windows_of_all_runs) {
  const TemporaryFile file("text.txt", "abcdefghij");  // three windows
  SeededScorer model(as_large);
  std::vector<int64_t> counts;
  run_with_noise(text_task(file), model, {.runs = 1}, [&](int64_t done, int64_t total) {
    BOOST_TEST(total == 6);
    counts.push_back(done);
  });
  BOOST_TEST(counts == (std::vector<int64_t>{1, 2, 3, 4, 5, 6}));
}

BOOST_AUTO_TEST_CASE(a_perplexity_beyond_binary64_has_no_spread) {
  const TemporaryFile file("text.txt", "abcdefghij");
  SeededScorer model([](uint64_t) { return 1000.0; });
  const ordered_json noise = run_with_noise(text_task(file), model, {.runs = 1}, {})["noise"];
  BOOST_TEST(noise["ppl"]["values"][0].is_null());
  BOOST_TEST(noise["ppl"]["sd"].is_null());
  BOOST_TEST(noise["nll"]["sd"] == std::sqrt(999.0 * 999 / 2));
}

// A model that noise does not reach is seen: its spread is no small number but 0.
BOOST_AUTO_TEST_CASE(control_a_model_without_noise_has_the_spread_zero) {
  const TemporaryFile file("text.txt", "abcdefghij");
  AllZerosScorer zeros(49152);
  BigramScorer deaf;
  for (Scorer* model : {static_cast<Scorer*>(&zeros), static_cast<Scorer*>(&deaf)}) {
    const ordered_json r = run_with_noise(text_task(file), *model, {.runs = 4}, {});
    for (const char* metric : {"nll", "ppl"}) BOOST_TEST(r["noise"][metric]["sd"] == 0.0);
  }
}

BOOST_AUTO_TEST_SUITE_END()
