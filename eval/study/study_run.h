#pragma once
// Runs the cells of a grid; each has its record in DIR/cells as soon as it is done.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eval/study/cells.h"

namespace mxref {

// Of each cell the record in DIR/cells with the hash of its settings and a result for each of its
// `tasks`, of no failure; null where there is none. What models, methods and tasks are called is in
// no hash: a file that was written under another name gets its
// cell's.
std::vector<nlohmann::ordered_json> finished_records(const std::vector<Cell>& cells, size_t tasks,
                                                     const std::filesystem::path& folder);

// The records of all cells: `finished`, and those that are still to be done. A cell that fails has
// "error" in its record; the rest goes on. Progress goes to standard error. Throws InputError and
// UsageError for what concerns more than one cell: a model's tokenizer, a task's file, a folder
// that cannot be written.
std::vector<nlohmann::ordered_json> run_cells(const Grid& grid, const std::vector<Cell>& cells,
                                              std::vector<nlohmann::ordered_json> finished,
                                              const GridSources& sources,
                                              const std::filesystem::path& folder);

}  // namespace mxref
