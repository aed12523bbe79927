#pragma once
// AdamW (Loshchilov, Hutter, arXiv 1711.05101) on parameters in binary64, and the cosine schedule.

#include <ATen/core/Tensor.h>

#include <vector>

namespace mxref {

// From `first` at step 0 towards `last` at step `steps`.
double cosine_rate(double first, double last, int64_t step, int64_t steps);

class AdamW {
 public:
  struct Parameter {
    at::Tensor value;        // a leaf with a gradient
    double rate_factor = 1;  // of the common rate
  };
  AdamW(std::vector<Parameter> parameters, double decay);
  // The parameters one step on by their gradients, which are then gone.
  void step(double rate);

 private:
  struct Moments {
    at::Tensor mean, square;
  };
  std::vector<Parameter> parameters_;
  std::vector<Moments> moments_;
  double decay_;
  int64_t steps_ = 0;
};

}  // namespace mxref
