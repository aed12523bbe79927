#pragma once
// Runs the cells of a grid; each has its record in DIR/cells as soon as it is done.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eval/study/cells.h"

namespace mxref {

// The records of all cells, in their order. A record of the same settings that is there already,
// and is of no failure, stays as it is. A cell that fails has "error" in its record; the rest goes
// on. Progress goes to standard error. Throws InputError and UsageError for what concerns more than
// one cell: a model's tokenizer, a task's file, a folder that cannot be written.
std::vector<nlohmann::ordered_json> run_cells(const Grid& grid, const std::vector<Cell>& cells,
                                              const GridSources& sources,
                                              const std::filesystem::path& folder);

// The record of a finished cell; null where there is none of these settings.
nlohmann::ordered_json finished_record(const Cell& cell, const std::filesystem::path& folder);

}  // namespace mxref
