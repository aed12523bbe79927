#include "golden/torch_threads.h"

#include <ATen/Parallel.h>

#include "emu/threads.h"

namespace mxref {

void adopt_threads() {
  const int count = threads();
  // The question makes libtorch do what it would do at its first use. Setting is slow: it makes
  // threads.
  if (at::get_num_threads() != count) at::set_num_threads(count);
}

}  // namespace mxref
