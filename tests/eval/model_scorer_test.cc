#define BOOST_TEST_MODULE model_scorer
#include <boost/test/unit_test.hpp>

#include "emu/threads.h"
#include "eval/tasks/model_scorer.h"
#include "eval/validate/all_zeros_model.h"
#include "tests/shared_data.h"

using namespace mxref;

// A small published-shape model with random weights; null where there is no test data.
static std::unique_ptr<LanguageModel> small_model() {
  const auto folder = shared_data("models/llama_tied");
  if (!folder) return nullptr;
  const auto checkpoint = open_checkpoint(*folder);
  return load_model(*checkpoint, parse_recipe("fp32"), {{"kernel", make_kernel_engine}});
}

static std::vector<TokenRequest> requests() {
  return {{{5, 6, 7, 8}, {9, 10, 11}},  // shares its context with the next
          {{5, 6, 7, 8}, {9, 12}},
          {{5, 6, 7, 8}, {20}},   // all of it is shared
          {{5, 6, 30}, {9, 10}},  // leaves the others inside the context
          {{5}, {40, 41, 42, 43}},
          {{5, 6, 7, 8, 9, 10, 11, 12, 13, 14}, {15}}};  // its context is longer than the first
}

// Sum of log p of the last `count` tokens when the whole is computed at once.
static double alone(ModelScorer& scorer, const TokenRequest& request) {
  std::vector<int64_t> ids = request.context;
  ids.insert(ids.end(), request.continuation.begin(), request.continuation.end());
  const std::vector<double> nll = scorer.nll(ids);
  double sum = 0;
  for (size_t i = nll.size() - request.continuation.size(); i < nll.size(); ++i) sum -= nll[i];
  return sum;
}

// binary32 products of another number of rows: |logit| ≤ 8, a few units in the last place.
constexpr double tolerance = 1e-4;

BOOST_AUTO_TEST_CASE(a_shared_beginning_changes_no_score) {
  const auto model = small_model();
  if (!model) return;
  ModelScorer scorer(*model);
  const auto all = requests();
  const std::vector<double> together = scorer.loglikelihoods(all);
  for (size_t i = 0; i < all.size(); ++i)
    BOOST_TEST(std::abs(together[i] - alone(scorer, all[i])) < tolerance,
               "request " << i << ": " << together[i] << " and " << alone(scorer, all[i]));
  // Control: another token is another score.
  TokenRequest other = all[0];
  other.context[0] = 17;
  BOOST_TEST(std::abs(together[0] - alone(scorer, other)) > 100 * tolerance);
}

BOOST_AUTO_TEST_CASE(a_request_has_a_context_and_a_continuation) {
  const auto model = small_model();
  if (!model) return;
  ModelScorer scorer(*model);
  for (const TokenRequest& empty : {TokenRequest{{}, {1}}, TokenRequest{{1}, {}}}) {
    const std::vector<TokenRequest> both{{{1}, {2}}, empty};
    BOOST_CHECK_THROW(scorer.loglikelihoods(both), std::invalid_argument);
  }
}

// The all-zeros model goes the same way and scores log V a token; another model does not.
BOOST_AUTO_TEST_CASE(control_all_zeros_is_told_from_a_model_by_its_scores) {
  constexpr int64_t vocabulary = 512;
  AllZerosModel zeros(vocabulary, 2048);
  const auto model = small_model();
  for (LanguageModel* scored : {static_cast<LanguageModel*>(&zeros), model.get()}) {
    if (!scored) continue;
    ModelScorer scorer(*scored);
    ZeroScoresWitness witness(scorer, vocabulary);
    witness.loglikelihoods(requests());
    witness.nll(std::vector<int64_t>{1, 2, 3});
    BOOST_TEST(witness.scores() == int64_t(requests().size()) + 2);
    BOOST_TEST(witness.others() == (scored == &zeros ? 0 : witness.scores()));
  }
}

BOOST_AUTO_TEST_CASE(no_score_depends_on_the_number_of_threads) {
  const auto model = small_model();
  if (!model) return;
  ModelScorer scorer(*model);
  const int before = threads();
  set_threads(1);
  const std::vector<double> one = scorer.loglikelihoods(requests());
  set_threads(2);
  const std::vector<double> two = scorer.loglikelihoods(requests());
  set_threads(before);
  BOOST_TEST(one == two);
}

// Every request has the noise of its positions, shared beginning or not.
BOOST_AUTO_TEST_CASE(noise_moves_every_score_and_none_of_all_zeros) {
  AllZerosModel zeros(512, 2048);
  const auto model = small_model();
  for (LanguageModel* scored : {static_cast<LanguageModel*>(&zeros), model.get()}) {
    if (!scored) continue;
    ModelScorer scorer(*scored);
    const std::vector<double> without = scorer.loglikelihoods(requests());
    scorer.perturb(3);
    const std::vector<double> with = scorer.loglikelihoods(requests());
    BOOST_TEST(with == scorer.loglikelihoods(requests()));
    for (size_t i = 0; i < with.size(); ++i)
      BOOST_TEST((with[i] != without[i]) == (scored != &zeros), "request " << i);
    scorer.perturb(std::nullopt);
    BOOST_TEST(without == scorer.loglikelihoods(requests()));
  }
}
