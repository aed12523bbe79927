#include "eval/report/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>

#include "eval/report/engine_words.h"
#include "eval/report/html.h"
#include "eval/report/published.h"
#include "eval/report/result_rows.h"
#include "eval/tasks/error_of_sum.h"
#include "eval/tasks/standard_deviation.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;
using Numbers = std::vector<double>;

ordered_json agreement(const ordered_json& results) {
  ordered_json table = ordered_json::array();
  for (const ordered_json& row : rows_of(results, "crosscheck")) {
    if (row["compared"] == 0) continue;
    auto found = std::find_if(table.begin(), table.end(), [&](const ordered_json& line) {
      return line["implementation"] == row["implementation"];
    });
    if (found == table.end()) {
      table.push_back({{"implementation", row["implementation"]},
                       {"random", int64_t(0)},
                       {"model", int64_t(0)},
                       {"mismatches", int64_t(0)}});
      found = table.end() - 1;
    }
    const char* kind = row["source"] == "random" ? "random" : "model";
    (*found)[kind] = (*found)[kind].get<int64_t>() + row["compared"].get<int64_t>();
    (*found)["mismatches"] =
        (*found)["mismatches"].get<int64_t>() + row["mismatches"].get<int64_t>();
  }
  return table;
}

// One choice task of one recipe: a hit (1 or 0) for each item.
Numbers hits(const ordered_json& row) {
  Numbers result;
  for (size_t i = 0; i < row["gold"].size(); ++i)
    result.push_back(row["chosen"][i] == row["gold"][i] ? 1 : 0);
  return result;
}

bool have_noise(const ResultRows& rows) {
  return std::ranges::all_of(rows, [](const ordered_json& row) { return row.contains("noise"); });
}

// A metric in each run of a result that has noise, the unperturbed one first.
Numbers runs_of(const ordered_json& row, const char* metric) {
  Numbers runs{number_or_nan(row[metric])};
  for (const ordered_json& value : row["noise"][metric]["values"])
    runs.push_back(number_or_nan(value));
  return runs;
}

// The mean accuracy over tasks in each run.
Numbers mean_accuracies(const ResultRows& tasks) {
  Numbers means(runs_of(tasks[0], "acc").size());
  for (const ordered_json& task : tasks) {
    const Numbers runs = runs_of(task, "acc");
    for (size_t r = 0; r < means.size(); ++r) means[r] += runs[r] / double(tasks.size());
  }
  return means;
}

std::string_view word_of(double recovery_percent) {
  const double drop = 100 - recovery_percent;
  return drop <= lossless_drop_percent ? "lossless" : drop < risky_drop_percent ? "fair" : "risky";
}

// One word, or two where one standard error reaches over their border; none where nothing can be
// said, as of a baseline without a hit. One item has no error.
std::string words_of(double recovery_percent, double error) {
  if (!std::isfinite(recovery_percent)) return "";
  if (!std::isfinite(error)) error = 0;
  const std::string_view best = word_of(recovery_percent + error);
  const std::string_view worst = word_of(recovery_percent - error);
  return best == worst ? std::string(best) : fmt::format("{} to {}", best, worst);
}

// Mean accuracy over the tasks of a recipe, and its share of the baseline's. The error of a ratio R
// of means is that of the mean of (hit - R · baseline hit).
ordered_json recovery(const ResultRows& own, const ResultRows& base) {
  double mean = 0, base_mean = 0;
  const double tasks = double(own.size());
  for (size_t t = 0; t < own.size(); ++t) {
    mean += own[t]["acc"].get<double>() / tasks;
    base_mean += base[t]["acc"].get<double>() / tasks;
  }
  const double ratio = mean / base_mean;
  double variance = 0;
  for (size_t t = 0; t < own.size(); ++t) {
    Numbers differences = hits(own[t]);
    const Numbers of_base = hits(base[t]);
    for (size_t i = 0; i < differences.size(); ++i) differences[i] -= ratio * of_base[i];
    variance += std::pow(error_of_sum(differences) / double(differences.size()) / tasks, 2);
  }
  ordered_json line = {{"acc_mean", mean},
                       {"recovery_percent", number_or_null(100 * ratio)},
                       {"recovery_stderr", number_or_null(100 * std::sqrt(variance) / base_mean)},
                       {"class", words_of(100 * ratio, 100 * std::sqrt(variance) / base_mean)}};
  if (have_noise(own) && have_noise(base)) {
    Numbers ratios = mean_accuracies(own);
    const Numbers of_base = mean_accuracies(base);
    for (size_t r = 0; r < ratios.size(); ++r) ratios[r] = 100 * (ratios[r] / of_base[r]);
    line["recovery_noise"] = number_or_null(standard_deviation(ratios));
  }
  return line;
}

// exp of the mean difference of nll, windows paired.
ordered_json perplexity_ratio(const ordered_json& own, const ordered_json& base) {
  const double tokens = own["tokens"].get<double>();
  Numbers differences;
  double sum = 0;
  for (size_t i = 0; i < own["nll_sums"].size(); ++i) {
    differences.push_back(own["nll_sums"][i].get<double>() - base["nll_sums"][i].get<double>());
    sum += differences.back();
  }
  const double ratio = std::exp(sum / tokens);
  ordered_json line = {
      {"ppl_ratio", number_or_null(ratio)},
      {"ppl_ratio_stderr", number_or_null(ratio * error_of_sum(differences) / tokens)}};
  if (have_noise({own, base})) {
    Numbers ratios = runs_of(own, "nll");
    const Numbers of_base = runs_of(base, "nll");
    for (size_t r = 0; r < ratios.size(); ++r) ratios[r] = std::exp(ratios[r] - of_base[r]);
    line["ppl_ratio_noise"] = number_or_null(standard_deviation(ratios));
  }
  return line;
}

ordered_json accuracy(const ordered_json& results) {
  ordered_json table = ordered_json::array();
  const auto texts = rows_of(results, "perplexity");
  const auto base = std::find_if(texts.begin(), texts.end(),
                                 [](const ordered_json& row) { return row["recipe"] == "fp32"; });
  if (base == texts.end()) return table;
  for (const ordered_json& row : texts) {
    ordered_json line = {{"recipe", row["recipe"]}};
    line.update(perplexity_ratio(row, *base));
    const auto choices = choices_of(results, row["recipe"]);
    if (!choices.empty()) line.update(recovery(choices, choices_of(results, "fp32")));
    table.push_back(line);
  }
  return table;
}

ordered_json drift(const ordered_json& results) {
  ordered_json table = ordered_json::array();
  for (const ordered_json& row : rows_of(results, "drift")) {
    Numbers differences;
    double sum = 0, tokens = 0, largest = 0;
    for (size_t i = 0; i < row["difference"].size(); ++i) {
      const double scored = row["scored"][i].get<double>();
      const double difference = row["difference"][i].get<double>();  // per token
      differences.push_back(difference * scored);
      sum += difference * scored;
      tokens += scored;
      largest = std::max(largest, std::abs(difference));
    }
    table.push_back({{"recipe", row["recipe"]},
                     {"mean", sum / tokens},
                     {"stderr", number_or_null(error_of_sum(differences) / tokens)},
                     {"largest_of_a_window", largest},
                     {"windows", differences.size()}});
    // The noise of one of the two that differ: of the difference it is a lower bound.
    for (const ordered_json& own : rows_of(results, "perplexity"))
      if (own["recipe"] == row["recipe"] && own.contains("noise"))
        table.back()["noise"] = own["noise"]["nll"]["sd"];
  }
  return table;
}

// Why the results prove nothing yet; empty where they do.
std::string what_is_missing(const ordered_json& results, const Counts& counts) {
  for (const auto& [task, words] : {std::pair{"crosscheck", "no engine was compared"},
                                    std::pair{"cosim", "nothing ran in lock-step"},
                                    std::pair{"rtl_forward", "no model ran on the RTL"}})
    if (count(rows_of(results, task)).compared == 0) return words;
  for (const ordered_json& row : rows_of(results, "rtl_forward"))
    if (!row["complete"].get<bool>()) return "the RTL did not compute every linear layer";
  if (counts.controls == 0) return "there was no control";
  if (counts.caught < counts.controls) return "a control was not caught";
  return "";
}

std::string verdict(const ordered_json& agreement, const Counts& counts,
                    const std::string& missing) {
  std::vector<std::string_view> who;
  for (const EngineWords& engine : engine_words)
    for (const ordered_json& row : agreement)
      if (row["implementation"] == engine.implementation && !engine.in_verdict.empty())
        who.push_back(engine.in_verdict);
  std::string names;
  for (size_t i = 0; i < who.size(); ++i)
    names += (i == 0 ? "" : i + 1 == who.size() ? " and " : ", ") + std::string(who[i]);
  if (names.empty()) names = "the engines";
  std::string sentence = counts.different > 0 ? names + " do not compute the same bits"
                         : missing.empty()
                             ? names + " compute the same bits"
                             : "nothing is shown of " + names + ", because " + missing;
  sentence[0] = char(std::toupper(sentence[0]));
  return fmt::format("{}: {} results compared, {} different; {} of {} controls caught.", sentence,
                     grouped(counts.compared), grouped(counts.different), counts.caught,
                     counts.controls);
}

}  // namespace

Counts count(const ordered_json& results) {
  Counts counts;
  for (const ordered_json& row : results) {
    if (row.contains("compared")) {
      // That the definition, run again, meets itself counts for nothing.
      if (row.value("implementation", "") != definition)
        counts.compared += row["compared"].get<int64_t>();
      counts.different +=
          row["mismatches"].get<int64_t>() + row.value("assertions_failed", int64_t(0));
    }
    if (row.contains("caught")) {
      counts.controls++;
      counts.caught += row["caught"].get<bool>();
    }
  }
  return counts;
}

ordered_json summarize(const ordered_json& results) {
  const Counts counts = count(results);
  const ordered_json engines = agreement(results);
  const std::string missing = what_is_missing(results, counts);
  return {{"passed", counts.different == 0 && missing.empty()},
          {"verdict", verdict(engines, counts, missing)},
          {"compared", counts.compared},
          {"different", counts.different},
          {"controls", counts.controls},
          {"controls_caught", counts.caught},
          {"faults", rows_of(results, "fault").size()},
          {"agreement", engines},
          {"accuracy", accuracy(results)},
          {"drift", drift(results)},
          {"thresholds",
           {{"lossless_drop_percent", lossless_drop_percent},
            {"risky_drop_percent", risky_drop_percent}}}};
}

}  // namespace mxref
