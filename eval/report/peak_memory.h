#pragma once
// The most memory that a part of a run has held.

#include <cstdint>

namespace mxref {

// Counting begins anew. Where the kernel does not let it, the next figure is that since the
// program's start.
void reset_peak_memory();
int64_t peak_memory_bytes();  // of this process; 0 where the kernel does not tell

}  // namespace mxref
