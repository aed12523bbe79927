#pragma once
// Functions of one binary32, correctly rounded (ARITHMETIC.md §7): RNE32 of the real function at
// the binary32 x, gradual underflow and overflow included. A NaN is 0x7FC00000. The caller's
// floating-point state matters to none of them.
//
// Plain declarations: the files of the instruction sets include them.

namespace mxref {

float exp_ref(float x);
float rsqrt_ref(float x);  // ±0 → ±Inf; of a negative number NaN
float sin_ref(float x);    // x in radians, of any size; of ±Inf NaN
float cos_ref(float x);
float silu_ref(float x);  // x/(1+e^-x)
float gelu_ref(float x);  // x·Φ(x)

// base^exponent, correctly rounded. base > 0, finite, 0 <= exponent < 1: a result is never a tie,
// and neither overflows nor is subnormal where base is not. Throws std::invalid_argument for
// others.
float power_ref(float base, float exponent);

struct ElementaryFunction {
  const char* name;
  float (*ref)(float x);
};
inline constexpr ElementaryFunction elementary_functions[] = {
    {"exp", exp_ref}, {"rsqrt", rsqrt_ref}, {"sin", sin_ref},
    {"cos", cos_ref}, {"silu", silu_ref},   {"gelu", gelu_ref}};

}  // namespace mxref
