#pragma once
// Accuracy of a model on the items of a choice task, as lm-evaluation-harness defines it.

#include <cstdint>
#include <vector>

#include "eval/tasks/choice_tasks.h"
#include "eval/tasks/scorer.h"
#include "golden/tokenizer/tokenizer.h"

namespace mxref {

struct ChoiceResult {
  std::vector<int64_t> chosen;       // per item: the likeliest choice, the lowest index on a tie
  std::vector<int64_t> chosen_norm;  // likewise by log-likelihood per character of the choice
  std::vector<int64_t> gold;
  int64_t items() const { return int64_t(gold.size()); }
  double acc() const;
  double acc_norm() const;
};

// sqrt(p(1-p)/(n-1)), the standard error of a share p of n items; NaN for one item.
double share_standard_error(double p, int64_t n);

// Tokens of a request: context and continuation encoded as one text, cut where the context's own
// tokens end; white space at the end of the context goes over to the continuation. A context
// without tokens is the tokenizer's BOS, or EOS where it has none. A request that is longer than
// the model's `window` loses tokens at its left: kept are the last window + 1, the last of which is
// no input. Throws InputError for a continuation without tokens or longer than the window.
TokenRequest encode_request(const ChoiceRequest& request, const Tokenizer& tokenizer,
                            int64_t window);

// Throws InputError where the model gives a score that is no number.
ChoiceResult score_choices(const ChoiceItems& items, const Tokenizer& tokenizer, Scorer& scorer,
                           const TaskProgress& progress = {});

}  // namespace mxref
