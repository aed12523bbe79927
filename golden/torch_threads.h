#pragma once
// The threads of libtorch.

namespace mxref {

// As many as threads(). To be called before the first operation of libtorch, and where threads()
// may have changed: else the first use of libtorch's own pool sets OpenMP's number of threads to a
// default of its own.
void adopt_threads();

}  // namespace mxref
