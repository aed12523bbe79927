#include <algorithm>

#include "emu/crosscheck/crosscheck.h"
#include "eval/report/crosscheck_results.h"
#include "eval/validate/caught_products.h"
#include "eval/validate/validate.h"

namespace mxref {

Results validate_agreement(const Subject& subject, const TaskProgress& progress) {
  CrosscheckOptions options{.level = 2};
  options.seed = subject.seed;
  options.progress = progress;
  const auto add = [](auto& rows, const auto* row) {
    if (std::ranges::find(rows, row) == rows.end()) rows.push_back(row);
  };
  for (const Recipe& recipe : subject.recipes) {
    if (!has_datapath(recipe)) continue;
    add(options.formats, recipe.weights.conversion->format);
    add(options.formats, recipe.activations.conversion->format);
    add(options.datapaths, &datapath(recipe.datapath));
    for (GivenProduct& product :
         catch_products(subject.checkpoint, recipe, subject.engines, subject.calibration))
      options.given.push_back(std::move(product));
  }
  const CrosscheckReport report = crosscheck(subject.engines, options);

  Results results = crosscheck_results(report);
  for (const std::string& failure : report.failures)
    results.push_back({{"task", "failure"}, {"text", failure}});
  return results;
}

}  // namespace mxref
