#pragma once
// One layer of a model on calibration data, in the steps between which a method looks or changes
// something. Products and the rest are those of golden's `library`, so that no bit depends on the
// number of threads.

#include <ATen/core/Tensor.h>

#include <functional>

#include "golden/models/online_transform.h"
#include "golden/models/rest.h"
#include "ptq/model.h"

namespace mxref {

class LayerForward {
 public:
  // Refers to the model, whose weights may change between calls; its transforms are those of now.
  explicit LayerForward(const PtqModel& model);

  // ids → x (T,D): the embedding.
  at::Tensor embed(const std::vector<int64_t>& ids) const;

  // x (T,D), one sequence from position 0 on → what q, k and v take.
  at::Tensor qkv_input(const LayerWeights& layer, const at::Tensor& x) const;
  // … → what o takes, from the input of q, k and v.
  at::Tensor o_input(const LayerWeights& layer, const at::Tensor& qkv_input);
  // x after attention → what gate and up take.
  at::Tensor gate_up_input(const LayerWeights& layer, const at::Tensor& x) const;
  at::Tensor down_input(const LayerWeights& layer, const at::Tensor& gate_up_input) const;
  // x (T,K) of a linear layer → (T,N), with its bias.
  at::Tensor linear(const LayerWeights& layer, Linear linear, const at::Tensor& x) const;
  // x += y.
  void add(at::Tensor& x, const at::Tensor& y) const { rest_.add(x, y); }
  // The whole layer, x in place; `see`, if any, is shown what comes in at each place.
  using See = std::function<void(Place place, const at::Tensor& input)>;
  void run(const LayerWeights& layer, at::Tensor& x, const See& see = {});
  // x (T,D) after the last layer → what lm_head takes.
  at::Tensor head_input(const at::Tensor& x) const;

 private:
  at::Tensor transformed(const LayerWeights& layer, Place place, const at::Tensor& x) const;

  const PtqModel& model_;
  const Rest& rest_;
  OnlineTransforms online_;
  Rotary rotary_;
};

}  // namespace mxref
