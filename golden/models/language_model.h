#pragma once
// A causal language model computed as a recipe says.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "emu/engine.h"
#include "golden/checkpoint/checkpoint.h"
#include "golden/models/module_observer.h"
#include "golden/recipe.h"

namespace mxref {

// Keys (rotated) and values of one layer, of the tokens seen so far: (B,G,T,head_dim) binary32, as
// the recipe's `kv` rounds them. Where it converts them, also the keys' codes U8, of the same
// shape, and scales U8 (B,G,T,blocks).
struct LayerCache {
  at::Tensor keys, values, key_codes, key_scales;
};

struct KvCache {
  std::vector<LayerCache> layers;
  int64_t length() const;
  // Of the first `length` tokens, sharing memory with this.
  KvCache first(int64_t length) const;
};

class LanguageModel {
 public:
  virtual ~LanguageModel() = default;

  struct Output {
    at::Tensor logits;  // (B,T,V) binary32; (B,T-F,V) where only those from position F on are asked
    std::vector<at::Tensor>
        hidden;  // (B,T,D): after the embedding, then after each layer, before the final norm
  };
  // ids (B,T) I64, no padding. With a cache the tokens follow those in it, and it grows.
  // Logits are computed for the positions first_logit … T-1 of `ids`.
  // Throws InputError where an id is out of the vocabulary.
  virtual Output forward(const at::Tensor& ids, bool with_hidden = false, KvCache* cache = nullptr,
                         int64_t first_logit = 0) = 0;

  virtual int64_t vocabulary() const = 0;
  virtual int64_t window() const = 0;  // tokens it was made for (max_position_embeddings)
  virtual int64_t layers() const = 0;
  virtual int64_t parameters() const = 0;
  virtual Engine::Cost cost() const = 0;  // of the engine, where it simulates a machine
  // Every forward pass from now on; an empty function ends it.
  virtual void observe(ModuleObserver observer) = 0;
  // What is computed from here on has the noise of this seed (golden/models/noise.h), or none.
  virtual void perturb(std::optional<uint64_t> seed) = 0;
};

// Throws InputError for an architecture or an option that is not known (by name), a missing tensor,
// a wrong shape; UsageError where the recipe asks for what the engine does not take, or its
// patterns match nothing.
std::unique_ptr<LanguageModel> load_model(const Checkpoint& checkpoint, const Recipe& recipe,
                                          const EngineTable& engines);

// Greedy: `count` more tokens, the lowest index on a tie, cached; stops after one of `stop`.
std::vector<int64_t> generate_greedy(LanguageModel& model, const std::vector<int64_t>& prompt,
                                     int64_t count, const std::vector<int64_t>& stop = {});

}  // namespace mxref
