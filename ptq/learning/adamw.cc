#include "ptq/learning/adamw.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>
#include <ATen/TensorOperators.h>

#include <cmath>

namespace mxref {

double cosine_rate(double first, double last, int64_t step, int64_t steps) {
  return last + (first - last) * (1 + std::cos(M_PI * double(step) / double(steps))) / 2;
}

AdamW::AdamW(std::vector<Parameter> parameters, double decay)
    : parameters_(std::move(parameters)), decay_(decay) {
  for (const Parameter& parameter : parameters_)
    moments_.push_back({at::zeros_like(parameter.value), at::zeros_like(parameter.value)});
}

void AdamW::step(double rate) {
  constexpr double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  const at::NoGradGuard plain;
  ++steps_;
  const double of_mean = 1 - std::pow(beta1, double(steps_)),
               of_square = 1 - std::pow(beta2, double(steps_));
  for (size_t i = 0; i < parameters_.size(); ++i) {
    at::Tensor& value = parameters_[i].value;
    const at::Tensor gradient = value.grad();
    if (!gradient.defined()) continue;
    const double own_rate = rate * parameters_[i].rate_factor;
    auto& [mean, square] = moments_[i];
    mean.mul_(beta1).add_(gradient, 1 - beta1);
    square.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
    const at::Tensor spread = square.div(of_square).sqrt_().add_(epsilon);
    value.mul_(1 - own_rate * decay_).addcdiv_(mean, spread, -own_rate / of_mean);
    value.mutable_grad() = at::Tensor();
  }
}

}  // namespace mxref
