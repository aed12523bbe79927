#pragma once
// Calibration samples on their way through a model, one layer at a time: in memory are the stream
// of residual sums of all samples, and what one layer makes of one of them.

#include <functional>
#include <vector>

#include "ptq/calibration.h"
#include "ptq/layer_forward.h"

namespace mxref {

class CalibrationStream {
 public:
  CalibrationStream(const PtqModel& model, const Calibration& calibration) : forward_(model) {
    for (const std::vector<int64_t>& ids : calibration.samples) x_.push_back(forward_.embed(ids));
  }
  LayerForward& forward() { return forward_; }
  // The stream (T,D) of each sample in front of the layer that comes next.
  std::vector<at::Tensor>& samples() { return x_; }
  // All samples through the layer.
  void run(const LayerWeights& layer) {
    for (at::Tensor& x : x_) forward_.run(layer, x);
  }

 private:
  LayerForward forward_;
  std::vector<at::Tensor> x_;
};

}  // namespace mxref
