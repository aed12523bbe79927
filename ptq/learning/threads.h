#pragma once
// Threads while something is learned. An operation of ATen may sum in another order on another
// number of threads, and libtorch's autograd calls them by itself: so all of them run on one, and
// what is worth sharing is shared in fixed parts (emu/kernels/parts.h).

#include <omp.h>

#include "emu/kernels/parts.h"
#include "emu/threads.h"

namespace mxref {

// While it lives OpenMP's regions of the calling thread, ATen's among them, have this many threads.
class ThreadsInScope {
 public:
  explicit ThreadsInScope(int count) : before_(omp_get_max_threads()) {
    omp_set_num_threads(count);
  }
  ~ThreadsInScope() { omp_set_num_threads(before_); }
  ThreadsInScope(const ThreadsInScope&) = delete;
  ThreadsInScope& operator=(const ThreadsInScope&) = delete;

 private:
  int before_;
};

// for_each_part and for_each_range on all threads() inside such a scope of one.
template <typename F>
void share_parts(int64_t parts, F f) {
  const ThreadsInScope all(threads());
  for_each_part(parts, f);
}
template <typename F>
void share_ranges(int64_t count, int64_t size, F f) {
  const ThreadsInScope all(threads());
  for_each_range(count, size, f);
}

}  // namespace mxref
