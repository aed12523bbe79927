#include <boost/test/unit_test.hpp>
#include <limits>

#include "eval/tasks/choice_score.h"
#include "tests/eval/fakes.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(choice_score)

using Ids = std::vector<int64_t>;
constexpr int64_t unlimited = INT64_MAX;

// Answers each request with the next of the given scores.
class ScriptedScorer : public Scorer {
 public:
  explicit ScriptedScorer(std::vector<double> scores) : scores_(std::move(scores)) {}
  std::vector<double> nll(std::span<const int64_t>) override { return {}; }
  int64_t window() const override { return unlimited; }
  void perturb(std::optional<uint64_t>) override {}
  std::vector<double> loglikelihoods(std::span<const TokenRequest> requests) override {
    std::vector<double> result(scores_.begin(), scores_.begin() + int64_t(requests.size()));
    scores_.erase(scores_.begin(), scores_.begin() + int64_t(requests.size()));
    return result;
  }

 private:
  std::vector<double> scores_;
};

static ChoiceItem item(std::vector<std::string> choices, int64_t gold) {
  ChoiceItem result;
  for (const std::string& choice : choices)
    result.requests.push_back({"Q:", " " + choice, int64_t(choice.size())});
  result.gold = gold;
  return result;
}

BOOST_AUTO_TEST_CASE(acc_takes_the_sum_and_acc_norm_the_sum_per_character) {
  ScriptedScorer scorer({-3, -4, -1, -5});
  const ChoiceItems items{"plain", {item({"ab", "abcd"}, 0), item({"a", "bbbbbbbbbb"}, 0)}};
  const ChoiceResult r = score_choices(items, ByteTokenizer(), scorer);
  BOOST_TEST(r.chosen == (std::vector<int64_t>{0, 0}));
  BOOST_TEST(r.chosen_norm == (std::vector<int64_t>{1, 1}));
  BOOST_TEST(r.acc() == 1.0);
  BOOST_TEST(r.acc_norm() == 0.0);
}

BOOST_AUTO_TEST_CASE(a_tie_takes_the_lowest_index) {
  ScriptedScorer scorer({-2, -2, -2});
  const ChoiceResult r =
      score_choices({"plain", {item({"a", "b", "c"}, 2)}}, ByteTokenizer(), scorer);
  BOOST_TEST(r.chosen[0] == 0);
  BOOST_TEST(r.chosen_norm[0] == 0);
}

BOOST_AUTO_TEST_CASE(a_score_that_is_no_number_is_an_error) {
  ScriptedScorer scorer({-2, std::numeric_limits<double>::quiet_NaN()});
  BOOST_CHECK_THROW(score_choices({"plain", {item({"a", "b"}, 0)}}, ByteTokenizer(), scorer),
                    InputError);
}

BOOST_AUTO_TEST_CASE(spaces_at_the_end_of_a_context_go_over_to_the_continuation) {
  const TokenRequest r = encode_request({"Q: \n", " yes", 3}, ByteTokenizer(), unlimited);
  BOOST_TEST(ByteTokenizer().decode(r.context) == "Q:");
  BOOST_TEST(ByteTokenizer().decode(r.continuation) == " \n yes");
}

// Joins "b c" over the border of context and continuation, as merges of a real vocabulary may.
class StraddlingTokenizer : public ByteTokenizer {
 public:
  std::vector<int64_t> encode(std::string_view text) const override {
    std::vector<int64_t> ids;
    for (size_t i = 0; i < text.size(); ++i) {
      const bool joined = text.substr(i, 3) == "b c";
      ids.push_back(joined ? 300 : uint8_t(text[i]));
      if (joined) i += 2;
    }
    return ids;
  }
};

BOOST_AUTO_TEST_CASE(the_continuation_is_the_whole_text_behind_as_many_tokens_as_the_context_has) {
  const TokenRequest r = encode_request({"ab", " cd", 2}, StraddlingTokenizer(), unlimited);
  BOOST_TEST(r.context == (Ids{'a', 'b'}));
  BOOST_TEST(r.continuation == (Ids{'d'}));
  BOOST_CHECK_THROW(encode_request({"ab", " c", 1}, StraddlingTokenizer(), unlimited), InputError);
}

static void check_request(const ChoiceRequest& request, const Tokenizer& tokenizer, int64_t window,
                          const Ids& context, const Ids& continuation) {
  const TokenRequest r = encode_request(request, tokenizer, window);
  BOOST_TEST(r.context == context);
  BOOST_TEST(r.continuation == continuation);
}

// lm-evaluation-harness, HFLM.prefix_token_id and TemplateLM.loglikelihood.
BOOST_AUTO_TEST_CASE(an_empty_context_is_bos_or_eos_where_there_is_none) {
  const ChoiceRequest request{"", " ab", 2};
  check_request(request, ByteTokenizer(1, 2), unlimited, {1}, {' ', 'a', 'b'});
  check_request(request, ByteTokenizer({}, 2), unlimited, {2}, {' ', 'a', 'b'});
  BOOST_CHECK_THROW(encode_request(request, ByteTokenizer(), unlimited), InputError);
  // White space alone goes over to the continuation and leaves an empty context too.
  check_request({"\n", " a", 1}, ByteTokenizer(1), unlimited, {1}, {'\n', ' ', 'a'});
  // Not doubled where the continuation begins with it, as where encoding adds it.
  check_request(request, ByteTokenizer(' '), unlimited, {' '}, {'a', 'b'});
  // A context that is there gets nothing in front.
  check_request({"x", " a", 1}, ByteTokenizer(1, 2), unlimited, {'x'}, {' ', 'a'});
}

// Leaves out the byte 4, as a vocabulary that lacks it does.
struct LackingTokenizer : ByteTokenizer {
  using ByteTokenizer::ByteTokenizer;
  Ids encode(std::string_view text) const override {
    Ids ids = ByteTokenizer::encode(text);
    std::erase(ids, 4);
    return ids;
  }
};

BOOST_AUTO_TEST_CASE(a_context_that_leaves_no_tokens_is_an_empty_one) {
  check_request({"\4", " a", 1}, LackingTokenizer(1), unlimited, {1}, {' ', 'a'});
  BOOST_CHECK_THROW(encode_request({"\4", " a", 1}, LackingTokenizer(), unlimited), InputError);
  BOOST_CHECK_THROW(encode_request({"Q", "\4", 1}, LackingTokenizer(1), unlimited), InputError);
}

// lm-evaluation-harness: (context + continuation)[-(max_length + 1):][:-1] are the inputs.
BOOST_AUTO_TEST_CASE(a_long_request_is_cut_at_its_left_and_keeps_its_continuation) {
  const ChoiceRequest request{"pqrs", " ab", 2};  // 7 tokens, 6 of them inputs
  check_request(request, ByteTokenizer(), 6, {'p', 'q', 'r', 's'}, {' ', 'a', 'b'});
  check_request(request, ByteTokenizer(), 5, {'q', 'r', 's'}, {' ', 'a', 'b'});
  check_request(request, ByteTokenizer(), 3, {'s'}, {' ', 'a', 'b'});
  BOOST_CHECK_THROW(encode_request(request, ByteTokenizer(), 2), InputError);
}

BOOST_AUTO_TEST_CASE(standard_error_of_a_share) {
  BOOST_TEST(std::abs(share_standard_error(0.25, 4) - 0.25) < 1e-15);
  BOOST_TEST(std::isnan(share_standard_error(1.0, 1)));
}

BOOST_AUTO_TEST_CASE(control_all_zeros_scores_at_chance_and_a_knowing_model_does_not) {
  ChoiceItems items{"plain", {}};
  std::vector<double> knowing;
  for (int64_t i = 0; i < 400; ++i) {
    items.items.push_back(item({"yes", "nay"}, i * 2654435761 >> 7 & 1));
    for (int64_t c : {0, 1}) knowing.push_back(c == items.items.back().gold ? -1 : -2);
  }
  AllZerosScorer zeros(256);
  ScriptedScorer model(knowing);
  const double chance = score_choices(items, ByteTokenizer(), zeros).acc();
  BOOST_TEST(std::abs(chance - 0.5) < 4 * share_standard_error(0.5, 400));
  BOOST_TEST(score_choices(items, ByteTokenizer(), model).acc() == 1.0);
}

BOOST_AUTO_TEST_SUITE_END()
