// The record of a study on made-up cells with known answers, and what is made of it.

#include "eval/study/study_record.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "eval/study/study_page.h"
#include "eval/study/study_tables.h"
#include "eval/study/study_text.h"

using namespace mxref;
using nlohmann::ordered_json;

namespace {

constexpr size_t window_count = 40, item_count = 200;

// Windows of 100 tokens whose nll is `nll` plus what the window is like, `own` of a window being
// this model's alone; the first `hits` of the items are hit.
ordered_json record_of(double nll, double own, size_t hits) {
  std::vector<double> sums;
  for (size_t i = 0; i < window_count; ++i)
    sums.push_back(100 * (nll + 0.3 * double(i % 5) + own * (i % 2 ? 1 : -1)));
  std::vector<int> chosen(item_count), gold(item_count, 1);
  for (size_t i = 0; i < hits; ++i) chosen[i] = 1;
  return {{"commit", "c"},
          {"wall_seconds", 2.0},
          {"peak_memory_bytes", 1000},
          {"parameters", 7},
          {"seconds", {{"quantize", 0.5}, {"all", 1.5}}},
          {"results",
           {{{"task", "perplexity"},
             {"nll", nll + 0.6},
             {"ppl", std::exp(nll + 0.6)},
             {"nll_sums", sums},
             {"scored", std::vector<int>(window_count, 100)}},
            {{"task", "piqa"},
             {"acc", double(hits) / item_count},
             {"acc_norm", 0.5},
             {"chosen", chosen},
             {"gold", gold}}}}};
}

struct Study {
  Grid grid;
  std::vector<Cell> cells;
  std::vector<ordered_json> records;

  Study() {
    grid.file = {{"models", {"m"}}};
    grid.models.push_back({"m<1>", "p", "f00d", ""});
    for (const char* name : {"rtn", "gptq", "awq"})
      grid.methods.push_back({name, &method(name), {}});
    grid.datapaths = {{"fused", "fused"}, {"exact", "exact"}};
    grid.tasks.resize(2);
    grid.tasks[0].name = "perplexity";
    grid.tasks[1].name = "piqa";
    add(nullptr, "fp32", record_of(3, 0, 160));
    add(&grid.methods[0], "w4a4", record_of(3.2, 0.01, 140));    // far off
    add(&grid.methods[1], "w4a4", record_of(3.1, 0.01, 159));    // half of it
    add(&grid.methods[2], "w4a4", record_of(3.001, 0.05, 160));  // nothing to be told
    add(&grid.methods[0], "w4a16",
        {{"commit", "c"}, {"wall_seconds", 1.0}, {"peak_memory_bytes", 1}, {"error", "no <room>"}});
  }
  void add(const GridMethod* method, const char* recipe, ordered_json record) {
    Cell cell{};
    cell.name = "c" + std::to_string(cells.size());
    cell.model = &grid.models[0];
    cell.method = method;
    cell.recipe_name = recipe;
    cell.recipe = parse_recipe(recipe);
    cell.datapath = method && cell.recipe.activations.conversion ? "fused" : "";
    cell.is_reference = !method;
    cells.push_back(cell);
    records.push_back(std::move(record));
  }
  ordered_json record() const {
    const ordered_json area = {{"library", {{"name", "cells"}}},
                               {"rows",
                                {{"pe mxfp4 fused",
                                  {{"design", "pe"},
                                   {"datapath", "fused"},
                                   {"format_a", "mxfp4"},
                                   {"format_b", "mxfp4"},
                                   {"mhz", 80.0},
                                   {"area_um2", 200.0}}}}}};
    return study_record(grid, cells, records, area);
  }
};

const ordered_json& score(const ordered_json& record, size_t row, size_t task) {
  return record["results"][row]["scores"][task];
}

bool near(const ordered_json& value, double expected, double tolerance = 1e-9) {
  return std::abs(value.get<double>() - expected) <= tolerance;
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++found;
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(study_record_of)

BOOST_AUTO_TEST_CASE(differences_are_to_fp32_and_to_rtn_with_what_can_be_told) {
  const ordered_json record = Study().record();
  BOOST_TEST(!score(record, 0, 0).contains("difference"));
  BOOST_TEST(near(score(record, 1, 0)["difference"]["value"], 0.2));
  BOOST_TEST(!score(record, 1, 0).contains("against_rtn"));
  BOOST_TEST(near(score(record, 2, 0)["difference"]["value"], 0.1));
  BOOST_TEST(near(score(record, 2, 0)["against_rtn"]["value"], -0.1));
  BOOST_TEST(score(record, 2, 0)["against_rtn"]["distinguishable"].get<bool>());
  // ±0.01 of 40 windows: Student's interval is 2.0227 · 0.01 · sqrt(40/39) / sqrt(40).
  const double width = (score(record, 2, 0)["difference"]["high"].get<double>() -
                        score(record, 2, 0)["difference"]["low"].get<double>()) /
                       2;
  // (Of draws of two values, so to a step of these.)
  const double expected = 2.0227 * 0.01 / std::sqrt(39.0);
  BOOST_TEST(std::abs(width - expected) < 0.1 * expected);
  BOOST_TEST(!score(record, 3, 0)["difference"]["distinguishable"].get<bool>());
  BOOST_TEST(score(record, 1, 1)["difference"]["distinguishable"].get<bool>());
  BOOST_TEST(near(score(record, 1, 1)["difference"]["value"], -0.1));
  BOOST_TEST(!score(record, 2, 1)["difference"]["distinguishable"].get<bool>());
}

BOOST_AUTO_TEST_CASE(recovery_is_the_ratio_of_accuracies) {
  const ordered_json record = Study().record();
  BOOST_TEST(near(record["results"][1]["accuracy"], 0.7));
  BOOST_TEST(near(record["results"][1]["recovery"]["value"], 0.875));
  BOOST_TEST(record["results"][1]["recovery"]["distinguishable"].get<bool>());
  BOOST_TEST(!record["results"][3]["recovery"]["distinguishable"].get<bool>());
  BOOST_TEST(!record["results"][0].contains("recovery"));
}

BOOST_AUTO_TEST_CASE(how_small_a_difference_shows_is_said_of_each_comparison) {
  const ordered_json summary = Study().record()["summary"];
  BOOST_TEST(summary["cells"] == 5);
  BOOST_TEST(summary["failed"] == 1);
  // To fp32 and to RTN of two tasks, and recovery.
  BOOST_REQUIRE(summary["resolution"].size() == 5);
  const auto row_of = [&](const char* of, const ordered_json& task) -> const ordered_json& {
    return *std::ranges::find_if(summary["resolution"], [&](const ordered_json& row) {
      return row["of"] == of && row["task"] == task;
    });
  };
  // The cells' windows differ by ±0.01, ±0.01 and ±0.05.
  const ordered_json& to_fp32 = row_of("difference", "perplexity");
  const auto width = [](double own) { return 2.0227 * own / std::sqrt(39.0); };
  BOOST_TEST(to_fp32["cells"] == 3);
  BOOST_TEST(near(to_fp32["half_width"]["least"], width(0.01), 5e-4));
  BOOST_TEST(near(to_fp32["half_width"]["most"], width(0.05), 2e-3));
  for (const char* end : {"least", "most"})
    BOOST_TEST(near(to_fp32["detectable"][end],
                    (1.960 + 0.842) / 1.960 * to_fp32["half_width"][end].get<double>(), 1e-4));
  BOOST_TEST(row_of("against_rtn", "perplexity")["cells"] == 2);
  BOOST_TEST(row_of("recovery", nullptr)["observations"] == item_count);
  const std::string words = to_fp32["words"];
  for (const char* part : {"40 windows", "3 cells", "half-widths 0.003", "80 %"})
    BOOST_TEST((words.find(part) != words.npos), words);
}

// A record knows its tasks by their place; their names are those of the grid of now.
BOOST_AUTO_TEST_CASE(tasks_that_are_renamed_or_swap_their_names_keep_their_scores) {
  Study study;
  const ordered_json before = study.record();
  for (const auto& [first, second] :
       {std::pair{"text", "items"}, std::pair{"piqa", "perplexity"}}) {
    study.grid.tasks[0].name = first;
    study.grid.tasks[1].name = second;
    const ordered_json record = study.record();
    for (size_t row = 0; row < 4; ++row)
      for (size_t task = 0; task < 2; ++task) {
        ordered_json found = score(record, row, task), expected = score(before, row, task);
        BOOST_TEST(found["task"] == (task == 0 ? first : second));
        found.erase("task"), expected.erase("task");
        BOOST_TEST(found == expected);
      }
  }
}

BOOST_AUTO_TEST_CASE(a_perplexity_that_is_no_number_is_shown_as_none) {
  Study study;
  ordered_json& result = study.records[2]["results"][0];
  result["nll"] = result["ppl"] = result["nll_sums"][3] = nullptr;
  const ordered_json record = study.record();
  BOOST_TEST(score(record, 2, 0)["difference"]["value"].is_null());
  BOOST_TEST(!score(record, 2, 0)["difference"]["distinguishable"].get<bool>());
  BOOST_TEST((study_markdown(record).find("| gptq | – | – | – | – |") != std::string::npos));
  BOOST_TEST(!render_study_page(record).empty());
}

BOOST_AUTO_TEST_CASE(noise_stands_beside_the_figures_that_it_is_of) {
  Study study;
  for (const size_t i : {0, 1, 2, 3}) {
    study.records[i]["results"][0]["noise"] = {{"nll", {{"sd", 0.00321}}}};
    study.records[i]["results"][1]["noise"] = {{"acc", {{"sd", 0.0123}}}};
  }
  study.grid.file["noise"] = 4;
  const ordered_json record = study.record();
  BOOST_TEST(near(score(record, 1, 0)["noise"], 0.00321));
  const StudyTable table = table_of(groups_of(record)[0]);
  std::vector<std::string> titles;
  for (const StudyColumn& column : table.columns) titles.push_back(column.title);
  const std::vector<std::string> expected{"method",      "nll",    "ppl",     "nll − fp32",
                                          "nll − RTN",   "noise",  "piqa, %", "piqa: noise",
                                          "recovery, %", "seconds"};
  BOOST_TEST(titles == expected, boost::test_tools::per_element());
  for (const auto& row : table.rows) {
    BOOST_REQUIRE(row.size() == table.columns.size());
    BOOST_TEST(row[5] == "0.0032");
    BOOST_TEST(row[7] == "1.2");
  }
  BOOST_TEST((how_to_read(record).find("over 4 more runs") != std::string::npos));
  BOOST_TEST((how_to_read(Study().record()).find("Noise") == std::string::npos));
}

BOOST_AUTO_TEST_CASE(cells_of_several_seeds_are_followed_by_their_spread) {
  Study study;
  study.grid.methods.push_back({"quarot", &method("quarot"), {}});
  for (const uint64_t seed : {4, 5, 6}) {
    study.add(&study.grid.methods[3], "w4a4",
              record_of(3.1 + 0.01 * double(seed % 2), 0.01, 150 + seed));
    study.cells.back().seed = seed;
  }
  const ordered_json record = study.record();
  BOOST_REQUIRE(record["replicates"].size() == 1);
  const ordered_json& spread = record["replicates"][0];
  BOOST_TEST(spread["method"] == "quarot");
  BOOST_TEST(spread["seeds"] == ordered_json({4, 5, 6}));
  const ordered_json& difference = spread["scores"][0]["difference"];
  BOOST_TEST(near(difference["least"], 0.1));
  BOOST_TEST(near(difference["most"], 0.11));
  BOOST_TEST(near(difference["mean"], 0.1 + 0.01 / 3));
  BOOST_TEST(near(difference["sd"], 0.01 / std::sqrt(3)));
  BOOST_TEST(near(spread["scores"][0]["against_rtn"]["least"], -0.1));
  BOOST_TEST(near(spread["recovery"]["most"], 156.0 / 160));
  const StudyTable table = table_of(groups_of(record)[0]);
  for (const auto& row : table.rows) BOOST_TEST(row.size() == table.columns.size());
  const std::vector<std::string>& last = table.rows.back();
  BOOST_TEST(last[0] == "quarot");
  BOOST_TEST(last[1] == "3 seeds");
  BOOST_TEST(last[4] == "+0.1000 … +0.1100");
  BOOST_TEST(table.rows[table.rows.size() - 2][1] == "6");
  BOOST_TEST((study_csv(record).find("quarot,w4a4,,fused,,5,perplexity") != std::string::npos));
  BOOST_TEST(Study().record()["replicates"].empty());
}

BOOST_AUTO_TEST_CASE(the_same_cells_give_the_same_record) {
  BOOST_TEST(Study().record().dump() == Study().record().dump());
  Study other;
  other.grid.seed = 1;
  BOOST_TEST(other.record().dump() != Study().record().dump());
}

BOOST_AUTO_TEST_CASE(area_stands_beside_accuracy_where_datapaths_are_compared) {
  Study study;
  BOOST_TEST(near(study.record()["results"][1]["area_um2"], 200));
  BOOST_TEST(!study.record()["results"][0].contains("area_um2"));
  study.grid.datapaths.resize(1);
  BOOST_TEST(!study.record()["results"][1].contains("area_um2"));
}

BOOST_AUTO_TEST_CASE(tables_have_a_row_a_cell_and_mark_what_cannot_be_told) {
  const ordered_json record = Study().record();
  const auto groups = groups_of(record);
  BOOST_REQUIRE(groups.size() == 2);
  const StudyTable table = table_of(groups[0]);
  BOOST_TEST(table.rows.size() == 4);
  for (const auto& row : table.rows) BOOST_TEST(row.size() == table.columns.size());
  const std::string markdown = study_markdown(record);
  BOOST_TEST((markdown.find("| gptq | 3.7000 |") != markdown.npos), markdown);
  BOOST_TEST((markdown.find("≈ +0.0010 [") != markdown.npos));
  BOOST_TEST((markdown.find("failed: no <room>") != markdown.npos));
  const std::string csv = study_csv(record);
  const size_t commas = count(csv.substr(0, csv.find('\n')), ",");
  BOOST_TEST(count(csv, "\n") == 1 + 4 * 2 + 1);
  BOOST_TEST(count(csv, ",") == commas * (1 + 4 * 2 + 1));
}

// RTN changes nothing, GPTQ nothing either: one block of rows is of the unchanged model, one of
// AWQ.
BOOST_AUTO_TEST_CASE(statistics_have_rows_of_each_change_once) {
  Study study;
  const auto statistics = [](double kurtosis) {
    const ordered_json row = {{"place", "o"},
                              {"kurtosis", kurtosis},
                              {"kurtosis_largest", kurtosis},
                              {"crest", 2.0},
                              {"error", 0.01}};
    return ordered_json{{"inputs", {row}}, {"weights", {row}}};
  };
  for (const size_t i : {1, 2, 3})
    study.records[i]["statistics"] = {{"before", statistics(9)},
                                      {"after", statistics(i == 3 ? 4 : 9)}};
  const ordered_json record = study.record();
  const StudyTable table = statistics_of(groups_of(record)[0]);
  BOOST_REQUIRE(table.rows.size() == 4);
  BOOST_TEST(table.rows[0][1] == "unchanged");
  BOOST_TEST(table.rows[1][1] == "awq");
  BOOST_TEST(table.rows[1][2] == "4.0");
  BOOST_TEST(table.rows[2][0] == "weights of o");
  BOOST_TEST(statistics_of(groups_of(record)[1]).rows.empty());
}

BOOST_AUTO_TEST_CASE(the_page_shows_all_of_it_and_escapes_what_it_shows) {
  const std::string page = render_study_page(Study().record());
  for (const char* part : {"m&lt;1&gt;", "no &lt;room&gt;", "+0.1000<br>", "≈ +0.0010", "<svg"})
    BOOST_TEST((page.find(part) != page.npos), part);
  BOOST_TEST(page.find("m<1>") == page.npos);
  BOOST_TEST(count(page, "<svg") == 2);
}

BOOST_AUTO_TEST_SUITE_END()
