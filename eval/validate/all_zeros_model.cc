#include "eval/validate/all_zeros_model.h"

#include <ATen/ops/zeros.h>

#include <cmath>

namespace mxref {

LanguageModel::Output AllZerosModel::forward(const at::Tensor& ids, bool, KvCache*,
                                             int64_t first_logit) {
  return {at::zeros({ids.size(0), ids.size(1) - first_logit, vocabulary_}, at::kFloat), {}};
}

ZeroScoresWitness::ZeroScoresWitness(Scorer& inner, int64_t vocabulary)
    : inner_(inner), log_vocabulary_(std::log(double(vocabulary))) {}

void ZeroScoresWitness::expect(double score, double expected) {
  constexpr double tolerance = 1e-12;  // relative: sums of binary64
  ++scores_;
  others_ += !(std::abs(score - expected) <= tolerance * std::abs(expected));
}

std::vector<double> ZeroScoresWitness::nll(std::span<const int64_t> ids) {
  std::vector<double> scores = inner_.nll(ids);
  for (double score : scores) expect(score, log_vocabulary_);
  return scores;
}

std::vector<double> ZeroScoresWitness::loglikelihoods(std::span<const TokenRequest> requests) {
  std::vector<double> scores = inner_.loglikelihoods(requests);
  for (size_t i = 0; i < scores.size(); ++i)
    expect(scores[i], -log_vocabulary_ * double(requests[i].continuation.size()));
  return scores;
}

}  // namespace mxref
