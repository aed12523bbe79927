#pragma once
// What the results of `validate` amount to. Every number of the page that is not itself a result is
// computed here, and stands in the record under "summary".

#include <nlohmann/json_fwd.hpp>

namespace mxref {

// `results` as in the record of `validate` (each has "task"): crosscheck, control, cosim, fault,
// rtl_forward, perplexity, choice tasks, drift. The recipe "fp32" is the baseline of accuracy.
//
// → passed, verdict (a sentence), compared, different, controls, controls_caught, engines;
//   agreement: per implementation the counts on random and on model-made operands;
//   accuracy: per recipe the perplexity's ratio to the baseline, the mean accuracy over the choice
//   tasks and its recovery (percent of the baseline), each with its standard error over windows or
//   items, which are the same ones for every recipe, so that errors are those of the differences;
//   drift: per recipe the mean difference of nll between datapath and fake quantization.
nlohmann::ordered_json summarize(const nlohmann::ordered_json& results);

}  // namespace mxref
