#include "ptq/calibration.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "emu/error.h"
#include "emu/files/sha256.h"
#include "emu/philox.h"

namespace mxref {

nlohmann::ordered_json to_json(const CalibrationDraw& draw) {
  return {{"text_sha256", draw.text_sha256},
          {"samples", draw.samples},
          {"length", draw.length},
          {"seed", draw.seed}};
}

std::vector<int64_t> permutation(int64_t count, uint64_t seed) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  // Sorted by random words; the index decides between equal ones.
  std::vector<uint32_t> keys(order.size());
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = philox::word(seed, i);
  std::ranges::stable_sort(order, {}, [&](int64_t i) { return keys[size_t(i)]; });
  return order;
}

Calibration draw_calibration(std::string_view text, const std::string& label,
                             const Tokenizer& tokenizer, int64_t count, int64_t length,
                             uint64_t seed) {
  const std::vector<int64_t> ids = tokenizer.encode(text);
  const int64_t windows = int64_t(ids.size()) / length;
  if (windows < count)
    throw InputError(label + ": has " + std::to_string(ids.size()) + " tokens, " +
                     std::to_string(windows) + " windows of " + std::to_string(length) +
                     "; expected " + std::to_string(count) +
                     " (a longer text, or less of --samples or --length)");
  Calibration result{label, sha256(text), seed, length, {}};
  const std::vector<int64_t> order = permutation(windows, seed);
  for (int64_t i = 0; i < count; ++i) {
    const auto begin = ids.begin() + order[size_t(i)] * length;
    result.samples.emplace_back(begin, begin + length);
  }
  return result;
}

}  // namespace mxref
