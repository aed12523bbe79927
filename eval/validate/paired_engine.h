#pragma once
// Two engines as one: each product is computed by both and compared bit for bit.

#include <memory>
#include <string>
#include <vector>

#include "emu/engine.h"

namespace mxref {

// One product of a paired engine.
struct PairedCall {
  std::string module;
  int64_t n, k;
  Engine::Cost cost;  // of the first engine
  int64_t compared, mismatches;
};

struct PairedLog {
  std::string module;  // set by the caller (LanguageModel::observe): whose product is next
  std::vector<PairedCall> calls;
};

// Results are those of `engine`; `witness` computes them again.
std::unique_ptr<Engine> make_paired_engine(std::unique_ptr<Engine> engine,
                                           std::unique_ptr<Engine> witness,
                                           std::shared_ptr<PairedLog> log);

// Elements whose bits differ.
int64_t count_differences(std::span<const float> a, std::span<const float> b);

}  // namespace mxref
