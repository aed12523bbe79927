#pragma once
// A language model as the tasks see it: probabilities of tokens. All scores are binary64
// (ARITHMETIC.md §7).

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mxref {

// One request of a choice task in tokens: how likely is `continuation` after `context`? Neither is
// empty.
struct TokenRequest {
  std::vector<int64_t> context, continuation;
};

class Scorer {
 public:
  virtual ~Scorer() = default;
  // ids (T), T ≥ 2 → -log p of ids[1] … ids[T-1], each given all before it, in nats: T-1 numbers.
  virtual std::vector<double> nll(std::span<const int64_t> ids) = 0;
  // The requests of one item → Σ log p over the tokens of each continuation. Throws
  // std::invalid_argument where a part of a request is empty.
  virtual std::vector<double> loglikelihoods(std::span<const TokenRequest> requests) = 0;
  virtual int64_t window() const = 0;  // tokens that the model takes at once
  // SHA-256 of the logits that were scored since the last call, binary32, little-endian, row by row
  // in the order of scoring; empty where scores come from no logits.
  virtual std::string logits_sha256() { return {}; }
  // Scores from here on are those of the model with the noise of this seed, or with none.
  virtual void perturb(std::optional<uint64_t> seed) = 0;
};

// Called after each window or item.
using TaskProgress = std::function<void(int64_t done, int64_t total)>;

}  // namespace mxref
