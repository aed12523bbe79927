// mxref study as a person runs it: a few cells of a small model, a kill in between, what goes
// wrong.

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "emu/files/sha256.h"
#include "tests/eval/program/counting_model.h"
#include "tests/eval/program/files.h"

using namespace mxref;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

struct StudyFolder {
  TemporaryFolder folder;
  std::string grid_file = folder / "grid.json", out = folder / "out";

  StudyFolder() {
    write_atomically(folder / "m.gguf", counting_model());
    std::string text;
    for (int i = 0; i < 400; ++i) text += counted;
    write_atomically(folder / "text", text);
    std::string items;
    for (int i = 0; i < 16; ++i)
      items += R"({"query":"abcdefg","choices":[)" +
               std::string(i % 2 ? R"("gfedcba","abcdefg")" : R"("abcdefg","gfedcba")") +
               R"(],"gold":)" + std::to_string(i % 2) + "}\n";
    write_atomically(folder / "items", items);
  }
  json grid() const {
    return {
        {"models", json::array({{{"model", folder / "m.gguf"}, {"name", "small"}}})},
        {"methods", {"rtn", "gptq"}},
        {"recipes", {"w4a4"}},
        {"calibration", {{"text", folder / "text"}, {"samples", 4}, {"length", 64}, {"name", "t"}}},
        {"tasks",
         {{{"task", "perplexity:" + folder / "text"}, {"window", 64}, {"limit", 8}},
          {{"task", "piqa:" + folder / "items"}}}}};
  }
  Outcome run(const json& grid, const std::vector<std::string>& more = {}) const {
    write_atomically(grid_file, grid.dump());
    std::vector<std::string> args{"study", grid_file, "--out", out};
    args.insert(args.end(), more.begin(), more.end());
    return run_mxref(args);
  }
  json record() const { return json::parse(read_file(out + "/study.json")); }
  // Of each cell, its file.
  std::map<std::string, std::string> cells() const {
    std::map<std::string, std::string> found;
    for (const std::string& name : files_in(out + "/cells"))
      found[name] = read_file(out + "/cells/" + name);
    return found;
  }
};

bool says(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

// What of a study does not depend on when it ran.
json figures_of(json record) {
  for (json& row : record["results"]) row.erase("seconds"), row.erase("peak_memory_bytes");
  return record["results"];
}

// The program in the background; killed once `cells` records are there.
void kill_after(const StudyFolder& study, size_t cells) {
  const std::string program = MXREF_BINARY_DIR "/bin/mxref";
  const pid_t child = fork();
  if (child == 0) {
    const int null = open("/dev/null", O_RDWR);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, stream);
    execl(program.c_str(), program.c_str(), "study", study.grid_file.c_str(), "--out",
          study.out.c_str(), nullptr);
    _exit(127);
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  const auto count = [&] {
    std::error_code absent;
    const fs::directory_iterator found(study.out + "/cells", absent);
    return absent ? 0
                  : std::count_if(begin(found), fs::directory_iterator(), [](const auto& entry) {
                      return entry.path().extension() == ".json";
                    });
  };
  while (count() < long(cells) && std::chrono::steady_clock::now() < end &&
         waitpid(child, nullptr, WNOHANG) == 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(study)

BOOST_AUTO_TEST_CASE(a_study_ends_in_tables_a_page_and_a_record_with_its_hash) {
  const StudyFolder study;
  json grid = study.grid();
  grid["statistics"] = true;
  grid["datapaths"] = {"fused", "exact"};
  const Outcome outcome = study.run(grid);
  BOOST_TEST(outcome.code == 0, outcome.err);
  BOOST_TEST(outcome.err == "");  // progress is for a terminal
  const std::string text = read_file(study.out + "/study.json");
  BOOST_TEST(says(outcome.out, "sha256 " + sha256(text)), outcome.out);
  const json record = json::parse(text);
  BOOST_TEST(record["command"] == "study");
  BOOST_TEST(record["grid"] == grid);
  BOOST_TEST(record["models"][0]["name"] == "small");
  BOOST_REQUIRE(record["results"].size() == 5);
  for (const json& row : record["results"]) {
    const json& nll = row["scores"][0];
    BOOST_TEST(nll["observations"] == 8);
    if (row["reference"]) continue;
    BOOST_TEST(nll["difference"]["low"] <= nll["difference"]["value"]);
    BOOST_TEST(nll["difference"]["value"] <= nll["difference"]["high"]);
    BOOST_TEST(row["recovery"]["value"].get<double>() == 1);
    BOOST_TEST(nll.contains("against_rtn") == (row["method"] != "rtn"));
    BOOST_TEST(row["statistics"]["before"]["inputs"].size() == 4);
  }
  // The mean of what the tasks say is what the table says.
  const json cell =
      json::parse(study.cells().at(record["results"][1]["cell"].get<std::string>() + ".json"));
  const json reference =
      json::parse(study.cells().at(record["results"][0]["cell"].get<std::string>() + ".json"));
  BOOST_TEST(std::abs(cell["results"][0]["nll"].get<double>() -
                      reference["results"][0]["nll"].get<double>() -
                      record["results"][1]["scores"][0]["difference"]["value"].get<double>()) <
             1e-12);
  // The second datapath is another reading of the same codes.
  size_t shared = 0;
  for (const auto& [name, bytes] : study.cells())
    shared += json::parse(bytes).value("/ptq/shared_with"_json_pointer, "") != "";
  BOOST_TEST(shared == 2);
  BOOST_TEST(says(read_file(study.out + "/study.md"), "| gptq |"));
  BOOST_TEST(
      says(read_file(study.out + "/study.csv"), "small,gptq,w4a4,,exact,t,,perplexity,nll,"));
  BOOST_TEST(says(read_file(study.out + "/study.html"), "</html>"));
}

BOOST_AUTO_TEST_CASE(a_killed_study_goes_on_and_repeats_no_finished_cell) {
  const StudyFolder study;
  json grid = study.grid();
  grid["recipes"] = {"w8a8", "w4a8", "w4a4"};
  grid["noise"] = 40;  // so that a cell takes a while
  write_atomically(study.grid_file, grid.dump());
  kill_after(study, 2);
  const auto before = study.cells();
  BOOST_TEST(before.size() >= 2);
  BOOST_TEST(before.size() < 7, "it was done before it could be killed");
  BOOST_TEST(!fs::exists(study.out + "/study.json"));
  check_refused(study.run(grid), 2, {"is not empty", "--resume"});
  const Outcome outcome = study.run(grid, {"--resume"});
  BOOST_TEST(outcome.code == 0, outcome.err);
  BOOST_TEST(says(outcome.out, std::to_string(before.size()) + " of 7 cells were done before"));
  const auto after = study.cells();
  BOOST_TEST(after.size() == 7);
  for (const auto& [name, bytes] : before) BOOST_TEST((after.at(name) == bytes), name);
  // Nothing more to do: the same record, to the last byte.
  const std::string record = read_file(study.out + "/study.json");
  BOOST_TEST(study.run(grid, {"--resume"}).code == 0);
  BOOST_TEST((read_file(study.out + "/study.json") == record));
}

// What has been learned serves all datapaths, also after a kill between two of them; then it goes.
BOOST_AUTO_TEST_CASE(a_study_killed_between_two_datapaths_of_a_learner_goes_on) {
  const StudyFolder study;
  json grid = study.grid();
  grid["methods"] =
      json::array({{{"method", "spinquant"}, {"options", {{"steps", 4}, {"batch", 2}}}}});
  grid["datapaths"] = {"fused", "exact", "sequential"};
  grid["noise"] = 40;  // so that a cell takes a while
  write_atomically(study.grid_file, grid.dump());
  kill_after(study, 2);
  BOOST_TEST(study.cells().size() >= 2);
  BOOST_TEST(study.cells().size() < 4, "it was done before it could be killed");
  BOOST_TEST(!fs::is_empty(study.out + "/learned"));
  const Outcome outcome = study.run(grid, {"--resume"});
  BOOST_TEST(outcome.code == 0, outcome.err);
  BOOST_TEST(!fs::exists(study.out + "/learned"));
  std::set<std::string> losses;
  for (const auto& [name, bytes] : study.cells()) {
    const json record = json::parse(bytes);
    if (record.contains("ptq")) losses.insert(record["ptq"]["change"]["losses"].dump());
  }
  BOOST_TEST(losses.size() == 1);
}

// Names of models, methods, recipes, calibrations and tasks decide nothing.
BOOST_AUTO_TEST_CASE(what_is_called_otherwise_is_not_run_again_and_keeps_its_figures) {
  const StudyFolder study;
  json grid = study.grid();
  json text = grid["tasks"][0], shorter = text;
  text["name"] = "first", shorter["name"] = "second", shorter["window"] = 32;
  grid["tasks"] = {text, shorter};
  BOOST_TEST(study.run(grid).code == 0);
  const json before = study.record()["results"];
  grid["models"][0]["name"] = "tiny";
  grid["methods"] = {"rtn", {{"method", "gptq"}, {"name", "mine"}}};
  grid["recipes"] = json::array({{{"recipe", "w4a4"}, {"name", "four"}}});
  grid["calibration"]["name"] = "letters";
  std::swap(grid["tasks"][0]["name"], grid["tasks"][1]["name"]);
  Outcome outcome = study.run(grid, {"--resume"});
  BOOST_TEST(outcome.code == 0, outcome.err);
  BOOST_TEST(says(outcome.out, "3 of 3 cells were done before"), outcome.out);
  const json after = study.record()["results"];
  BOOST_REQUIRE(after.size() == 3);
  const auto cells = study.cells();
  BOOST_TEST(cells.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    BOOST_TEST(after[i]["model"] == "tiny");
    BOOST_TEST(cells.contains(after[i]["cell"].get<std::string>() + ".json"));
    for (size_t task = 0; task < 2; ++task) {
      BOOST_TEST(after[i]["scores"][task]["task"] == (task == 0 ? "second" : "first"));
      BOOST_TEST(after[i]["scores"][task]["value"] == before[i]["scores"][task]["value"]);
    }
  }
  BOOST_TEST(after[2]["method"] == "mine");
  // A record without all of its results is not done.
  json cut = json::parse(cells.begin()->second);
  cut["results"].erase(1);
  write_atomically(study.out + "/cells/" + cells.begin()->first, cut.dump());
  outcome = study.run(grid, {"--resume"});
  BOOST_TEST(outcome.code == 0, outcome.err);
  BOOST_TEST(says(outcome.out, "2 of 3 cells were done before"), outcome.out);
}

BOOST_AUTO_TEST_CASE(a_changed_grid_runs_what_is_new_and_takes_no_cell_for_another) {
  const StudyFolder study;
  json grid = study.grid();
  BOOST_TEST(study.run(grid).code == 0);
  const json first = figures_of(study.record());
  grid["recipes"] = {"w4a4", "w8a8"};
  Outcome outcome = study.run(grid, {"--resume"});
  BOOST_TEST(outcome.code == 0, outcome.err);
  BOOST_TEST(says(outcome.out, "3 of 5 cells were done before"), outcome.out);
  BOOST_TEST(figures_of(study.record())[1] == first[1]);
  // Another damping is another cell, though it is called the same.
  grid["recipes"] = {"w4a4"};
  grid["methods"] = {"rtn",
                     {{"method", "gptq"}, {"options", {{"damping", 0.5}}}, {"name", "gptq"}}};
  outcome = study.run(grid, {"--resume"});
  BOOST_TEST(says(outcome.out, "2 of 3 cells were done before"), outcome.out);
  BOOST_TEST(figures_of(study.record())[2]["settings_sha256"] != first[2]["settings_sha256"]);
  // A damaged record is no record.
  for (const auto& [name, bytes] : study.cells())
    write_atomically(study.out + "/cells/" + name, bytes.substr(0, 100));
  outcome = study.run(study.grid(), {"--resume"});
  BOOST_TEST(outcome.code == 0, outcome.err);
  BOOST_TEST(says(outcome.out, "0 of 3 cells were done before"), outcome.out);
  BOOST_TEST(figures_of(study.record()) == first);
}

BOOST_AUTO_TEST_CASE(a_cell_that_fails_is_recorded_and_the_rest_goes_on) {
  const StudyFolder study;
  json grid = study.grid();
  // 96, the width of what down takes, is no multiple of 64.
  grid["methods"] = {{{"method", "mr-gptq"}, {"options", {{"hadamard", 64}}}}, "rtn"};
  const Outcome outcome = study.run(grid);
  BOOST_TEST(outcome.code == 1, outcome.err);
  BOOST_TEST(says(outcome.err, "failed: small_mr-gptq"), outcome.err);
  const json results = study.record()["results"];
  BOOST_REQUIRE(results.size() == 3);
  BOOST_TEST(says(results[1]["error"], "64"));
  BOOST_TEST(results[2]["scores"][0].contains("difference"));
  BOOST_TEST(study.record()["summary"]["failed"] == 1);
  BOOST_TEST(says(read_file(study.out + "/study.md"), "failed:"));
  // It is tried again.
  const Outcome again = study.run(grid, {"--resume"});
  BOOST_TEST(again.code == 1);
  BOOST_TEST(says(again.out, "2 of 3 cells were done before"), again.out);
}

BOOST_AUTO_TEST_CASE(wrong_use_and_bad_grids_are_told_in_one_line_and_leave_nothing) {
  const StudyFolder study;
  const auto refused = [&](const json& patch, const char* part, const char* place = "grid.json: ") {
    json grid = study.grid();
    grid.update(patch);
    check_refused(study.run(grid), 3, {place, part});
  };
  refused({{"mehtods", {"rtn"}}}, "did you mean 'methods'");
  refused({{"methods", {"gptk"}}}, "did you mean 'gptq'");
  refused({{"models", {"smolm2"}}}, "did you mean 'smollm2'");
  refused({{"recipes", {{{"recipe", "w4a4"}, {"set", {"skip=[\"layers\"]"}}}}}},
          "matches no linear layer", "small: ");
  refused({{"calibration", {{"text", study.folder / "text"}, {"samples", 1000}}}}, "expected 1000",
          "small: ");
  refused({{"tasks", {"piqa:" + study.folder / "text"}}}, "text:1", "small: ");
  BOOST_TEST(!fs::exists(study.out));
  check_refused(run_mxref({"study", study.folder / "absent", "--out", study.out}), 3, {"absent"});
  check_refused(run_mxref({"study", "--out", study.out}), 2, {"grid"});
  check_refused(run_mxref({"study", study.folder / "text", "--out", study.out}), 3,
                {"text: is no valid JSON"});
  check_refused(run_mxref({"study", study.grid_file}), 2, {"--out"});
}

BOOST_AUTO_TEST_SUITE_END()
