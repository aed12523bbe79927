// torch.ops.mxref.*: the schemas, what they compute, and the shapes of tensors without data.

#include "golden/bindings/ops.h"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>
#include <torch/library.h>

#include "emu/binary32.h"
#include "emu/engine.h"
#include "emu/gemm.h"
#include "emu/quantize.h"
#include "golden/formulation/conversion.h"
#include "golden/formulation/torch_engine.h"

namespace mxref::bindings {
namespace {

// In Python a ValueError with our message.
template <typename Function>
auto told(const char* op, const Function& function) {
  try {
    return function();
  } catch (const UsageError& e) {
    throw c10::ValueError({op, __FILE__, __LINE__}, "mxref." + std::string(op) + ": " + e.what());
  }
}

const EngineTable& engines() {
  static const EngineTable table{
      {"kernel", make_kernel_engine}, {"ref", make_ref_engine}, {"torch", make_torch_engine}};
  return table;
}

std::string_view checked_name(Word implementation) {
  return find_by_name(engines(), "engine", {implementation.data(), implementation.size()}).name;
}

// The engine of this name. Throws UsageError where it does not take the product.
std::unique_ptr<Engine> engine_for(Word name, const BlockFormat& a, const BlockFormat& b, int block,
                                   const Datapath& datapath) {
  std::unique_ptr<Engine> engine = make_engine(engines(), checked_name(name));
  require(*engine, a, b, block, datapath);
  return engine;
}

const Datapath& datapath_of(Word text) {
  return mxref::datapath(std::string_view(text.data(), text.size()));
}

void check_shape(const char* name, const at::Tensor& x, at::IntArrayRef expected) {
  check_values(name, x);
  if (x.sizes() == expected) return;
  std::string message = "'" + std::string(name) + "' has another shape than (";
  for (const int64_t size : expected) message += std::to_string(size) + ", ";
  message.replace(message.size() - 2, 2, "), that of the product");
  throw UsageError(message);
}

// What the shapes of a product say: those of (…,K) and (N,K) → (…,N).
at::DimVector product_shape(at::IntArrayRef a, at::IntArrayRef b, const char* name_b) {
  if (b.size() != 2)
    throw UsageError("'" + std::string(name_b) + "' has " + std::to_string(b.size()) +
                     " dimensions; expected (N, K)");
  if (a.back() != b.back())
    throw UsageError("operands of different K: " + std::to_string(a.back()) + " and " +
                     std::to_string(b.back()));
  return with_last(a, b.front());
}

at::Tensor product(const MxTensor& a, const MxTensor& b, const std::vector<float>& c, Word datapath,
                   Word implementation, at::IntArrayRef shape) {
  check_operands(a, b);
  const Datapath& path = datapath_of(datapath);
  const auto engine = engine_for(implementation, a.format(), b.format(), a.block(), path);
  at::Tensor d = at::empty(shape, at::kFloat);
  engine->multiply(a, *engine->prepare(b, path), c, {d.data_ptr<float>(), size_t(d.numel())});
  return d;
}

// The engine's own conversions, where it has any: the definition is slow, the torch formulation
// works on tensors.
MxTensor converted(const at::Tensor& x, const Conversion& conversion, Word implementation) {
  check_values("x", x);
  const std::string_view name = checked_name(implementation);
  if (name == "torch") return formulation::quantize(x.detach().to(at::kFloat), conversion);
  const std::vector<float> values = values_of("x", x);
  return name == definition ? quantize_ref(values, x.sizes().vec(), conversion)
                            : mxref::quantize(values, x.sizes().vec(), conversion);
}

at::Tensor dequantized(const MxTensor& q, Word implementation) {
  if (checked_name(implementation) == "torch") return formulation::dequantize(q);
  return tensor_of(mxref::dequantize(q), q.shape);
}

Quantized quantize_cpu(const at::Tensor& x, Word format, OptionalWord scale_rule, Word rounding,
                       Word prescale, OptionalNumber block, Word seed, bool relabel,
                       OptionalWord tensor_scale, Word implementation) {
  return told("quantize", [&]() -> Quantized {
    const MxTensor q = converted(
        x,
        conversion_of({format, scale_rule, rounding, prescale, block, seed, relabel, tensor_scale}),
        implementation);
    return {tensor_of(q.codes, x.sizes()),
            tensor_of(q.scales, with_last(x.sizes(), q.blocks_per_row())),
            tensor_of(q.tensor_scales, {int64_t(q.tensor_scales.size())})};
  });
}

at::Tensor fake_quant_cpu(const at::Tensor& x, Word format, OptionalWord scale_rule, Word rounding,
                          Word prescale, OptionalNumber block, Word seed, bool relabel,
                          OptionalWord tensor_scale, Word implementation) {
  return told("fake_quant", [&] {
    const Conversion conversion =
        conversion_of({format, scale_rule, rounding, prescale, block, seed, relabel, tensor_scale});
    return dequantized(converted(x, conversion, implementation), implementation);
  });
}

at::Tensor dequantize_cpu(const at::Tensor& codes, const at::Tensor& scales,
                          const OptionalTensor& tensor_scale, Word format, Word prescale,
                          OptionalNumber block, Word implementation) {
  return told("dequantize", [&] {
    return dequantized(operand_of({"", codes, scales, tensor_scale, format, prescale, block}),
                       implementation);
  });
}

at::Tensor matmul_cpu(const at::Tensor& a_codes, const at::Tensor& a_scales,
                      const at::Tensor& b_codes, const at::Tensor& b_scales, Word a_format,
                      Word b_format, const OptionalTensor& a_tensor_scale,
                      const OptionalTensor& b_tensor_scale, Word a_prescale, Word b_prescale,
                      OptionalNumber block, const OptionalTensor& c, Word datapath,
                      Word implementation) {
  return told("matmul", [&] {
    const MxTensor a =
        operand_of({"a_", a_codes, a_scales, a_tensor_scale, a_format, a_prescale, block});
    const MxTensor b =
        operand_of({"b_", b_codes, b_scales, b_tensor_scale, b_format, b_prescale, block});
    const at::DimVector shape = product_shape(a_codes.sizes(), b_codes.sizes(), "b_codes");
    std::vector<float> start;
    if (c) {
      check_shape("c", *c, shape);
      start = values_of("c", *c);
    }
    return product(a, b, start, datapath, implementation, shape);
  });
}

at::Tensor linear_cpu(const at::Tensor& x, const at::Tensor& weight_codes,
                      const at::Tensor& weight_scales, const OptionalTensor& weight_tensor_scale,
                      const OptionalTensor& bias, Word weight_format, Word weight_prescale,
                      Word format, OptionalWord scale_rule, Word rounding, Word prescale,
                      OptionalNumber block, Word seed, bool relabel, OptionalWord tensor_scale,
                      Word datapath, Word implementation) {
  return told("linear", [&] {
    check_values("x", x);
    const MxTensor weight = operand_of({"weight_", weight_codes, weight_scales, weight_tensor_scale,
                                        weight_format, weight_prescale, block});
    const Conversion conversion =
        conversion_of({format, scale_rule, rounding, prescale, block, seed, relabel, tensor_scale});
    const at::DimVector shape = product_shape(x.sizes(), weight_codes.sizes(), "weight_codes");
    at::Tensor y = product(converted(x, conversion, implementation), weight, {}, datapath,
                           implementation, shape);
    if (!bias) return y;
    check_shape("bias", *bias, {shape.back()});
    const std::vector<float> of_bias = values_of("bias", *bias);
    auto* result = y.data_ptr<float>();
    for (int64_t i = 0; i < y.numel(); ++i)  // in integers: the library may flush to zero
      result[i] = std::bit_cast<float>(
          binary32::add_rne(std::bit_cast<uint32_t>(result[i]),
                            std::bit_cast<uint32_t>(of_bias[size_t(i % shape.back())])));
    return y;
  });
}

// The same without data.
at::Tensor without_data(at::IntArrayRef shape, at::ScalarType type) {
  return at::empty(shape, at::TensorOptions().dtype(type).device(at::kMeta));
}

Quantized quantize_meta(const at::Tensor& x, Word format, OptionalWord scale_rule, Word rounding,
                        Word prescale, OptionalNumber block, Word seed, bool relabel,
                        OptionalWord tensor_scale, Word implementation) {
  return told("quantize", [&]() -> Quantized {
    checked_name(implementation);
    check_values("x", x);
    const Conversion conversion =
        conversion_of({format, scale_rule, rounding, prescale, block, seed, relabel, tensor_scale});
    const at::IntArrayRef shape = x.sizes();
    const int64_t tensor_scales = !conversion.format->has_tensor_scale() ? 0
                                  : conversion.scale_by_row              ? rows_of(shape)
                                                                         : 1;
    return {
        without_data(shape, at::kByte),
        without_data(with_last(shape, blocks_per_row(shape.back(), conversion.block)), at::kByte),
        without_data({tensor_scales}, at::kFloat)};
  });
}

at::Tensor fake_quant_meta(const at::Tensor& x, Word format, OptionalWord scale_rule, Word rounding,
                           Word prescale, OptionalNumber block, Word seed, bool relabel,
                           OptionalWord tensor_scale, Word implementation) {
  return told("fake_quant", [&] {
    checked_name(implementation);
    check_values("x", x);
    conversion_of({format, scale_rule, rounding, prescale, block, seed, relabel, tensor_scale});
    return without_data(x.sizes(), at::kFloat);
  });
}

at::Tensor dequantize_meta(const at::Tensor& codes, const at::Tensor& scales,
                           const OptionalTensor& tensor_scale, Word format, Word prescale,
                           OptionalNumber block, Word implementation) {
  return told("dequantize", [&] {
    checked_name(implementation);
    check_operand({"", codes, scales, tensor_scale, format, prescale, block});
    return without_data(codes.sizes(), at::kFloat);
  });
}

at::Tensor matmul_meta(const at::Tensor& a_codes, const at::Tensor& a_scales,
                       const at::Tensor& b_codes, const at::Tensor& b_scales, Word a_format,
                       Word b_format, const OptionalTensor& a_tensor_scale,
                       const OptionalTensor& b_tensor_scale, Word a_prescale, Word b_prescale,
                       OptionalNumber block, const OptionalTensor& c, Word datapath,
                       Word implementation) {
  return told("matmul", [&] {
    check_operand({"a_", a_codes, a_scales, a_tensor_scale, a_format, a_prescale, block});
    check_operand({"b_", b_codes, b_scales, b_tensor_scale, b_format, b_prescale, block});
    datapath_of(datapath);
    checked_name(implementation);
    const at::DimVector shape = product_shape(a_codes.sizes(), b_codes.sizes(), "b_codes");
    if (c) check_shape("c", *c, shape);
    return without_data(shape, at::kFloat);
  });
}

at::Tensor linear_meta(const at::Tensor& x, const at::Tensor& weight_codes,
                       const at::Tensor& weight_scales, const OptionalTensor& weight_tensor_scale,
                       const OptionalTensor& bias, Word weight_format, Word weight_prescale,
                       Word format, OptionalWord scale_rule, Word rounding, Word prescale,
                       OptionalNumber block, Word seed, bool relabel, OptionalWord tensor_scale,
                       Word datapath, Word implementation) {
  return told("linear", [&] {
    check_operand({"weight_", weight_codes, weight_scales, weight_tensor_scale, weight_format,
                   weight_prescale, block});
    conversion_of({format, scale_rule, rounding, prescale, block, seed, relabel, tensor_scale});
    check_values("x", x);
    datapath_of(datapath);
    checked_name(implementation);
    const at::DimVector shape = product_shape(x.sizes(), weight_codes.sizes(), "weight_codes");
    if (bias) check_shape("bias", *bias, {shape.back()});
    return without_data(shape, at::kFloat);
  });
}

}  // namespace
}  // namespace mxref::bindings

TORCH_LIBRARY(mxref, m) {
  using namespace mxref::bindings;
  for (const char* schema :
       {quantize_schema, dequantize_schema, fake_quant_schema, matmul_schema, linear_schema})
    m.def(schema);
}

TORCH_LIBRARY_IMPL(mxref, CPU, m) {
  using namespace mxref::bindings;
  m.impl("quantize", quantize_cpu);
  m.impl("dequantize", dequantize_cpu);
  m.impl("fake_quant", fake_quant_cpu);
  m.impl("matmul", matmul_cpu);
  m.impl("linear", linear_cpu);
}

TORCH_LIBRARY_IMPL(mxref, Meta, m) {
  using namespace mxref::bindings;
  m.impl("quantize", quantize_meta);
  m.impl("dequantize", dequantize_meta);
  m.impl("fake_quant", fake_quant_meta);
  m.impl("matmul", matmul_meta);
  m.impl("linear", linear_meta);
}
