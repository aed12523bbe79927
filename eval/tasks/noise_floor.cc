#include "eval/tasks/noise_floor.h"

#include <nlohmann/json.hpp>

#include "eval/report/result_rows.h"
#include "eval/tasks/standard_deviation.h"
#include "golden/models/noise.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

constexpr const char* metrics[] = {"nll", "ppl", "acc", "acc_norm"};

// However a run ends, the next one has no noise.
struct NoiseEnds {
  Scorer& scorer;
  ~NoiseEnds() { scorer.perturb(std::nullopt); }
};

// The spread of a metric; null where a run has no number.
ordered_json spread_of(const char* metric, const ordered_json& result,
                       const std::vector<ordered_json>& runs) {
  ordered_json values = ordered_json::array();
  std::vector<double> all{number_or_nan(result[metric])};
  for (const ordered_json& run : runs) {
    values.push_back(run[metric]);
    all.push_back(number_or_nan(run[metric]));
  }
  return {{"values", values}, {"sd", number_or_null(standard_deviation(all))}};
}

}  // namespace

ordered_json run_with_noise(const LoadedTask& task, Scorer& scorer, const NoiseRuns& noise,
                            const TaskProgress& progress) {
  const int64_t total = task.size() * (1 + noise.runs);
  const auto run = [&](int64_t number) {
    return task.run(scorer, [&](int64_t done, int64_t) {
      if (progress) progress(number * task.size() + done, total);
    });
  };
  ordered_json result = run(0);
  if (noise.runs == 0) return result;

  std::vector<ordered_json> runs;
  const NoiseEnds ends{scorer};
  for (int64_t r = 1; r <= noise.runs; ++r) {
    scorer.perturb(noise.seed + uint64_t(r - 1));
    runs.push_back(run(r));
  }
  ordered_json spreads = {{"runs", noise.runs},
                          {"seed", noise.seed},
                          {"relative", "2^" + std::to_string(noise_log2)},
                          {"places", noise_places}};
  for (const char* metric : metrics)
    if (result.contains(metric)) spreads[metric] = spread_of(metric, result, runs);
  result["noise"] = std::move(spreads);
  return result;
}

}  // namespace mxref
