#pragma once
// What every command that scores a model takes: --task, --window, --limit, --noise.

#include <string>
#include <vector>

#include "eval/cli/command.h"
#include "eval/tasks/noise_floor.h"
#include "eval/tasks/run_task.h"

namespace CLI {
class Option;
}

namespace mxref {

struct TaskArguments {
  std::vector<std::string> tasks;
  TaskOptions options;
  CLI::Option* window = nullptr;  // so that it can be seen whether it was given
};

void add_task_options(CLI::App& app, TaskArguments& arguments);
void add_noise(CLI::App& app, int64_t& runs);

// The file of a task that names none: choice tasks come from the asset `olmo-tasks`, perplexity
// from the Wikipedia text of the asset `calibration` (calibration itself takes its other texts).
// Throws InputError that names the command which fetches a missing asset.
TaskSource default_source(const std::string& task);
TaskSource asset_source(const std::string& task, const std::string& asset, const std::string& file);

// The tasks of the command line, each with its file. Throws UsageError on an unknown name, and on a
// window where no task has any.
std::vector<TaskSource> task_sources(const TaskArguments& arguments);

}  // namespace mxref
