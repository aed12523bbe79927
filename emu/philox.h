#pragma once
// Philox-4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the
// random words of a stochastic rounding. A word depends on seed and index alone, so on no order of
// work.

#include <array>
#include <cstdint>

namespace mxref::philox {

using Counter = std::array<uint32_t, 4>;
using Key = std::array<uint32_t, 2>;

constexpr Counter philox4x32_10(Counter c, Key k) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t x = uint64_t(0xD2511F53) * c[0], y = uint64_t(0xCD9E8D57) * c[2];
    c = {uint32_t(y >> 32) ^ c[1] ^ k[0], uint32_t(y), uint32_t(x >> 32) ^ c[3] ^ k[1],
         uint32_t(x)};
    k = {k[0] + 0x9E3779B9, k[1] + 0xBB67AE85};
  }
  return c;
}

// The random word of element `index` (ARITHMETIC.md §2 step 4).
constexpr uint32_t word(uint64_t seed, uint64_t index) {
  const uint64_t group = index / 4;
  return philox4x32_10({uint32_t(group), uint32_t(group >> 32), 0, 0},
                       {uint32_t(seed), uint32_t(seed >> 32)})[index % 4];
}

// Known answers of the paper's library (Random123, kat_vectors).
static_assert(philox4x32_10({0, 0, 0, 0}, {0, 0}) ==
              Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
static_assert(philox4x32_10({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
              Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
static_assert(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                            {0xa4093822, 0x299f31d0}) ==
              Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});

}  // namespace mxref::philox
