#pragma once
// Perplexity of a text: tokenized once as a whole, cut into disjoint windows; the first token of a
// window is not scored.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "eval/tasks/scorer.h"
#include "golden/tokenizer/tokenizer.h"

namespace mxref {

struct PerplexityResult {
  int64_t window = 0;            // tokens
  std::vector<double> nll_sums;  // per window, nats
  std::vector<int64_t> scored;   // tokens scored in each window
  int64_t tokens() const;        // scored
  double nll() const;            // mean per scored token
  double perplexity() const;
  double standard_error() const;  // of nll, from the spread of the windows; NaN for one window
};

// Ids of the text, at most those of `limit` windows (0: all). A last window of one token is
// dropped. `source` names the text in errors. Throws InputError where the text is not UTF-8 or has
// fewer than two tokens; UsageError where window < 2.
std::vector<std::vector<int64_t>> perplexity_windows(std::string_view text,
                                                     const std::string& source,
                                                     const Tokenizer& tokenizer, int64_t window,
                                                     int64_t limit);

// Throws InputError where the model gives a token a log-probability that is no finite number.
PerplexityResult score_perplexity(const std::vector<std::vector<int64_t>>& windows, int64_t window,
                                  Scorer& scorer, const TaskProgress& progress = {});

}  // namespace mxref
