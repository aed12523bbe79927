#pragma once
// The two roundings of a product, by float64 and int64 tensors. All operands are float64 tensors
// that hold binary32 values, or exact numbers as said; so do the results. NaN is not treated here.

#include <ATen/core/Tensor.h>

#include "emu/codec.h"

namespace mxref::formulation {

// 2^exponent (int64, in the range of normal float64).
at::Tensor power_of_two(const at::Tensor& exponent);

// RNE32(acc + t), acc binary32 or ±Inf, t any float64 with 2^-400 ≤ |t| ≤ 2^400, or +0. An exact
// zero is +0; ±Inf stays.
at::Tensor add_rounding_once(const at::Tensor& acc, const at::Tensor& t);

// RNE32(acc / (p_a·p_b)), acc binary32 or ±Inf; zeros keep their sign.
at::Tensor divide_rounding_once(const at::Tensor& acc, Prescale p_a, Prescale p_b);

}  // namespace mxref::formulation
