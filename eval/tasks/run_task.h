#pragma once
// A task by its name, run on a model: one of "results" of a record.

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "eval/tasks/choice_tasks.h"
#include "eval/tasks/scorer.h"
#include "golden/tokenizer/tokenizer.h"

namespace mxref {

inline constexpr const char* perplexity_name = "perplexity";

// "NAME:FILE", or "NAME" alone, whose file `find_default` then finds (in the assets).
struct TaskSource {
  std::string name;
  std::filesystem::path file;
  std::string label;  // "file" in the record: the file as it was given, or its place in the asset
  bool is_asset = false;  // its file is one of an asset, which nobody named
};
// Throws UsageError on an unknown name; what `find_default` throws.
TaskSource parse_task(const std::string& text,
                      const std::function<TaskSource(const std::string&)>& find_default);

struct TaskOptions {
  int64_t window = 1024;  // of perplexity, tokens
  int64_t limit = 0;      // windows or items; 0: all
};

// The tokens or items of a task, read once for several models.
class LoadedTask {
 public:
  // Throws InputError, UsageError.
  LoadedTask(const TaskSource& source, const TaskOptions& options, const Tokenizer& tokenizer);
  // Perplexity of windows of token ids, all of one length, which no tokenizer made; `limit` (0:
  // all) of them. Throws InputError where they are shorter than two tokens.
  LoadedTask(const TaskSource& source, std::vector<std::vector<int64_t>> windows, int64_t limit);
  // The result of DESIGN.md, "Records", seconds included.
  nlohmann::ordered_json run(Scorer& scorer, const TaskProgress& progress) const;
  const std::string& name() const { return source_.name; }
  int64_t size() const;    // windows or items
  int64_t tokens() const;  // scored of a text; 0 for a choice task

 private:
  TaskSource source_;
  TaskOptions options_;
  const Tokenizer* tokenizer_;  // null where the tokens were given
  std::string sha256_;
  std::vector<std::vector<int64_t>> windows_;
  ChoiceItems items_;
};

}  // namespace mxref
