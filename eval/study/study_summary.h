#pragma once
// What the rows of a study say together.

#include <nlohmann/json.hpp>

namespace mxref {

// "resolution", how small a difference the data could show: for each model, recipe and comparison a
// row {"model", "recipe", "task" (null: all choice tasks), "metric" (nll, acc or recovery), "of"
// (difference, against_rtn or recovery), "observations", "cells", "half_width" and "detectable"
// {"least", "most"} over the cells, "words"}: a true difference of "detectable" is told from none
// with the power of bootstrap.h. And counts "cells", "failed".
nlohmann::ordered_json study_summary(const nlohmann::ordered_json& rows);

// For each set of cells that differ in their seed alone {"model", "method", "recipe", "scale_rule",
// "datapath", "calibration", "seeds", "cells", "scores": rows {"task", "metric", and of "value",
// "ppl", "difference", "against_rtn" those that there are}, "accuracy", "recovery"}, each figure as
// {"least", "most", "mean", "sd" (of a sample)} over the seeds.
nlohmann::ordered_json study_replicates(const nlohmann::ordered_json& rows);

}  // namespace mxref
