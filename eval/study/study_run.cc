#include "eval/study/study_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "eval/report/peak_memory.h"
#include "eval/report/progress.h"
#include "eval/report/record.h"
#include "eval/report/result_rows.h"
#include "eval/study/model_bench.h"
#include "eval/tasks/model_scorer.h"
#include "eval/tasks/noise_floor.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

fs::path record_file(const Cell& cell, const fs::path& folder) {
  return folder / "cells" / (cell.name + ".json");
}

// What a cell is about, of its record.
void set_facts(Record& record, const Grid& grid, const Cell& cell) {
  record.set_seed(grid.seed);
  record.set("model", {{"name", cell.model->name}, {"sha256", cell.model->sha256}});
  record.set("recipe", to_json(cell.recipe));
  record.set("settings", cell.settings);
  record.set("settings_sha256", cell.settings_sha256);
}

class Runner {
 public:
  Runner(const Grid& grid, const GridSources& sources, const fs::path& folder)
      : grid_(grid), sources_(sources), folder_(folder) {}

  // Computes a cell, writes its record → the record. `title` begins its lines.
  ordered_json run(ModelBench& bench, const Cell& cell, const std::vector<const Cell*>& later,
                   const std::string& title) {
    Record record("study");
    set_facts(record, grid_, cell);
    reset_peak_memory();
    std::string outcome;
    try {
      outcome = compute(bench, cell, later, record);
    } catch (const std::bad_alloc&) {
      record.set("error", "not enough memory");
      outcome = "failed: not enough memory";
    } catch (const std::exception& e) {
      record.set("error", printable(e.what()));
      outcome = "failed: " + printable(e.what());
    }
    record.set("peak_memory_bytes", peak_memory_bytes());
    const std::string text = record.text();
    write_atomically(record_file(cell, folder_), text);
    stages_.end();
    progress_line(fmt::format("{}: {}", title, outcome));
    return ordered_json::parse(text);
  }

 private:
  // → what the line says of it.
  std::string compute(ModelBench& bench, const Cell& cell, const std::vector<const Cell*>& later,
                      Record& record) {
    const auto start = Clock::now();
    ordered_json parts = ordered_json::object();
    const Checkpoint& model = bench.prepare(
        cell, later,
        [&](std::string_view stage, int64_t done, int64_t total, const std::string& note) {
          stages_.update(stage, done, total, note);
        },
        parts);
    stages_.end();
    for (const auto& [key, value] : parts.items()) record.set(key, value);
    const double prepared = seconds_since(start);
    const auto language = load_model(model, cell.recipe, sources_.engines);
    ModelScorer scorer(*language);
    std::string figures;
    for (size_t t = 0; t < bench.tasks().size(); ++t) {
      const LoadedTask& task = bench.tasks()[t];
      Progress bar(grid_.tasks[t].name, task.size());
      ordered_json result =
          run_with_noise(task, scorer, {.runs = grid_.noise, .seed = grid_.seed},
                         [&](int64_t done, int64_t total) { bar.update(done, total); });
      bar.clear();
      const char* metric = result.contains("nll") ? "nll" : "acc";
      figures +=
          fmt::format(", {} {} {:.4f}", grid_.tasks[t].name, metric, number_or_nan(result[metric]));
      record.add(std::move(result));
    }
    record.set("parameters", language->parameters());
    record.set("seconds", {{"quantize", prepared}, {"all", seconds_since(start)}});
    return fmt::format("{:.1f} s{}", seconds_since(start), figures);
  }

  const Grid& grid_;
  const GridSources& sources_;
  const fs::path& folder_;
  StageBars stages_;
};

// Those of the cells at `order` from `next` on that are still to come, of one model.
std::vector<const Cell*> still_to_come(const std::vector<Cell>& cells,
                                       const std::vector<size_t>& order, size_t next,
                                       const std::vector<ordered_json>& records) {
  std::vector<const Cell*> later;
  for (size_t i = next; i < order.size(); ++i)
    if (records[order[i]].is_null() && cells[order[i]].model == cells[order[next - 1]].model)
      later.push_back(&cells[order[i]]);
  return later;
}

bool is_done(const ordered_json& record) { return !record.is_null() && !record.contains("error"); }

// What was learned for a cell, once every cell that it is for is done.
void remove_learned(const Cell& cell, const std::vector<Cell>& cells,
                    const std::vector<ordered_json>& records, const fs::path& folder) {
  if (!cell.method) return;
  for (const auto key : {&Cell::change_key, &Cell::codes_key}) {
    bool needed = false;
    for (size_t i = 0; i < cells.size(); ++i)
      needed = needed || (cells[i].*key == cell.*key && !is_done(records[i]));
    std::error_code absent;
    if (!needed) fs::remove_all(state_folder(folder / "learned", cell.*key), absent);
  }
}

// What does not fit the model is the grid's fault, not the command line's.
std::unique_ptr<ModelBench> bench_of(const Grid& grid, const GridModel& model,
                                     const GridSources& sources, const fs::path& folder) {
  try {
    return std::make_unique<ModelBench>(grid, model, sources, folder / "learned");
  } catch (const UsageError& e) {
    throw InputError(model.name + ": " + e.what());
  } catch (const InputError& e) {
    throw InputError(model.name + ": " + e.what());
  }
}

}  // namespace

std::vector<ordered_json> finished_records(const std::vector<Cell>& cells, size_t tasks,
                                           const fs::path& folder) {
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < cells.size(); ++i) places[cells[i].settings_sha256] = i;
  std::vector<ordered_json> records(cells.size());
  std::error_code absent;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder / "cells", absent))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    ordered_json record = ordered_json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
    if (!record.is_object() || !record["settings_sha256"].is_string()) continue;
    const auto place = places.find(record["settings_sha256"]);
    if (place == places.end()) continue;
    const bool done = is_done(record) && record["results"].size() == tasks;
    const fs::path own = record_file(cells[place->second], folder);
    if (file != own && (done || !fs::exists(own))) fs::rename(file, own);
    if (done) records[place->second] = std::move(record);
  }
  return records;
}

std::vector<ordered_json> run_cells(const Grid& grid, const std::vector<Cell>& cells,
                                    std::vector<ordered_json> records, const GridSources& sources,
                                    const fs::path& folder) {
  // Of the models that have something to do: before any of it is done, so that bad files show.
  std::map<const GridModel*, std::unique_ptr<ModelBench>> benches;
  for (size_t i = 0; i < cells.size(); ++i)
    if (auto& bench = benches[cells[i].model]; records[i].is_null() && !bench)
      bench = bench_of(grid, *cells[i].model, sources, folder);
  fs::create_directories(folder / "cells");
  fs::create_directories(folder / "learned");
  Runner runner(grid, sources, folder);
  const std::vector<size_t> order = work_order(cells);
  for (size_t place = 0; place < order.size(); ++place) {
    const Cell& cell = cells[order[place]];
    if (records[order[place]].is_null()) {
      const std::string title =
          fmt::format("cell {} of {}: {}", place + 1, cells.size(), cell.title());
      progress_line(title);
      const auto later = still_to_come(cells, order, place + 1, records);
      ModelBench& bench = *benches.at(cell.model);
      records[order[place]] = runner.run(bench, cell, later, title);
      if (later.empty()) bench.release();
    }
    remove_learned(cell, cells, records, folder);
  }
  std::error_code not_empty;
  fs::remove(folder / "learned", not_empty);
  return records;
}

}  // namespace mxref
