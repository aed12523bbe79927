#pragma once
// The decoder that computes every text family: x → x + attention(norm(x)) → x + mlp(norm(x)).

#include <memory>
#include <vector>

#include "golden/models/decoder_description.h"
#include "golden/models/language_model.h"
#include "golden/models/linear.h"
#include "golden/models/rest_library.h"

namespace mxref {

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
  void observe_linears(LinearObserver observer) override { observer_ = std::move(observer); }

 private:
  struct Layer {
    at::Tensor input_norm, post_attention_norm;
    LinearLayer q, k, v, o, gate, up, down;
  };
  // Keys and values of one sequence in one layer: (G,L,head_dim).
  struct LayerCache {
    at::Tensor keys, values;
  };
  struct SequenceOutput {
    at::Tensor logits;               // (T-first_logit,V)
    std::vector<at::Tensor> hidden;  // (T,D)
  };

  SequenceOutput forward_sequence(const at::Tensor& ids, bool with_hidden, int64_t first_logit,
                                  std::vector<LayerCache>& cache);
  at::Tensor attend(const Layer& layer, const at::Tensor& x, LayerCache& cache);
  at::Tensor apply(const LinearLayer& linear, LinearInput& input);
  at::Tensor embed(const at::Tensor& ids) const;

  DecoderDescription description_;
  std::unique_ptr<Engine> engine_;  // null where the recipe needs none
  LinearObserver observer_;
  rest_library::Rotary rotary_;
  at::Tensor embedding_, final_norm_;
  std::vector<Layer> stack_;
  std::unique_ptr<LinearLayer> lm_head_;
  int64_t parameters_ = 0;
};

}  // namespace mxref
