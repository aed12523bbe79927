#include "eval/cli/models/task_options.h"

#include <algorithm>

#include "eval/assets/assets.h"
#include "eval/cli/options.h"
#include "golden/models/noise.h"

namespace mxref {

void add_task_options(CLI::App& app, TaskArguments& arguments) {
  app.add_option("--task", arguments.tasks,
                 "perplexity:FILE (any text in UTF-8) or a choice task with its items: " +
                     names_of(choice_tasks()) + "; without a file those of the assets; repeatable")
      ->type_name("NAME[:FILE]")
      ->expected(1)
      ->take_all();
  arguments.window =
      add_number(app, "--window", arguments.options.window, int64_t(2), int64_t(1) << 20,
                 "tokens of a window of perplexity (default 1024)");
  add_number(app, "--limit", arguments.options.limit, int64_t(1), int64_t(1) << 40,
             "score so many windows or items (default all)");
}

void add_noise(CLI::App& app, int64_t& runs) {
  add_number(app, "--noise", runs, int64_t(0), most_noise_runs,
             "so many more runs of each task, " + std::string(noise_places) +
                 " perturbed by a relative 2^" + std::to_string(noise_log2) +
                 ": differences below the spread of a figure say nothing (default " +
                 std::to_string(runs) + ")");
}

TaskSource asset_source(const std::string& task, const std::string& asset,
                        const std::string& file) {
  return {task, asset_path(asset, file), asset + "/" + file, /*is_asset=*/true};
}

TaskSource default_source(const std::string& task) {
  if (task == "perplexity") return asset_source(task, "calibration", "wiki.utf8");
  return asset_source(task, "olmo-tasks", task + ".jsonl.gz");
}

std::vector<TaskSource> task_sources(const TaskArguments& arguments) {
  std::vector<TaskSource> sources;
  for (const std::string& text : arguments.tasks)
    sources.push_back(parse_task(text, default_source));
  if (arguments.window->count() > 0 &&
      std::ranges::none_of(sources, [](auto& source) { return source.name == perplexity_name; }))
    throw UsageError("--window cuts the text of --task perplexity, which is not asked for");
  return sources;
}

}  // namespace mxref
