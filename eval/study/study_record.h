#pragma once
// What a study amounts to: its record, made of those of its cells.

#include <nlohmann/json.hpp>
#include <vector>

#include "eval/study/cells.h"

namespace mxref {

// "results": a row for each cell: "model", "method" (null: none), "recipe", "scale_rule",
// "datapath", "calibration", "seed", and "scores", a row for each task: "task", "metric" (nll or
// acc), "value", "noise" (of the value, where the grid has it), "observations" (windows or items),
// "difference" to fp32 and "against_rtn", the same recipe's RTN, both with their interval {"value",
// "low", "high", "distinguishable": whether it leaves out zero; "draws_left_out" where there are};
// "accuracy", the mean of acc over the tasks, and "recovery", its ratio to that of fp32, likewise
// (its "distinguishable": whether it leaves out 1); "statistics" as the cell has them; "error" of a
// cell that failed. `area`: rtl_models/synth/area.json or null; where the grid has several
// datapaths a row has "area_um2" of one element of the array with its formats and datapath.
nlohmann::ordered_json study_rows(const Grid& grid, const std::vector<Cell>& cells,
                                  const std::vector<nlohmann::ordered_json>& records,
                                  const nlohmann::ordered_json& area);

// The whole of DIR/study.json: the same bytes for the same records of cells, on one machine.
nlohmann::ordered_json study_record(const Grid& grid, const std::vector<Cell>& cells,
                                    const std::vector<nlohmann::ordered_json>& records,
                                    const nlohmann::ordered_json& area);

}  // namespace mxref
