#pragma once
// Noise of the size of a last rounding, wherever a layer hands on its result: what another order of
// summation, or another routine, might give there. By how much a result moves under it is the floor
// of its differences. Embeddings alone would not do: a quantizer behind them absorbs it.

#include <cstdint>

#include "emu/philox.h"

namespace at {
class Tensor;
}

namespace mxref {

inline constexpr int noise_log2 = -22;
inline constexpr const char* noise_places = "the embedding and every residual sum of the decoder";

// One draw: x ← RNE32(x · (1 ± 2^noise_log2)). Every normal number moves, by 2 to 4 units in its
// last place. The sign is a bit of Philox-4x32-10 with the seed as its key, low word first, and the
// counter {position of the token, place, block of 128 elements of the row, 0}: of element i bit
// i % 32 of word i / 32 % 4; 1 is minus. So it depends on no batch, cache or number of threads.
class Noise {
 public:
  explicit Noise(uint64_t seed) : key_{uint32_t(seed), uint32_t(seed >> 32)} {}

  // x (…,T,D) binary32, contiguous, in place; row t of a sequence is the token at position
  // first + t. `place` counts the tensors that a pass perturbs, in the order of computation: 0 is
  // the embedding's.
  void perturb(at::Tensor& x, int64_t first, uint32_t place) const;

 private:
  philox::Key key_;
};

}  // namespace mxref
