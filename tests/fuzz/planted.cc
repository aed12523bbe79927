// The control: a reader that overruns its bytes where they begin with "MX". A run must find it.

#include <vector>

#include "tests/fuzz/fuzz.h"

void fuzz_one(std::string_view bytes) {
  if (bytes.size() < 2 || bytes[0] != 'M' || bytes[1] != 'X') return;
  const std::vector<char> copy(bytes.begin(), bytes.end());
  volatile char behind = copy.data()[copy.size()];
  (void)behind;
}
