#pragma once
// The noise floor of a task's result: the spread of its metrics where the model is perturbed as a
// last rounding might perturb it (golden/models/noise.h). A difference below it says nothing about
// what was compared.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "eval/tasks/run_task.h"
#include "eval/tasks/scorer.h"

namespace mxref {

inline constexpr int64_t most_noise_runs = 1000;

struct NoiseRuns {
  int64_t runs = 0;   // 0: no noise
  uint64_t seed = 0;  // run r = 1, 2, … is drawn by seed + r - 1, modulo 2^64
};

// What task.run() gives, and where noise is asked for, its "noise": {"runs", "seed", "relative",
// "places"}, and for each metric of the result {"values": those of the runs, "sd": the sample
// standard deviation of these and the unperturbed one}. Progress counts the units of all runs.
nlohmann::ordered_json run_with_noise(const LoadedTask& task, Scorer& scorer,
                                      const NoiseRuns& noise, const TaskProgress& progress);

}  // namespace mxref
