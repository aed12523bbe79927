#pragma once
// The multiple-choice benchmarks as rows. Requests and metrics are those of lm-evaluation-harness;
// `version` is its version of the task. Another benchmark is another row in choice_tasks.cc.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mxref {

// One shape that the items of a task come in. `contexts` and `choices` are templates
// (item_template.h) that give one text for each choice, or one context for all. The request of a
// choice is its context and " " + its text.
struct ItemForm {
  std::string_view name;                 // "form" in the record
  std::vector<std::string_view> fields;  // an item that has all of them is of this form
  std::vector<std::string_view> contexts, choices;
  std::string_view gold;                      // path of the right answer
  std::vector<std::string_view> gold_labels;  // what it may be, in the order of the choices; a path
                                              // "a.b[]" of such labels; or empty: the index itself
  std::string (*tidy)(const std::string&) = nullptr;  // applied to contexts and choices
};

struct ChoiceTask {
  std::string_view name, version;
  std::vector<ItemForm> forms;
};

std::span<const ChoiceTask> choice_tasks();
// Throws UsageError on an unknown name.
const ChoiceTask& choice_task(std::string_view name);

// One choice of an item: how likely is `continuation` after `context`?
struct ChoiceRequest {
  std::string context, continuation;
  int64_t characters;  // of the choice, without the space in front: the divisor of acc_norm
};
struct ChoiceItem {
  std::vector<ChoiceRequest> requests;
  int64_t gold = 0;
};

struct ChoiceItems {
  std::string form;
  std::vector<ChoiceItem> items;
};

// The items of FILE.jsonl or FILE.jsonl.gz, at most `limit` (0: all). Labels stand in the item or,
// one a line, in FILE-labels.lst beside it. A file of requests (one line a choice, of `olmo-tasks`)
// keeps its own request strings. Throws InputError with file, line, field and the expected form.
ChoiceItems read_choice_items(const ChoiceTask& task, const std::string& file, int64_t limit);

}  // namespace mxref
