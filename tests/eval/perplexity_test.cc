#include <boost/test/unit_test.hpp>

#include "eval/tasks/perplexity.h"
#include "tests/eval/fakes.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(perplexity)

BOOST_AUTO_TEST_CASE(windows_are_disjoint_and_their_first_tokens_are_not_scored) {
  const ByteTokenizer tokenizer;
  BigramScorer model;
  const std::string text = "abcdefghij";  // windows of 4: abcd efgh ij
  const auto windows = perplexity_windows(text, "text", tokenizer, 4, 0);
  const PerplexityResult result = score_perplexity(windows, 4, model);
  BOOST_TEST(result.scored == (std::vector<int64_t>{3, 3, 1}));
  double sum = 0;
  for (auto pair : {"ab", "bc", "cd", "ef", "fg", "gh", "ij"}) sum += bigram_nll(pair[0], pair[1]);
  BOOST_TEST(std::abs(result.nll() - sum / 7) < 1e-15);
  BOOST_TEST(result.perplexity() == std::exp(result.nll()));
}

BOOST_AUTO_TEST_CASE(limit_counts_windows) {
  const auto windows = perplexity_windows("abcdefghij", "text", ByteTokenizer(), 4, 2);
  BOOST_TEST(windows.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_last_window_of_one_token_is_dropped) {
  BOOST_TEST(perplexity_windows("abcde", "text", ByteTokenizer(), 4, 0).size() == 1u);
}

BOOST_AUTO_TEST_CASE(two_tokens_are_enough_and_fewer_are_an_error_that_names_the_text) {
  BOOST_TEST(perplexity_windows("ab", "text", ByteTokenizer(), 1024, 0).size() == 1u);
  for (const char* text : {"", "a"})
    BOOST_CHECK_EXCEPTION(
        perplexity_windows(text, "t.txt", ByteTokenizer(), 4, 0), InputError,
        [](const InputError& e) { return std::string(e.what()).find("t.txt") == 0; });
}

BOOST_AUTO_TEST_CASE(text_that_is_not_utf8_is_an_error_that_names_the_text) {
  BOOST_CHECK_EXCEPTION(
      perplexity_windows("ab\xFF", "t.txt", ByteTokenizer(), 4, 0), InputError,
      [](const InputError& e) { return std::string(e.what()) == "t.txt: not UTF-8"; });
}

// Gives one number for every token, whatever it is.
struct ConstantScorer : BigramScorer {
  explicit ConstantScorer(double nll) : nll_(nll) {}
  std::vector<double> nll(std::span<const int64_t> ids) override {
    return std::vector<double>(ids.size() - 1, nll_);
  }
  double nll_;
};

BOOST_AUTO_TEST_CASE(a_score_that_is_no_finite_number_is_an_error_that_names_the_window) {
  const auto windows = perplexity_windows("abcdefgh", "text", ByteTokenizer(), 4, 0);
  for (double bad : {std::nan(""), HUGE_VAL}) {
    ConstantScorer scorer(bad);
    BOOST_CHECK_EXCEPTION(score_perplexity(windows, 4, scorer), InputError,
                          [](const InputError& e) {
                            return std::string(e.what()).find("window 0") != std::string::npos;
                          });
  }
  ConstantScorer sure(1000);  // a perplexity that binary64 does not hold is no error
  BOOST_TEST(score_perplexity(windows, 4, sure).nll() == 1000);
}

BOOST_AUTO_TEST_CASE(a_window_of_one_token_is_wrong_use) {
  BOOST_CHECK_THROW(perplexity_windows("abc", "text", ByteTokenizer(), 1, 0), UsageError);
}

BOOST_AUTO_TEST_CASE(standard_error_is_that_of_the_mean_of_equal_windows) {
  const PerplexityResult result{.window = 3, .nll_sums = {2, 4, 6, 4}, .scored = {2, 2, 2, 2}};
  // Means 1, 2, 3, 2: standard deviation sqrt(2/3), over sqrt(4).
  BOOST_TEST(std::abs(result.standard_error() - std::sqrt(2.0 / 3) / 2) < 1e-15);
}

BOOST_AUTO_TEST_CASE(control_all_zeros_has_the_perplexity_of_its_vocabulary) {
  AllZerosScorer zeros(256);
  BigramScorer model;
  const auto windows =
      perplexity_windows("The quick brown fox jumps.", "text", ByteTokenizer(), 8, 0);
  BOOST_TEST(std::abs(score_perplexity(windows, 8, zeros).perplexity() - 256) < 1e-9);
  BOOST_TEST(score_perplexity(windows, 8, model).perplexity() < 3);
}

BOOST_AUTO_TEST_SUITE_END()
