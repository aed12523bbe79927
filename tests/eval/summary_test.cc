#include <boost/test/unit_test.hpp>
#include <cmath>

#include "eval/report/summary.h"
#include "tests/eval/small_record.h"

using namespace mxref;
using nlohmann::ordered_json;

BOOST_AUTO_TEST_SUITE(summary)

static bool close(const ordered_json& value, double expected) {
  return std::abs(value.get<double>() - expected) < 1e-12 * std::abs(expected);
}

BOOST_AUTO_TEST_CASE(the_verdict_counts_every_comparison_and_control) {
  const ordered_json s = summarize(small_record()["results"]);
  BOOST_TEST(s["passed"].get<bool>());
  BOOST_TEST(s["compared"] == 1000 + 500 + 2000 + 300 + 120);
  BOOST_TEST(s["controls"] == 2);
  BOOST_TEST(s["verdict"].get<std::string>() ==
             "This RTL and these kernels compute the same bits: 3,920 results compared, 0 "
             "different; 2 of 2 controls caught.");
}

// That it meets itself proves nothing; that it does not is a difference all the same.
BOOST_AUTO_TEST_CASE(the_definition_is_not_counted_against_itself) {
  ordered_json results = small_record()["results"];
  results.push_back(results[2]);
  results.back()["implementation"] = "ref";
  BOOST_TEST(summarize(results)["compared"] == summarize(small_record()["results"])["compared"]);
  results.back()["mismatches"] = 1;
  BOOST_TEST(!summarize(results)["passed"].get<bool>());
  results.back()["mismatches"] = 0;
  const ordered_json alone = {results[3], results[4], results[6], results.back()};
  BOOST_TEST(!summarize(alone)["passed"].get<bool>());
}

// Each of these must turn the verdict.
BOOST_AUTO_TEST_CASE(control_a_difference_a_failed_assertion_or_an_uncaught_fault_fails) {
  struct Case {
    size_t row;
    const char* field;
    ordered_json value;
  };
  for (const auto& [row, field, value] :
       {Case{0, "mismatches", 1}, Case{3, "caught", false}, Case{4, "mismatches", 1},
        Case{4, "assertions_failed", 1}, Case{5, "caught", false}, Case{6, "mismatches", 1}}) {
    ordered_json results = small_record()["results"];
    results[row][field] = value;
    BOOST_TEST(!summarize(results)["passed"].get<bool>(), row << " " << field);
  }
  BOOST_TEST(!summarize(ordered_json::array())["passed"].get<bool>());
}

// A run that compared nothing in one of its parts, or not all of the model, has shown nothing.
BOOST_AUTO_TEST_CASE(control_every_part_must_have_compared_something) {
  const ordered_json all = small_record()["results"];
  for (const char* task : {"crosscheck", "cosim", "rtl_forward"}) {
    ordered_json results = ordered_json::array();
    for (const ordered_json& row : all)
      if (row["task"] != task) results.push_back(row);
    BOOST_TEST(!summarize(results)["passed"].get<bool>(), task);
  }
  ordered_json results = small_record()["results"];
  results[6]["complete"] = false;
  BOOST_TEST(!summarize(results)["passed"].get<bool>());
  BOOST_TEST(summarize(results)["verdict"].get<std::string>().starts_with(
      "Nothing is shown of this RTL and these kernels, because the RTL did not compute every"));
  results = small_record()["results"];
  results[3]["caught"] = false;
  BOOST_TEST(summarize(results)["verdict"].get<std::string>().find("compute the same bits") ==
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(no_word_stands_where_the_baseline_hits_nothing) {
  ordered_json results = small_record()["results"];
  results[8]["acc"] = 0;
  results[8]["chosen"] = {1, 0, 1, 0};
  const ordered_json line = summarize(results)["accuracy"][1];
  BOOST_TEST(line["recovery_percent"].is_null());
  BOOST_TEST(line["class"] == "");
}

BOOST_AUTO_TEST_CASE(agreement_adds_up_random_and_model_made_results) {
  const ordered_json rtl = summarize(small_record()["results"])["agreement"][0];
  BOOST_TEST(rtl["implementation"] == "rtl");
  BOOST_TEST(rtl["random"] == 1000);
  BOOST_TEST(rtl["model"] == 500);
}

BOOST_AUTO_TEST_CASE(recovery_is_the_share_of_the_baseline_with_the_error_of_paired_items) {
  const ordered_json line = summarize(small_record()["results"])["accuracy"][1];
  BOOST_TEST(close(line["recovery_percent"], 75));
  // hit - 0.75 · baseline hit: .25 .25 .25 -.75, standard deviation 0.5, over sqrt(4).
  BOOST_TEST(close(line["recovery_stderr"], 25));
  BOOST_TEST(line["class"] == "lossless to risky");  // 75 ± 25
}

BOOST_AUTO_TEST_CASE(perplexity_ratio_has_the_error_of_paired_windows) {
  const ordered_json line = summarize(small_record()["results"])["accuracy"][1];
  const double ratio = std::exp(4.0 / 20);  // differences 1 and 3 over 20 tokens
  BOOST_TEST(close(line["ppl_ratio"], ratio));
  BOOST_TEST(close(line["ppl_ratio_stderr"], ratio * 2.0 / 20));  // deviation sqrt 2, times sqrt 2
}

BOOST_AUTO_TEST_CASE(drift_is_the_mean_over_tokens) {
  const ordered_json line = summarize(small_record()["results"])["drift"][0];
  BOOST_TEST(close(line["mean"], -0.1));
  BOOST_TEST(close(line["stderr"], 0.2));
  BOOST_TEST(close(line["largest_of_a_window"], 0.3));
}

// Noise of one run more: that of the baseline, then of the other recipe.
static ordered_json with_noise(ordered_json results) {
  const auto set = [&](size_t row, const char* metric, double value, double run, double sd) {
    results[row][metric] = value;
    results[row]["noise"][metric] = {{"values", {run}}, {"sd", sd}};
  };
  set(7, "nll", 3.0, 3.5, 0.4);
  set(8, "acc", 1.0, 0.5, 0.4);
  set(9, "nll", 3.2, 3.5, 0.25);
  set(10, "acc", 0.75, 0.5, 0.2);
  return results;
}

BOOST_AUTO_TEST_CASE(what_is_made_of_metrics_has_its_spread_run_by_run) {
  const ordered_json s = summarize(with_noise(small_record()["results"]));
  const ordered_json line = s["accuracy"][1];
  // exp(0.2) and 1; 75 and 100 percent.
  BOOST_TEST(close(line["ppl_ratio_noise"], (std::exp(3.2 - 3.0) - 1) / std::sqrt(2.0)));
  BOOST_TEST(close(line["recovery_noise"], 25 / std::sqrt(2.0)));
  BOOST_TEST(close(s["drift"][0]["noise"], 0.25));
  const ordered_json base = s["accuracy"][0];
  BOOST_TEST(base["ppl_ratio_noise"] == 0.0);
  BOOST_TEST(base["recovery_noise"] == 0.0);
  // The control: no noise, no spread, and all else as it was.
  const ordered_json without = summarize(small_record()["results"])["accuracy"][1];
  BOOST_TEST(!without.contains("ppl_ratio_noise"));
  BOOST_TEST(!without.contains("recovery_noise"));
  BOOST_TEST(without["ppl_ratio"] == line["ppl_ratio"]);
}

BOOST_AUTO_TEST_SUITE_END()
