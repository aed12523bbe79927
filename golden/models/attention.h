#pragma once
// Attention as a recipe says: what the cache of keys and values holds (`kv`), and how its products
// are computed (`attention`; DESIGN.md, "The recipe"). B sequences of T tokens, heads in G groups
// that share keys and values, d values a head.

#include <ATen/core/Tensor.h>

#include <optional>

#include "emu/engine.h"
#include "golden/models/decoder_description.h"
#include "golden/models/language_model.h"
#include "golden/models/linear.h"
#include "golden/models/rest.h"
#include "golden/recipe.h"

namespace mxref {

// Keys or values as the cache takes them: values (B·T,G·d) binary32, and where the recipe converts
// them their codes U8 (B·T,G·d) and scales U8 (B·T,G·blocks).
struct CacheRows {
  at::Tensor values, codes = {}, scales = {};
};

class Attention {
 public:
  // engine: null where the recipe needs none (needs_engine()). Throws UsageError where it does not
  // take a product of the recipe's.
  Attention(const Recipe& recipe, const DecoderDescription& description, Engine* engine,
            const Rest& rest);

  bool converts_cache() const { return kv_.format != "none"; }
  // x (B·T,G·d), the tokens of each sequence at the positions first, first+1, …: each head of each
  // token is a row of blocks, so that what a token's row becomes depends on no other. CHOICE: of a
  // stochastic rounding an element's index is (position·G + head)·d + element, in each sequence and
  // layer, for keys as for values: the words depend on neither batch nor cache.
  CacheRows convert(const at::Tensor& x, int64_t sequences, int64_t first) const;
  // The tokens of B sequences behind those that the cache holds.
  void append(const CacheRows& keys, const CacheRows& values, int64_t sequences,
              LayerCache& cache) const;

  // q (B·T,heads·d), of the last T tokens of the cache → (B·T,heads·d). Causal.
  at::Tensor operator()(const at::Tensor& q, const LayerCache& cache) const;

 private:
  // A layer whose weights are the keys (L,d) of one sequence and group of heads.
  LinearLayer scores(const LayerCache& cache, int64_t sequence, int64_t group) const;
  // values (L,d); q, out (T,heads of the group,d).
  void attend(const LinearLayer& scores, const at::Tensor& values, const at::Tensor& q,
              at::Tensor& out) const;

  int64_t heads_, kv_heads_, head_dim_;
  RecipeSide kv_;
  std::optional<AttentionProducts> products_;  // empty: those of rest_
  const Datapath* datapath_;                   // null under fake quantization
  Engine* engine_;
  const Rest& rest_;
};

}  // namespace mxref
