#pragma once
// The random words of a stochastic rounding (ARITHMETIC.md §2 step 4), for the second constructions
// of the conversion.

#include <algorithm>
#include <cstdint>

namespace mxref::oracle {

// Philox-4x32-10 as its paper's figure has it: four words in, ten rounds of two multiplications.
inline uint32_t random_word(uint64_t seed, uint64_t element) {
  uint32_t key[2] = {uint32_t(seed), uint32_t(seed >> 32)};
  const uint64_t group = element / 4;
  uint32_t word[4] = {uint32_t(group), uint32_t(group >> 32), 0, 0};
  for (int round = 0; round < 10; ++round) {
    const uint64_t left = 0xD2511F53ull * word[0], right = 0xCD9E8D57ull * word[2];
    const uint32_t next[4] = {uint32_t(right >> 32) ^ word[1] ^ key[0], uint32_t(right),
                              uint32_t(left >> 32) ^ word[3] ^ key[1], uint32_t(left)};
    std::copy(next, next + 4, word);
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return word[element % 4];
}

}  // namespace mxref::oracle
