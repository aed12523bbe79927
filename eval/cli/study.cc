// mxref study: a grid of models, methods, recipes, datapaths and tasks, resumable.

#include <fmt/format.h>

#include <cmath>

#include "emu/files/atomic_file.h"
#include "emu/files/sha256.h"
#include "eval/assets/assets.h"
#include "eval/cli/command.h"
#include "eval/cli/models/calibration_text.h"
#include "eval/cli/models/model_options.h"
#include "eval/cli/models/task_options.h"
#include "eval/cli/options.h"
#include "eval/cli/output_paths.h"
#include "eval/data_folder.h"
#include "eval/report/gnuplot.h"
#include "eval/study/study_page.h"
#include "eval/study/study_record.h"
#include "eval/study/study_run.h"
#include "eval/study/study_tables.h"
#include "eval/study/study_text.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

struct StudySettings {
  std::string grid;
  fs::path out;
  bool resume = false;
};

GridSources sources_with(const EngineTable& engines) {
  return {.model_path = model_path,
          .default_task = default_source,
          .calibration_text =
              [](const std::string& source) {
                CalibrationText text = read_calibration_text(source);
                return StudyText{std::move(text.label), std::move(text.text)};
              },
          .engines = engines};
}

// The table of areas that comes with the program; null where it does not.
ordered_json areas() {
  try {
    return ordered_json::parse(read_file(data_file("rtl_models/synth/area.json")));
  } catch (const std::exception&) {
    return nullptr;
  }
}

void print_table(const StudyTable& table) {
  std::vector<size_t> widths;
  const auto width = [](const std::string& text) {  // characters of UTF-8
    return size_t(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
  };
  for (const StudyColumn& column : table.columns) widths.push_back(width(column.title));
  for (const auto& row : table.rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  const auto print = [&](size_t i, const std::string& text) {
    const std::string room(widths[i] - width(text), ' ');
    fmt::print("{}{}", i ? "  " : "", table.columns[i].number ? room + text : text + room);
  };
  fmt::print("\n{}\n", table.caption);
  for (size_t i = 0; i < table.columns.size(); ++i) print(i, table.columns[i].title);
  fmt::print("\n");
  for (const auto& row : table.rows) {
    for (size_t i = 0; i < row.size(); ++i) print(i, row[i]);
    fmt::print("\n");
  }
}

// → the failed cells' names and errors.
std::vector<std::string> failures_of(const ordered_json& record) {
  std::vector<std::string> failures;
  for (const ordered_json& row : record["results"])
    if (row.contains("error"))
      failures.push_back(row["cell"].get<std::string>() + ": " + row["error"].get<std::string>());
  return failures;
}

int study_command(const StudySettings& o, const EngineTable& engines) {
  const Grid grid = read_grid(o.grid, sources_with(engines));
  const std::vector<Cell> cells = cells_of(grid);
  require_plots();
  const OutputFolder folder(o.out);
  if (!o.resume && !fs::is_empty(o.out))
    throw UsageError("--out '" + o.out.string() +
                     "' is not empty; --resume goes on with it, else expected another folder");
  require_writable(o.out / "study.json");
  std::vector<ordered_json> records = finished_records(cells, grid.tasks.size(), o.out);
  const auto before =
      std::ranges::count_if(records, [](const ordered_json& record) { return !record.is_null(); });
  records = run_cells(grid, cells, std::move(records), sources_with(engines), o.out);
  const ordered_json record = study_record(grid, cells, records, areas());
  const std::string text =
      record.dump(2, ' ', /*ensure_ascii=*/false, ordered_json::error_handler_t::replace) + "\n";
  write_atomically(o.out / "study.md", study_markdown(record));
  write_atomically(o.out / "study.csv", study_csv(record));
  write_atomically(o.out / "study.html", render_study_page(record));
  write_atomically(o.out / "study.json", text);
  for (const StudyGroup& group : groups_of(record)) print_table(table_of(group));
  fmt::print("\n≈: not distinguishable from fp32 (behind “nll − RTN”: from RTN), {:.0f} %\n",
             100 * record["confidence"].get<double>());
  fmt::print("{} of {} cells were done before\n", before, cells.size());
  fmt::print("{}: study.html, study.md, study.csv; study.json has the sha256 {}\n", o.out.string(),
             sha256(text));
  const std::vector<std::string> failures = failures_of(record);
  for (const std::string& failure : failures) fmt::print(stderr, "failed: {}\n", failure);
  return failures.empty() ? exit_good : exit_check_failed;
}

}  // namespace

Action define_study(CLI::App& app, const Context& context) {
  auto o = std::make_shared<StudySettings>();
  app.add_option("grid", o->grid, "GRID.json, the file that says what is compared (below)")
      ->required()
      ->type_name("FILE");
  add_output(app, "--out", o->out,
             "folder of the study: cells/ as they are done; then study.json, .md, .csv, .html")
      ->type_name("DIR")
      ->required();
  app.add_flag("--resume", o->resume,
               "go on with the folder: cells of the same settings that are done are not repeated");
  add_threads(app);
  add_isa(app);
  app.footer(describe_grid());
  return [o, &engines = context.engines] { return study_command(*o, engines); };
}

}  // namespace mxref
