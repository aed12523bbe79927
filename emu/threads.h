#pragma once
// The number of threads that every engine and kernel uses. No result depends on it.

namespace mxref {

int threads();
void set_threads(int count);  // at least 1; the program sets it once, from --threads

}  // namespace mxref
