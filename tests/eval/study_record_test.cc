// The record of a study on made-up cells with known answers, and what is made of it.

#include "eval/study/study_record.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "eval/study/study_page.h"
#include "eval/study/study_tables.h"

using namespace mxref;
using nlohmann::ordered_json;

namespace {

constexpr size_t windows = 40, items = 200;

// Windows of 100 tokens whose nll is `nll` plus what the window is like, `own` of a window being
// this model's alone; the first `hits` of the items are hit.
ordered_json record_of(double nll, double own, size_t hits) {
  std::vector<double> sums;
  for (size_t i = 0; i < windows; ++i)
    sums.push_back(100 * (nll + 0.3 * double(i % 5) + own * (i % 2 ? 1 : -1)));
  std::vector<int> chosen(items), gold(items, 1);
  for (size_t i = 0; i < hits; ++i) chosen[i] = 1;
  return {{"commit", "c"},
          {"wall_seconds", 2.0},
          {"peak_memory_bytes", 1000},
          {"parameters", 7},
          {"seconds", {{"quantize", 0.5}, {"all", 1.5}}},
          {"results",
           {{{"task", "perplexity"},
             {"name", "perplexity"},
             {"nll", nll + 0.6},
             {"ppl", std::exp(nll + 0.6)},
             {"nll_sums", sums},
             {"scored", std::vector<int>(windows, 100)}},
            {{"task", "piqa"},
             {"name", "piqa"},
             {"acc", double(hits) / items},
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

BOOST_AUTO_TEST_CASE(the_smallest_difference_that_shows_is_said) {
  const ordered_json summary = Study().record()["summary"];
  BOOST_TEST(summary["cells"] == 5);
  BOOST_TEST(summary["failed"] == 1);
  BOOST_REQUIRE(summary["resolution"].size() == 2);
  // The widest of the recipe: that of ±0.05.
  BOOST_TEST(near(summary["resolution"][0]["half_width"], 2.0227 * 0.05 / std::sqrt(39.0), 2e-3));
  const std::string words = summary["resolution"][0]["words"];
  BOOST_TEST((words.find("40 windows of perplexity") != words.npos), words);
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
