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

// What stands for an empty context.
int64_t prefix_token(const Tokenizer& tokenizer) {
  const std::optional<int64_t> prefix = tokenizer.bos() ? tokenizer.bos() : tokenizer.eos();
  if (!prefix)
    throw InputError("the context is empty, and the tokenizer has neither BOS nor EOS for it");
  return *prefix;
}

}  // namespace

double ChoiceResult::acc() const { return share(chosen, gold); }
double ChoiceResult::acc_norm() const { return share(chosen_norm, gold); }

double share_standard_error(double p, int64_t n) { return std::sqrt(p * (1 - p) / double(n - 1)); }

TokenRequest encode_request(const ChoiceRequest& request, const Tokenizer& tokenizer,
                            int64_t window) {
  TokenRequest tokens;
  tokens.context =
      tokenizer.encode(request.context.substr(0, python_stripped_end(request.context)));
  std::vector<int64_t> whole = tokenizer.encode(request.context + request.continuation);
  if (tokens.context.empty()) {
    const int64_t prefix = prefix_token(tokenizer);
    tokens.context = {prefix};
    // A continuation that begins with it gives it away, and it is not doubled.
    if (whole.empty() || whole.front() != prefix) whole.insert(whole.begin(), prefix);
  }
  const auto context = int64_t(tokens.context.size()), all = int64_t(whole.size());
  const std::string continuation = "the continuation \"" + request.continuation + "\"";
  if (all <= context) throw InputError("the tokenizer leaves no token for " + continuation);
  if (all - context > window)
    throw InputError(continuation + " has " + std::to_string(all - context) +
                     " tokens; the model's window holds " + std::to_string(window));
  tokens.continuation.assign(whole.begin() + context, whole.end());
  if (all - 1 > window)
    tokens.context.erase(tokens.context.begin(), tokens.context.begin() + (all - 1 - window));
  return tokens;
}

ChoiceResult score_choices(const ChoiceItems& items, const Tokenizer& tokenizer, Scorer& scorer,
                           const TaskProgress& progress) {
  ChoiceResult result;
  for (const ChoiceItem& item : items.items) {
    std::vector<TokenRequest> requests;
    for (const ChoiceRequest& request : item.requests)
      requests.push_back(encode_request(request, tokenizer, scorer.window()));
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
