#pragma once
// Work in parts of fixed size, each computed by one thread: which thread, and how many there are,
// changes no bit.

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <exception>

#include "emu/kernels/float_environment.h"

namespace mxref {

// f(part) for part = 0 … parts-1, in any order, on one thread where the work is too small to share;
// each thread rounds as IEEE does. The first exception is thrown on.
template <typename F>
void for_each_part(int64_t parts, F f, bool worth_sharing = true) {
  std::exception_ptr failure;
#pragma omp parallel if (parts > 1 && worth_sharing)
  {
    const kernels::FloatEnvironment ieee;
    omp_set_num_threads(1);  // for this region: what libraries do inside f stays on its thread
#pragma omp for schedule(dynamic)
    for (int64_t part = 0; part < parts; ++part) try {
        f(part);
      } catch (...) {
#pragma omp critical
        if (!failure) failure = std::current_exception();
      }
  }
  if (failure) std::rethrow_exception(failure);
}

// f(begin, end) for the ranges of `size` (the last may be shorter) that make up 0 … count-1.
template <typename F>
void for_each_range(int64_t count, int64_t size, F f, bool worth_sharing = true) {
  for_each_part((count + size - 1) / size,
                [&](int64_t part) { f(part * size, std::min(count, (part + 1) * size)); },
                worth_sharing);
}

}  // namespace mxref
