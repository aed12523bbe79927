#include "eval/tasks/run_task.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "emu/files/sha256.h"
#include "eval/report/result_rows.h"
#include "eval/tasks/choice_score.h"
#include "eval/tasks/item_file.h"
#include "eval/tasks/perplexity.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

void check_name(std::string_view name) {
  std::vector<std::string_view> valid{perplexity_name};
  for (const ChoiceTask& task : choice_tasks()) valid.push_back(task.name);
  if (std::find(valid.begin(), valid.end(), name) == valid.end())
    throw UsageError(unknown_name("task", name, valid));
}

void add(ordered_json& result, const PerplexityResult& r) {
  result.update({{"window", r.window},
                 {"tokens", r.tokens()},
                 {"nll", number_or_null(r.nll())},
                 {"nll_stderr", number_or_null(r.standard_error())},
                 {"ppl", number_or_null(r.perplexity())},
                 {"ppl_stderr", number_or_null(r.perplexity() * r.standard_error())},
                 {"nll_sums", r.nll_sums},
                 {"scored", r.scored}});
}

// The share of hits of a blind choice.
double chance_of(const ChoiceItems& items) {
  double sum = 0;
  for (const ChoiceItem& item : items.items) sum += 1 / double(item.requests.size());
  return sum / double(items.items.size());
}

// acc_norm is recorded for every task; the harness itself reports none for boolq and winogrande.
void add(ordered_json& result, const ChoiceTask& task, const ChoiceItems& items,
         const ChoiceResult& r) {
  const auto standard_error = [&](double share) {
    return number_or_null(share_standard_error(share, r.items()));
  };
  result.update({{"version", task.version},
                 {"form", items.form},
                 {"items", r.items()},
                 {"chance", chance_of(items)},
                 {"acc", r.acc()},
                 {"stderr", standard_error(r.acc())},
                 {"acc_norm", r.acc_norm()},
                 {"acc_norm_stderr", standard_error(r.acc_norm())},
                 {"chosen", r.chosen},
                 {"chosen_norm", r.chosen_norm},
                 {"gold", r.gold}});
}

}  // namespace

TaskSource parse_task(const std::string& text,
                      const std::function<TaskSource(const std::string&)>& find_default) {
  const size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  check_name(name);
  if (colon == std::string::npos) return find_default(name);
  if (colon + 1 == text.size()) throw UsageError("--task '" + text + "' names no file");
  return {name, text.substr(colon + 1), text.substr(colon + 1)};
}

LoadedTask::LoadedTask(const TaskSource& source, const TaskOptions& options,
                       const Tokenizer& tokenizer)
    : source_(source), options_(options), tokenizer_(&tokenizer) {
  if (source.name == perplexity_name) {
    windows_ = perplexity_windows(read_text(source.file), source.file.string(), tokenizer,
                                  options.window, options.limit);
  } else {
    if (tokenizer.closes_texts())
      throw InputError(
          "the tokenizer puts a token (EOS) behind every text, so also between context "
          "and continuation: it scores no choices; expected add_eos_token false");
    items_ = read_choice_items(choice_task(source.name), source.file.string(), options.limit);
  }
  sha256_ = sha256_of_file(source.file);
}

LoadedTask::LoadedTask(const TaskSource& source, std::vector<std::vector<int64_t>> windows,
                       int64_t limit)
    : source_(source), tokenizer_(nullptr), windows_(std::move(windows)) {
  if (limit > 0 && limit < int64_t(windows_.size())) windows_.resize(size_t(limit));
  options_.window = int64_t(windows_.front().size());
  if (options_.window < 2)
    throw InputError(source.file.string() + ": rows of " + std::to_string(options_.window) +
                     " tokens; perplexity needs at least 2");
  sha256_ = sha256_of_file(source.file);
}

int64_t LoadedTask::size() const {
  return int64_t(source_.name == perplexity_name ? windows_.size() : items_.items.size());
}

int64_t LoadedTask::tokens() const {
  int64_t count = 0;
  for (const auto& window : windows_) count += int64_t(window.size()) - 1;
  return count;
}

ordered_json LoadedTask::run(Scorer& scorer, const TaskProgress& progress) const {
  scorer.logits_sha256();  // of a task that ended before its time
  const auto start = std::chrono::steady_clock::now();
  ordered_json result = {{"task", source_.name}, {"file", source_.label}, {"file_sha256", sha256_}};
  if (source_.name == perplexity_name) {
    add(result, score_perplexity(windows_, options_.window, scorer, progress));
  } else {
    add(result, choice_task(source_.name), items_,
        score_choices(items_, *tokenizer_, scorer, progress));
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (const std::string digest = scorer.logits_sha256(); !digest.empty())
    result["logits_sha256"] = digest;
  result["seconds"] = seconds.count();
  return result;
}

}  // namespace mxref
