#pragma once
// Real functions and IEEE's operations rounded to binary32 by MPFR: the second construction beside
// emu/elementary.h and emu/rest.h.

#include <mpfr.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace mxref::oracle {

class Mpfr {
 public:
  explicit Mpfr(mpfr_prec_t bits) { mpfr_init2(value_, bits); }
  ~Mpfr() { mpfr_clear(value_); }
  Mpfr(const Mpfr&) = delete;
  Mpfr& operator=(const Mpfr&) = delete;
  operator mpfr_ptr() { return value_; }

 private:
  mpfr_t value_;
};

// While it lives, MPFR's exponents are those of binary32, subnormal numbers included.
class Binary32Exponents {
 public:
  Binary32Exponents() : emin_(mpfr_get_emin()), emax_(mpfr_get_emax()) {
    mpfr_set_emin(-148);
    mpfr_set_emax(128);
  }
  ~Binary32Exponents() {
    mpfr_set_emin(emin_);
    mpfr_set_emax(emax_);
  }
  Binary32Exponents(const Binary32Exponents&) = delete;

 private:
  mpfr_exp_t emin_, emax_;
};

// A NaN as 0x7FC00000.
inline float canonical(float x) { return std::isnan(x) ? std::bit_cast<float>(0x7FC00000) : x; }

// The binary32 nearest to what `compute` gives, which returns MPFR's ternary value of one rounding
// to 24 bits.
template <typename F>
float rounded_once(const F& compute) {
  const Binary32Exponents binary32;
  Mpfr result(24);
  int ternary = compute(static_cast<mpfr_ptr>(result));
  ternary = mpfr_check_range(result, ternary, MPFR_RNDN);
  mpfr_subnormalize(result, ternary, MPFR_RNDN);
  return canonical(mpfr_get_flt(result, MPFR_RNDN));
}

// f(x) to `bits` bits, by the name of elementary_functions. x is no NaN.
inline void real_function(std::string_view name, float x, mpfr_ptr y) {
  Mpfr X(24), half(mpfr_get_prec(y));
  mpfr_set_flt(X, x, MPFR_RNDN);
  if (name == "exp") {
    mpfr_exp(y, X, MPFR_RNDN);
  } else if (name == "rsqrt") {
    mpfr_rec_sqrt(y, X, MPFR_RNDN);
  } else if (name == "sin") {
    mpfr_sin(y, X, MPFR_RNDN);
  } else if (name == "cos") {
    mpfr_cos(y, X, MPFR_RNDN);
  } else if (name == "silu") {  // x / (1 + e^-x)
    mpfr_neg(y, X, MPFR_RNDN);
    mpfr_exp(y, y, MPFR_RNDN);
    mpfr_add_ui(y, y, 1, MPFR_RNDN);
    mpfr_div(y, X, y, MPFR_RNDN);
  } else {  // gelu: x·erfc(-x/√2)/2
    mpfr_set_d(half, 0.5, MPFR_RNDN);
    mpfr_sqrt(half, half, MPFR_RNDN);
    mpfr_mul(y, half, X, MPFR_RNDN);
    mpfr_neg(y, y, MPFR_RNDN);
    mpfr_erfc(y, y, MPFR_RNDN);
    mpfr_mul(y, y, X, MPFR_RNDN);
    mpfr_div_2ui(y, y, 1, MPFR_RNDN);
  }
}

// The limits that a formula does not give: at -Inf, e^-x is Inf and Φ is 0. MPFR's 1/√-0 is +Inf,
// IEEE 754's is -Inf.
inline bool is_limit(std::string_view name, float x) {
  return (std::isinf(x) && x < 0 && (name == "silu" || name == "gelu")) ||
         (name == "rsqrt" && x == 0);
}
inline float limit(std::string_view name, float x) {
  return name == "rsqrt" ? std::copysign(INFINITY, x) : -0.0f;
}

// RNE32 of f(x). About 0, where SiLU and GELU are x/2 and a little, that little needs as many bits
// as x lies below 1.
inline float correctly_rounded(std::string_view name, float x) {
  if (std::isnan(x)) return canonical(x);
  if (is_limit(name, x)) return limit(name, x);
  const bool is_small = std::fabs(x) < 0x1p-40f;
  Mpfr y(is_small ? 400 : 140);
  real_function(name, x, y);
  return rounded_once([&](mpfr_ptr result) { return mpfr_set(result, y, MPFR_RNDN); });
}

// IEEE's operations.
enum class Operation : uint8_t { add, subtract, multiply, divide };
inline float ieee(Operation operation, float a, float b) {
  Mpfr x(24), y(24);
  mpfr_set_flt(x, a, MPFR_RNDN);
  mpfr_set_flt(y, b, MPFR_RNDN);
  return rounded_once([&](mpfr_ptr result) {
    switch (operation) {
      case Operation::add:
        return mpfr_add(result, x, y, MPFR_RNDN);
      case Operation::subtract:
        return mpfr_sub(result, x, y, MPFR_RNDN);
      case Operation::multiply:
        return mpfr_mul(result, x, y, MPFR_RNDN);
      case Operation::divide:
        return mpfr_div(result, x, y, MPFR_RNDN);
    }
    __builtin_unreachable();
  });
}
inline float ieee_fma(float a, float b, float c) {
  Mpfr x(24), y(24), z(24);
  mpfr_set_flt(x, a, MPFR_RNDN);
  mpfr_set_flt(y, b, MPFR_RNDN);
  mpfr_set_flt(z, c, MPFR_RNDN);
  return rounded_once([&](mpfr_ptr result) { return mpfr_fma(result, x, y, z, MPFR_RNDN); });
}

// base^exponent.
inline float power(float base, float exponent) {
  Mpfr x(24), y(24);
  mpfr_set_flt(x, base, MPFR_RNDN);
  mpfr_set_flt(y, exponent, MPFR_RNDN);
  return rounded_once([&](mpfr_ptr result) { return mpfr_pow(result, x, y, MPFR_RNDN); });
}

}  // namespace mxref::oracle
