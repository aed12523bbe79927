// Counts what readers of hostile files ask for: a length that lies must not become an allocation.

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/golden/refusal.h"

static std::atomic<size_t> largest = 0;

size_t mxref::largest_allocation() { return largest; }
void mxref::reset_largest_allocation() { largest = 0; }

void* operator new(size_t bytes) {
  if (bytes > largest) largest = bytes;
  if (void* block = std::malloc(bytes ? bytes : 1)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, size_t) noexcept { std::free(block); }
