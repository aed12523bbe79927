#include "eval/tasks/perplexity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "emu/error.h"
#include "eval/tasks/error_of_sum.h"

namespace mxref {

int64_t PerplexityResult::tokens() const {
  return std::accumulate(scored.begin(), scored.end(), int64_t(0));
}

double PerplexityResult::nll() const {
  return std::accumulate(nll_sums.begin(), nll_sums.end(), 0.0) / double(tokens());
}

double PerplexityResult::perplexity() const { return std::exp(nll()); }

// Windows are the independent observations (tokens within one are not), weighted by their length.
double PerplexityResult::standard_error() const {
  const double mean = nll();
  std::vector<double> differences;
  for (size_t i = 0; i < nll_sums.size(); ++i)
    differences.push_back(nll_sums[i] - mean * double(scored[i]));
  return error_of_sum(differences) / double(tokens());
}

std::vector<std::vector<int64_t>> perplexity_windows(std::string_view text,
                                                     const std::string& source,
                                                     const Tokenizer& tokenizer, int64_t window,
                                                     int64_t limit) {
  if (window < 2) throw UsageError("--window is at least 2 tokens: the first one is not scored");
  std::vector<int64_t> ids;
  try {
    ids = tokenizer.encode(text);
  } catch (const InputError& error) {
    throw InputError(source + ": " + error.what());
  }
  if (ids.size() < 2)
    throw InputError(source + ": a text of " + std::to_string(ids.size()) +
                     " tokens; perplexity needs at least 2");
  std::vector<std::vector<int64_t>> windows;
  for (size_t begin = 0; begin + 1 < ids.size(); begin += size_t(window)) {
    if (limit > 0 && int64_t(windows.size()) == limit) break;
    const size_t end = std::min(ids.size(), begin + size_t(window));
    windows.emplace_back(ids.begin() + int64_t(begin), ids.begin() + int64_t(end));
  }
  return windows;
}

PerplexityResult score_perplexity(const std::vector<std::vector<int64_t>>& windows, int64_t window,
                                  Scorer& scorer, const TaskProgress& progress) {
  PerplexityResult result;
  result.window = window;
  for (const auto& ids : windows) {
    const std::vector<double> nll = scorer.nll(ids);
    const auto bad =
        std::find_if(nll.begin(), nll.end(), [](double x) { return !std::isfinite(x); });
    if (bad != nll.end())
      throw InputError("perplexity: the log-probability that the model gives to token " +
                       std::to_string(bad - nll.begin() + 1) + " of window " +
                       std::to_string(result.nll_sums.size()) + " is no finite number");
    result.nll_sums.push_back(std::accumulate(nll.begin(), nll.end(), 0.0));
    result.scored.push_back(int64_t(nll.size()));
    if (progress) progress(int64_t(result.nll_sums.size()), int64_t(windows.size()));
  }
  return result;
}

}  // namespace mxref
