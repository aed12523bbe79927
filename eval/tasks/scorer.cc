#include "eval/tasks/scorer.h"

#include <cmath>

namespace mxref {

std::vector<double> AllZerosScorer::nll(std::span<const int64_t> ids) {
  return std::vector<double>(ids.size() - 1, std::log(double(vocabulary_)));
}

std::vector<double> AllZerosScorer::loglikelihoods(std::span<const TokenRequest> requests) {
  std::vector<double> sums;
  for (const TokenRequest& request : requests)
    sums.push_back(-double(request.continuation.size()) * std::log(double(vocabulary_)));
  return sums;
}

}  // namespace mxref
