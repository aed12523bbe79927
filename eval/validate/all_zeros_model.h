#pragma once
// The control of every benchmark: a model whose logits are all zero. Its perplexity is the size of
// the vocabulary, and its choices are blind.

#include "eval/tasks/model_scorer.h"

namespace mxref {

class AllZerosModel : public LanguageModel {
 public:
  AllZerosModel(int64_t vocabulary, int64_t window) : vocabulary_(vocabulary), window_(window) {}
  Output forward(const at::Tensor& ids, bool with_hidden, KvCache* cache,
                 int64_t first_logit) override;
  int64_t vocabulary() const override { return vocabulary_; }
  int64_t window() const override { return window_; }
  int64_t layers() const override { return 0; }
  int64_t parameters() const override { return 0; }
  Engine::Cost cost() const override { return {}; }
  void observe(ModuleObserver) override {}
  void perturb(std::optional<uint64_t>) override {}

 private:
  int64_t vocabulary_, window_;
};

// Scores by `inner`, and counts what an all-zeros model cannot have scored: other than log V a
// token.
class ZeroScoresWitness : public Scorer {
 public:
  ZeroScoresWitness(Scorer& inner, int64_t vocabulary);
  std::vector<double> nll(std::span<const int64_t> ids) override;
  std::vector<double> loglikelihoods(std::span<const TokenRequest> requests) override;
  int64_t window() const override { return inner_.window(); }
  void perturb(std::optional<uint64_t> seed) override { inner_.perturb(seed); }

  int64_t scores() const { return scores_; }
  int64_t others() const { return others_; }

 private:
  void expect(double score, double expected);

  Scorer& inner_;
  double log_vocabulary_;
  int64_t scores_ = 0, others_ = 0;
};

}  // namespace mxref
