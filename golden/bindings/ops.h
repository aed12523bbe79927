#pragma once
// torch.ops.mxref.*: what each op takes and gives. Arguments are the words and strings of the
// command line; an error of theirs is a ValueError in Python.

#include <tuple>

#include "golden/bindings/arguments.h"

namespace mxref::bindings {

// The schemas; below are the types of the functions behind them, with the same arguments.
// implementation: who converts and multiplies: the vector kernels, the definition `ref` or the
// torch formulation.

// quantize: as `mxref quantize`. fake_quant: its result dequantized, float32 (…,K); gradients pass
// straight through.
#define MXREF_CONVERSION                                                          \
  "str? scale_rule=None, str rounding='rne', str prescale='1', int? block=None, " \
  "str seed='0', bool relabel=False, str? tensor_scale=None"
inline constexpr const char* quantize_schema =
    "quantize(Tensor x, str format, *, " MXREF_CONVERSION
    ", str implementation='kernel') -> (Tensor codes, Tensor scales, Tensor tensor_scale)";
inline constexpr const char* fake_quant_schema =
    "fake_quant(Tensor x, str format, *, " MXREF_CONVERSION
    ", str implementation='kernel') -> Tensor";

// codes (…,K), scales → float32 (…,K).
inline constexpr const char* dequantize_schema =
    "dequantize(Tensor codes, Tensor scales, Tensor? tensor_scale=None, *, str format, "
    "str prescale='1', int? block=None, str implementation='kernel') -> Tensor";

// a (…,K) · b (N,K) on a datapath, started at or added to c (…,N): float32 (…,N).
inline constexpr const char* matmul_schema =
    "matmul(Tensor a_codes, Tensor a_scales, Tensor b_codes, Tensor b_scales, *, "
    "str a_format, str b_format, Tensor? a_tensor_scale=None, Tensor? b_tensor_scale=None, "
    "str a_prescale='1', str b_prescale='1', int? block=None, Tensor? c=None, "
    "str datapath='fused', str implementation='kernel') -> Tensor";

// x (…,K), converted here; a quantized weight (N,K); bias (N): one binary32 addition afterwards.
inline constexpr const char* linear_schema =
    "linear(Tensor x, Tensor weight_codes, Tensor weight_scales, "
    "Tensor? weight_tensor_scale=None, Tensor? bias=None, *, str weight_format, "
    "str weight_prescale='1', str format, " MXREF_CONVERSION
    ", str datapath='fused', str implementation='kernel') -> Tensor";
#undef MXREF_CONVERSION

using Quantized = std::tuple<at::Tensor, at::Tensor, at::Tensor>;
using Quantize = Quantized(const at::Tensor& x, Word format, OptionalWord scale_rule, Word rounding,
                           Word prescale, OptionalNumber block, Word seed, bool relabel,
                           OptionalWord tensor_scale, Word implementation);
using FakeQuant = at::Tensor(const at::Tensor& x, Word format, OptionalWord scale_rule,
                             Word rounding, Word prescale, OptionalNumber block, Word seed,
                             bool relabel, OptionalWord tensor_scale, Word implementation);
using Dequantize = at::Tensor(const at::Tensor& codes, const at::Tensor& scales,
                              const OptionalTensor& tensor_scale, Word format, Word prescale,
                              OptionalNumber block, Word implementation);
using Matmul = at::Tensor(const at::Tensor& a_codes, const at::Tensor& a_scales,
                          const at::Tensor& b_codes, const at::Tensor& b_scales, Word a_format,
                          Word b_format, const OptionalTensor& a_tensor_scale,
                          const OptionalTensor& b_tensor_scale, Word a_prescale, Word b_prescale,
                          OptionalNumber block, const OptionalTensor& c, Word datapath,
                          Word implementation);
using Linear = at::Tensor(const at::Tensor& x, const at::Tensor& weight_codes,
                          const at::Tensor& weight_scales,
                          const OptionalTensor& weight_tensor_scale, const OptionalTensor& bias,
                          Word weight_format, Word weight_prescale, Word format,
                          OptionalWord scale_rule, Word rounding, Word prescale,
                          OptionalNumber block, Word seed, bool relabel, OptionalWord tensor_scale,
                          Word datapath, Word implementation);

}  // namespace mxref::bindings
