// Gradients of torch.ops.mxref.*, straight through: a conversion counts as the identity, so that a
// product has the gradient of the dequantized values. What is quantized already has none.

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/matmul.h>
#include <ATen/TensorOperators.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "golden/bindings/ops.h"

namespace mxref::bindings {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

template <typename Signature>
auto op(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

// Gradients of arguments that have none.
variable_list none(size_t count) { return variable_list(count); }

struct FakeQuantGradient : torch::autograd::Function<FakeQuantGradient> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, Word format,
                            OptionalWord scale_rule, Word rounding, Word prescale,
                            OptionalNumber block, Word seed, bool relabel,
                            OptionalWord tensor_scale, Word implementation) {
    const at::AutoDispatchBelowADInplaceOrView below;
    context->saved_data["type"] = x.scalar_type();
    return op<FakeQuant>("mxref::fake_quant")
        .call(x, format, scale_rule, rounding, prescale, block, seed, relabel, tensor_scale,
              implementation);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    variable_list of_arguments = none(10);
    of_arguments[0] = gradients[0].to(context->saved_data["type"].toScalarType());
    return of_arguments;
  }
};

struct LinearGradient : torch::autograd::Function<LinearGradient> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight_codes, const at::Tensor& weight_scales,
                            const OptionalTensor& weight_tensor_scale, const OptionalTensor& bias,
                            Word weight_format, Word weight_prescale, Word format,
                            OptionalWord scale_rule, Word rounding, Word prescale,
                            OptionalNumber block, Word seed, bool relabel,
                            OptionalWord tensor_scale, Word datapath, Word implementation) {
    const at::AutoDispatchBelowADInplaceOrView below;
    context->saved_data["x_type"] = x.scalar_type();
    if (bias) context->saved_data["bias_type"] = bias->scalar_type();
    if (x.requires_grad())
      context->save_for_backward(
          {op<Dequantize>("mxref::dequantize")
               .call(weight_codes, weight_scales, weight_tensor_scale, weight_format,
                     weight_prescale, block, implementation)});
    return op<Linear>("mxref::linear")
        .call(x, weight_codes, weight_scales, weight_tensor_scale, bias, weight_format,
              weight_prescale, format, scale_rule, rounding, prescale, block, seed, relabel,
              tensor_scale, datapath, implementation);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    variable_list of_arguments = none(17);
    const at::Tensor& gradient = gradients[0];
    const auto& saved = context->saved_data;
    if (const variable_list weight = context->get_saved_variables(); !weight.empty())
      of_arguments[0] = at::matmul(gradient, weight[0]).to(saved.at("x_type").toScalarType());
    if (const auto type = saved.find("bias_type"); type != saved.end())
      of_arguments[4] =
          gradient.reshape({-1, gradient.size(-1)}).sum(0).to(type->second.toScalarType());
    return of_arguments;
  }
};

struct MatmulGradient : torch::autograd::Function<MatmulGradient> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& a_codes,
                            const at::Tensor& a_scales, const at::Tensor& b_codes,
                            const at::Tensor& b_scales, Word a_format, Word b_format,
                            const OptionalTensor& a_tensor_scale,
                            const OptionalTensor& b_tensor_scale, Word a_prescale, Word b_prescale,
                            OptionalNumber block, const OptionalTensor& c, Word datapath,
                            Word implementation) {
    const at::AutoDispatchBelowADInplaceOrView below;
    if (c) context->saved_data["c_type"] = c->scalar_type();
    return op<Matmul>("mxref::matmul")
        .call(a_codes, a_scales, b_codes, b_scales, a_format, b_format, a_tensor_scale,
              b_tensor_scale, a_prescale, b_prescale, block, c, datapath, implementation);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    variable_list of_arguments = none(14);
    const auto& saved = context->saved_data;
    if (const auto type = saved.find("c_type"); type != saved.end())
      of_arguments[11] = gradients[0].to(type->second.toScalarType());
    return of_arguments;
  }
};

// A kernel of the key Autograd: the function of the same arguments, with its gradient.
template <typename Gradient, typename Signature>
struct Apply;
template <typename Gradient, typename... Arguments>
struct Apply<Gradient, at::Tensor(Arguments...)> {
  static at::Tensor apply(Arguments... arguments) { return Gradient::apply(arguments...); }
};

}  // namespace
}  // namespace mxref::bindings

TORCH_LIBRARY_IMPL(mxref, Autograd, m) {
  using namespace mxref::bindings;
  // Without a kernel here libtorch 1.13 would not find those of tensors without data.
  m.impl("quantize", torch::CppFunction::makeFallthrough());
  m.impl("dequantize", torch::CppFunction::makeFallthrough());
  m.impl("fake_quant", Apply<FakeQuantGradient, FakeQuant>::apply);
  m.impl("linear", Apply<LinearGradient, Linear>::apply);
  m.impl("matmul", Apply<MatmulGradient, Matmul>::apply);
}
