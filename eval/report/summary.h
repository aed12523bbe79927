#pragma once
// What the results of `validate` amount to. Every number of the page that is not itself a result is
// computed here, and stands in the record under "summary".

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

namespace mxref {

// `results` as in the record of `validate` (each has "task"): crosscheck, control, cosim, fault,
// rtl_forward, perplexity, choice tasks, drift. The recipe "fp32" is the baseline of accuracy.
//
// → passed, verdict (a sentence), compared, different, controls, controls_caught, faults;
//   passed: results of the engines, of lock-step and of the model on the RTL were compared, this
//   with every linear layer, none differs, and every control and fault was caught;
//   agreement: per implementation the counts on random and on model-made operands;
//   accuracy: per recipe the perplexity's ratio to the baseline, the mean accuracy over the choice
//   tasks and its recovery (percent of the baseline), each with its standard error over windows or
//   items, which are the same ones for every recipe, so that errors are those of the differences,
//   and where the rows have noise, its spread over the runs, those of a seed paired;
//   drift: per recipe the mean difference of nll between datapath and fake quantization, and where
//   the rows have noise, that of the datapath's nll;
//   thresholds: where the paper's words for a loss of accuracy end.
// What is no result at all, such as a perplexity of more than binary64 holds, is null.
nlohmann::ordered_json summarize(const nlohmann::ordered_json& results);

// What results count: a failed assertion is a difference, a planted fault a control; of the
// definition run again only what differs.
struct Counts {
  int64_t compared = 0, different = 0, controls = 0, caught = 0;
};
Counts count(const nlohmann::ordered_json& results);

}  // namespace mxref
