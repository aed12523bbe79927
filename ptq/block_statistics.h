#pragma once
// Why a method helps, or does not: how blocks look before and after its change of the model.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>

#include "emu/block.h"
#include "golden/recipe.h"
#include "ptq/calibration.h"
#include "ptq/model.h"

namespace mxref {

struct BlockFigures {
  double kurtosis;  // E (x-µ)⁴ / σ⁴ of all elements: 3 where they are normal, large where few stand
                    // out
  double crest;  // largest magnitude over root mean square of a block of 32, mean over blocks
  double error;  // |x - Q(x)|² / |x|² of a conversion's block, mean over blocks; NaN without one
};

// Of the rows of one tensor, which may come in parts. Blocks of zeros, of which nothing can be
// said, are left out; figures are NaN where nothing remains.
class BlockStatistics {
 public:
  explicit BlockStatistics(const std::optional<Conversion>& conversion) : conversion_(conversion) {}
  // x (M,K)
  void add(std::span<const float> x, int64_t K);
  BlockFigures figures() const;

 private:
  std::optional<Conversion> conversion_;
  double count_ = 0, power_[5] = {};  // Σ x^i, i = 1 … 4
  double blocks_ = 0, crest_ = 0, converted_ = 0, error_ = 0;
};

// {"inputs": rows of places ("q, k, v"), "weights": rows of linear layers ("q")}, a row {"place",
// "kurtosis", "kurtosis_largest", "crest", "error"}: means over the layers, and the largest of
// them. Inputs are those of the model in binary32 on the first `samples` of the calibration;
// conversions those of the recipe ("error" is null where a side has none).
nlohmann::ordered_json block_statistics(const PtqModel& model, const Calibration& calibration,
                                        int64_t samples, const Recipe& recipe);

}  // namespace mxref
