#include <nlohmann/json.hpp>

#include "emu/crosscheck/crosscheck.h"
#include "eval/validate/caught_products.h"
#include "eval/validate/validate.h"

namespace mxref {

using nlohmann::ordered_json;

Results validate_agreement(const Subject& subject, const TaskProgress& progress) {
  CrosscheckOptions options;
  options.seed = subject.seed;
  options.progress = progress;
  for (const Recipe& recipe : subject.recipes) {
    if (!recipe.activations.conversion || !recipe.weights.conversion) continue;
    for (GivenProduct& product :
         catch_products(subject.checkpoint, recipe, subject.engines, subject.calibration))
      options.given.push_back(std::move(product));
  }
  const CrosscheckReport report = crosscheck(subject.engines, options);

  Results results;
  for (const CrosscheckRow& row : report.rows) {
    results.push_back({{"task", "crosscheck"},
                       {"implementation", row.implementation},
                       {"source", row.source},
                       {"format_a", row.format_a},
                       {"format_b", row.format_b},
                       {"datapath", row.datapath},
                       {"compared", row.compared},
                       {"mismatches", row.mismatches}});
    if (!row.refused.empty()) results.back()["refused"] = row.refused;
  }
  for (const CrosscheckControl& control : report.controls)
    results.push_back({{"task", "control"}, {"name", control.name}, {"caught", control.caught}});
  for (const std::string& failure : report.failures)
    results.push_back({{"task", "failure"}, {"text", failure}});
  return results;
}

}  // namespace mxref
