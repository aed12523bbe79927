#include "eval/tasks/choice_score.h"

#include <algorithm>
#include <cmath>

#include "emu/error.h"
#include "eval/tasks/python_text.h"

namespace mxref {
namespace {

double share(const std::vector<int64_t>& chosen, const std::vector<int64_t>& gold) {
  int64_t hits = 0;
  for (size_t i = 0; i < gold.size(); ++i) hits += chosen[i] == gold[i];
  return double(hits) / double(gold.size());
}

int64_t largest(const std::vector<double>& values) {
  return std::max_element(values.begin(), values.end()) - values.begin();  // the first on a tie
}

}  // namespace

double ChoiceResult::acc() const { return share(chosen, gold); }
double ChoiceResult::acc_norm() const { return share(chosen_norm, gold); }

double share_standard_error(double p, int64_t n) { return std::sqrt(p * (1 - p) / double(n - 1)); }

TokenRequest encode_request(const ChoiceRequest& request, const Tokenizer& tokenizer) {
  TokenRequest tokens;
  tokens.context =
      tokenizer.encode(request.context.substr(0, python_stripped_end(request.context)));
  const std::vector<int64_t> whole = tokenizer.encode(request.context + request.continuation);
  if (whole.size() <= tokens.context.size())
    throw InputError("the tokenizer leaves no token for the continuation \"" +
                     request.continuation + "\"");
  tokens.continuation.assign(whole.begin() + int64_t(tokens.context.size()), whole.end());
  return tokens;
}

ChoiceResult score_choices(const ChoiceItems& items, const Tokenizer& tokenizer, Scorer& scorer,
                           const TaskProgress& progress) {
  ChoiceResult result;
  for (const ChoiceItem& item : items.items) {
    std::vector<TokenRequest> requests;
    for (const ChoiceRequest& request : item.requests)
      requests.push_back(encode_request(request, tokenizer));
    std::vector<double> scores = scorer.loglikelihoods(requests);
    for (double score : scores)
      if (std::isnan(score))
        throw InputError("item " + std::to_string(result.items()) +
                         ": the model's score of a choice is not a number");
    result.chosen.push_back(largest(scores));
    for (size_t i = 0; i < scores.size(); ++i) scores[i] /= double(item.requests[i].characters);
    result.chosen_norm.push_back(largest(scores));
    result.gold.push_back(item.gold);
    if (progress) progress(result.items(), int64_t(items.items.size()));
  }
  return result;
}

}  // namespace mxref
