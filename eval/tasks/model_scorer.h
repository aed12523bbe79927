#pragma once
// A language model as the scorer of the tasks.

#include <ATen/core/Tensor.h>

#include "emu/files/sha256.h"
#include "eval/tasks/scorer.h"
#include "golden/models/language_model.h"

namespace mxref {

// The first request of an item is computed whole; the others take from its KV cache what they have
// in common at their beginning, and compute the rest of their tokens. This is the one way in which
// items are scored: under `library`, whose bits depend on how many rows a product has, a request
// scored alone may differ in its last bits. No score depends on the number of threads.
class ModelScorer : public Scorer {
 public:
  explicit ModelScorer(LanguageModel& model) : model_(model) {}
  std::vector<double> nll(std::span<const int64_t> ids) override;
  std::vector<double> loglikelihoods(std::span<const TokenRequest> requests) override;
  int64_t window() const override { return model_.window(); }
  std::string logits_sha256() override { return digest_.hex(); }
  void perturb(std::optional<uint64_t> seed) override { model_.perturb(seed); }

 private:
  // ids (T), not empty, after what is in the cache → logits (T-first,V) from position `first` on.
  at::Tensor logits(std::span<const int64_t> ids, KvCache* cache, int64_t first);

  // logits (T,V), row i predicts tokens[i], i < T → log p of each.
  std::vector<double> log_probabilities(const at::Tensor& logits, std::span<const int64_t> tokens);

  LanguageModel& model_;
  Sha256 digest_;
};

}  // namespace mxref
