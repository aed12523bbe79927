#pragma once
// Which tokens a method sees.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "golden/tokenizer/tokenizer.h"

namespace mxref {

// CHOICE: one default for all methods (ptq/README.md has the published ones).
inline constexpr int64_t default_samples = 128, default_sample_length = 512;
// What decides which tokens these are, besides the tokenizer.
struct CalibrationDraw {
  std::string text_sha256;
  int64_t samples, length;
  uint64_t seed;
};
nlohmann::ordered_json to_json(const CalibrationDraw& draw);

struct Calibration {
  std::string label;  // of the text, as records show it
  std::string text_sha256;
  uint64_t seed = 0;
  int64_t length = 0;                         // tokens of each sample
  std::vector<std::vector<int64_t>> samples;  // disjoint windows of the text
  std::string asset = {};                     // the text's name where it is one, "" of a file
  int64_t tokens() const { return int64_t(samples.size()) * length; }
  CalibrationDraw draw() const { return {text_sha256, int64_t(samples.size()), length, seed}; }
};

// The text tokenized once and cut into windows of `length`; `count` of them are drawn by a
// permutation that the seed fixes (Philox), in its order. Throws InputError where the text has
// fewer.
Calibration draw_calibration(std::string_view text, const std::string& label,
                             const Tokenizer& tokenizer, int64_t count, int64_t length,
                             uint64_t seed);

// 0 … count-1 in an order that the seed fixes.
std::vector<int64_t> permutation(int64_t count, uint64_t seed);

}  // namespace mxref
