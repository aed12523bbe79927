#pragma once
// The floating-point state that the kernels' proofs rest on.

#include <xmmintrin.h>

namespace mxref::kernels {

// While it lives, this thread rounds to nearest and flushes nothing to zero, whatever a library has
// set; then the caller's state is back, exception flags included.
class FloatEnvironment {
 public:
  FloatEnvironment() : saved_(_mm_getcsr()) { _mm_setcsr(ieee); }
  ~FloatEnvironment() { _mm_setcsr(saved_); }
  FloatEnvironment(const FloatEnvironment&) = delete;

 private:
  static constexpr unsigned ieee = 0x1F80;  // all exceptions masked, nearest, no FTZ, no DAZ
  unsigned saved_;
};

}  // namespace mxref::kernels
