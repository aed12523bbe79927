#pragma once
// The roundings of a product, by float64 and int64 tensors. A number of binary32 is held as a
// float64 of the same value, NaN and ±Inf among them. No step meets a subnormal float64 or converts
// to float32, so that no state of the machine (flush to zero) can change a result.

#include <ATen/core/Tensor.h>

#include <limits>

#include "emu/codec.h"

namespace mxref::formulation {

constexpr int binary32_digits = 24;  // of a significand
constexpr double infinity = std::numeric_limits<double>::infinity();

// high + low: two float64 hold what one cannot. |low| ≤ half of high's last place; a low that is
// undefined is zero.
struct Exact {
  at::Tensor high, low = {};
};

// 2^exponent (int64, in the range of normal float64).
at::Tensor power_of_two(const at::Tensor& exponent);
// floor(log2 |x|) (int64) of a finite x that is not zero; of zero less than that of any other.
at::Tensor floor_log2(const at::Tensor& x);

// a + b, exact (Knuth).
Exact two_sum(const at::Tensor& a, const at::Tensor& b);
// x rounded to odd at 53 bits: where bits are lost, to that neighbour whose last bit is 1. Such a
// number is never a tie of a shorter format and lies on the right side of every tie, so that a
// rounding to at most 51 bits after it is the only one that counts.
at::Tensor round_to_odd(const Exact& x);

// RNE32(x).
at::Tensor to_binary32(const at::Tensor& x);
// x toward zero to `fraction_bits` of at most 23 below its highest bit, fewer in a subnormal number
// of binary32; from 2^128 on Inf.
at::Tensor truncate_to_binary32(const at::Tensor& x, int fraction_bits);
// A subnormal number of binary32 becomes the zero of its sign.
at::Tensor flush_subnormals(const at::Tensor& x);

// RNE32(acc + t), acc binary32, 2^-400 ≤ |t| ≤ 2^400 or t zero or not finite; zeros, NaN and Inf
// as IEEE 754 adds them.
at::Tensor add_rounding_once(const at::Tensor& acc, const Exact& t);
// RNE32(x / (p_a·p_b)), x of at most 24 significant bits; zeros keep their sign.
at::Tensor divide_rounding_once(const at::Tensor& x, Prescale p_a, Prescale p_b);
// RNE32(acc · g), acc binary32, g above zero of at most 48 significant bits, 2^-300 ≤ g ≤ 2^300.
at::Tensor multiply_rounding_once(const at::Tensor& acc, const at::Tensor& g);

// The tensor of type float32 whose bits these values are, and back. Each NaN becomes nan_bits.
at::Tensor binary32_of(const at::Tensor& x, uint32_t nan_bits);
at::Tensor float64_of(const at::Tensor& binary32);

}  // namespace mxref::formulation
