#pragma once
// Threads while something is learned. An operation of ATen may sum in another order on another
// number of threads, and libtorch's autograd calls them by itself: so all of them run on one, and
// what is worth sharing is shared in fixed parts (emu/kernels/parts.h).

#include <omp.h>

#include <algorithm>

#include "emu/kernels/parts.h"

namespace mxref {

// While it lives OpenMP's regions of the calling thread, ATen's among them, run on that thread
// alone, but for those in an AllThreads.
class OneThread {
 public:
  OneThread() : outer_(all_) {
    all_ = std::max(all_, omp_get_max_threads());
    omp_set_num_threads(1);
  }
  ~OneThread() {
    omp_set_num_threads(all_);
    all_ = outer_;
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  friend class AllThreads;
  static inline thread_local int all_ = 0;  // outside of the outermost; 0: there is none
  int outer_;
};

// Inside a OneThread: as many threads as there were.
class AllThreads {
 public:
  AllThreads() : before_(omp_get_max_threads()) {
    if (OneThread::all_ > 0) omp_set_num_threads(OneThread::all_);
  }
  ~AllThreads() { omp_set_num_threads(before_); }
  AllThreads(const AllThreads&) = delete;
  AllThreads& operator=(const AllThreads&) = delete;

 private:
  int before_;
};

template <typename F>
void share_parts(int64_t parts, F f) {
  const AllThreads all;
  for_each_part(parts, f);
}
template <typename F>
void share_ranges(int64_t count, int64_t size, F f) {
  const AllThreads all;
  for_each_range(count, size, f);
}

}  // namespace mxref
