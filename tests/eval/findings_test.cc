// eval/FINDINGS.md says what the records of the findings say: the grid that was run is the one that
// stands beside it, every cell of a record has its file, and each of the record's tables is on the
// page, line by line.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <sstream>

#include "emu/files/atomic_file.h"
#include "emu/files/sha256.h"
#include "eval/study/study_text.h"

using namespace mxref;
using nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace {

const fs::path findings = MXREF_SOURCE_DIR "/eval/findings";

// The lines of a record's tables that a page lacks, and the record's hash if it lacks that.
std::vector<std::string> missing_on(const std::string& page, const std::string& record_text) {
  std::vector<std::string> missing;
  std::istringstream lines(study_markdown(ordered_json::parse(record_text)));
  for (std::string line; std::getline(lines, line);) {
    const bool is_figure = line.starts_with("|") || line.starts_with("- ");
    if (is_figure && page.find(line + "\n") == page.npos) missing.push_back(line);
  }
  if (const std::string hash = sha256(record_text); page.find(hash) == page.npos)
    missing.push_back(hash);
  return missing;
}

std::vector<fs::path> records() {
  std::vector<fs::path> folders;
  std::error_code none_yet;
  for (const auto& entry : fs::directory_iterator(findings / "records", none_yet))
    if (fs::exists(entry.path() / "study.json")) folders.push_back(entry.path());
  std::ranges::sort(folders);
  return folders;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(findings_suite)

BOOST_AUTO_TEST_CASE(the_page_has_every_figure_of_the_records) {
  const std::string page = read_file(findings.parent_path() / "FINDINGS.md");
  if (records().empty()) BOOST_TEST_MESSAGE("skipped: no record of the findings is finished");
  for (const fs::path& folder : records()) {
    const std::string text = read_file(folder / "study.json");
    for (const std::string& line : missing_on(page, text))
      BOOST_ERROR(folder << ": not on the page: " << line);
    // The control: another value is not on it.
    ordered_json changed = ordered_json::parse(text);
    for (ordered_json& row : changed["results"])
      if (row.contains("scores")) row["scores"][0]["value"] = 1e3;
    BOOST_TEST(missing_on(page, changed.dump()).size() > 1);
  }
}

BOOST_AUTO_TEST_CASE(records_are_of_the_grids_and_cells_beside_them) {
  for (const fs::path& folder : records()) {
    const ordered_json record = ordered_json::parse(read_file(folder / "study.json"));
    BOOST_TEST(record["grid_sha256"].get<std::string>() ==
                   sha256(read_file(findings / (folder.filename().string() + ".json"))),
               folder);
    std::map<std::string, ordered_json> cells;
    for (const auto& file : fs::directory_iterator(folder / "cells")) {
      ordered_json cell = ordered_json::parse(read_file(file.path()));
      cells[cell["settings_sha256"]] = std::move(cell);
    }
    BOOST_TEST(cells.size() == record["results"].size(), folder);
    for (const ordered_json& row : record["results"]) {
      const auto cell = cells.find(row["settings_sha256"]);
      BOOST_REQUIRE_MESSAGE(cell != cells.end(), folder << ": no file of " << row["cell"]);
      const ordered_json& results = cell->second["results"];
      for (size_t i = 0; i < row["scores"].size(); ++i) {
        const ordered_json& score = row["scores"][i];
        BOOST_TEST(score["value"] == results[i][score["metric"].get<std::string>()],
                   folder << ": " << row["cell"]);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
