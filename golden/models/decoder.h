#pragma once
// The decoder that computes every text family: x → x + attention(norm(x)) → x + mlp(norm(x)).

#include <memory>
#include <vector>

#include "golden/models/attention.h"
#include "golden/models/decoder_description.h"
#include "golden/models/language_model.h"
#include "golden/models/linear.h"
#include "golden/models/noise.h"
#include "golden/models/online_transform.h"
#include "golden/models/rest.h"

namespace mxref {

// Every tensor of the description is there with its shape, and nothing else but those of on-line
// transforms, and the frequencies that some checkpoints store and nobody reads; else InputError.
void check_tensors(const DecoderDescription& description, const Checkpoint& checkpoint);

class Decoder : public LanguageModel {
 public:
  // Throws as load_model.
  Decoder(const DecoderDescription& description, const Checkpoint& checkpoint, const Recipe& recipe,
          const EngineTable& engines);

  Output forward(const at::Tensor& ids, bool with_hidden, KvCache* cache,
                 int64_t first_logit) override;
  int64_t vocabulary() const override { return description_.vocabulary; }
  int64_t window() const override { return description_.window; }
  int64_t layers() const override { return description_.layers; }
  int64_t parameters() const override { return parameters_; }
  Engine::Cost cost() const override { return engine_ ? engine_->cost() : Engine::Cost{}; }
  void observe(ModuleObserver observer) override { observer_ = std::move(observer); }
  void perturb(std::optional<uint64_t> seed) override {
    noise_ = seed ? std::optional<Noise>(*seed) : std::nullopt;
  }

 private:
  struct Layer {
    std::string prefix;  // of its modules' names
    at::Tensor input_norm, post_attention_norm;
    LinearLayer q, k, v, o, gate, up, down;
  };
  // The sums of residuals, x (B·T,D) of B sequences from position `first` on, and how many there
  // have been in this pass.
  struct Stream {
    int64_t sequences, first;
    at::Tensor x;
    uint32_t places = 0;
  };
  // A residual is added, or the embedding stands there: its noise, where there is to be one.
  void disturb(Stream& stream) const;
  // stream ← the layer's output. The cache grows by T positions.
  void run_layer(const Layer& layer, Stream& stream, LayerCache& cache);
  at::Tensor attend(const Layer& layer, int64_t sequences, const at::Tensor& x, LayerCache& cache);
  // What the cache holds of x, keys or values; observed as `module` where it converts them.
  CacheRows write(const Layer& layer, const char* module, int64_t sequences, const at::Tensor& x,
                  int64_t first);
  // As rest_ has them, observed as `module`.
  at::Tensor norm(const std::string& prefix, const char* module, const at::Tensor& x,
                  const at::Tensor& weight);
  void add(const Layer& layer, const char* module, const at::Tensor& y, Stream& stream);
  void rotate(const Layer& layer, const char* module, int64_t sequences, at::Tensor& x,
              int64_t first);
  at::Tensor apply(const LinearLayer& linear, LinearInput& input);
  // x as the on-line transforms after `module` have it, observed as "….transform".
  at::Tensor transformed(const Layer& layer, const char* module, const at::Tensor& x);
  // Queries (M, heads·d) and keys (M, kv_heads·d), head by head.
  void transform_heads(const Layer& layer, at::Tensor& q, at::Tensor& k);
  at::Tensor embed(const at::Tensor& ids) const;

  DecoderDescription description_;
  std::unique_ptr<Engine> engine_;  // null where the recipe needs none
  ModuleObserver observer_;
  std::optional<Noise> noise_;
  const Rest& rest_;
  Rotary rotary_;
  OnlineTransforms online_;
  std::unique_ptr<Attention> attention_;
  at::Tensor embedding_, final_norm_;
  std::vector<Layer> stack_;
  std::unique_ptr<LinearLayer> lm_head_;
  int64_t parameters_ = 0;
};

}  // namespace mxref
