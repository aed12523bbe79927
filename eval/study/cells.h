#pragma once
// The cells of a grid, and what they have in common.

#include <optional>
#include <string>
#include <vector>

#include "eval/study/grid.h"

namespace mxref {

struct Cell {
  std::string name;  // of its file: what it is in short, and the beginning of settings_sha256
  const GridModel* model;
  const GridMethod* method;  // null: nothing is quantized but what the recipe converts on line
  std::string recipe_name;   // "fp32" of the reference
  std::string scale_rule;    // of the grid; empty where it has none, or the recipe takes none
  std::string datapath;      // the same
  Recipe recipe;
  const GridCalibration* calibration;  // null where nothing looks at it
  std::optional<uint64_t> seed;        // of what its method draws; empty where it draws nothing
  bool is_reference;
  nlohmann::ordered_json settings;  // whatever decides its results
  std::string settings_sha256;
  // Cells of one key share the changed model, the quantized model; empty where there is none. They
  // are hashes of what decides these (ptq/method.h).
  std::string change_key, codes_key;

  std::string title() const;  // "smollm2 gptq w4a4 even fused", for progress
  // The cells that differ from this one in nothing but the method and what it looks at or draws.
  bool same_but_method(const Cell& other) const;
};

// In the order of the grid, first of each model its reference. Two cells of the same settings, such
// as those of a method that takes no calibration under two of them, are one.
std::vector<Cell> cells_of(const Grid& grid);

// The order of work: cells of a model stand together, within these those that share.
std::vector<size_t> work_order(const std::vector<Cell>& cells);

}  // namespace mxref
