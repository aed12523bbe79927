#include <boost/test/unit_test.hpp>
#include <regex>
#include <set>

#include "emu/error.h"
#include "eval/report/gnuplot.h"
#include "eval/report/html.h"
#include "eval/report/page.h"
#include "eval/report/summary.h"
#include "tests/eval/small_record.h"
#include "tests/temporary_folder.h"

using namespace mxref;
using nlohmann::ordered_json;

BOOST_AUTO_TEST_SUITE(page)

static std::string rendered(ordered_json record = small_record()) {
  record["summary"] = summarize(record["results"]);
  return render_page(record);
}

static std::vector<std::string> matches(const std::string& text, const std::string& pattern) {
  std::vector<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it)
    found.push_back((*it)[1]);
  return found;
}

BOOST_AUTO_TEST_CASE(the_page_needs_nothing_beside_it) {
  const std::string html = rendered();
  for (const char* outside :
       {"<script", "<link", "<img", "@import", "src=", "http://www.w3.org/2000/svg\" xl"})
    BOOST_TEST(html.find(outside) == std::string::npos, outside);
  for (const std::string& target : matches(html, "href=[\"']([^\"']*)"))
    BOOST_TEST(target.starts_with("#"), target);
  BOOST_TEST(html.find("name=\"viewport\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(ids_are_distinct_and_references_meet_one) {
  const std::string html = rendered();
  const auto ids = matches(html, " id=[\"']([^\"']*)");
  const std::set<std::string> distinct(ids.begin(), ids.end());
  BOOST_TEST(distinct.size() == ids.size());
  for (const std::string& target : matches(html, "href=[\"']#([^\"']*)"))
    BOOST_TEST(distinct.count(target) == 1u, target);
}

BOOST_AUTO_TEST_CASE(tags_are_closed_in_order) {
  const std::string html = rendered();
  const std::set<std::string> single{"meta", "!DOCTYPE"};
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-zA-Z!][a-zA-Z0-9]*)[^>]*?(/?)>");
  for (std::sregex_iterator it(html.begin(), html.end(), tag), end; it != end; ++it) {
    const std::string name = (*it)[2];
    if (single.count(name) || (*it)[3].length()) continue;
    if ((*it)[1].length() == 0) {
      open.push_back(name);
      continue;
    }
    BOOST_REQUIRE(!open.empty());
    BOOST_REQUIRE(open.back() == name);
    open.pop_back();
  }
  BOOST_TEST(open.empty());
}

BOOST_AUTO_TEST_CASE(texts_of_the_record_are_escaped) {
  const std::string html = rendered();
  BOOST_TEST(html.find("a &lt;CPU&gt;") != std::string::npos);
  BOOST_TEST(html.find("<CPU>") == std::string::npos);
}

// The record with each value `from` replaced.
static ordered_json renamed(const std::string& from, const std::string& to) {
  std::string text = small_record().dump();
  const std::string old = ordered_json(from).dump(), fresh = ordered_json(to).dump();
  for (size_t i = 0; (i = text.find(old, i)) != std::string::npos; i += fresh.size())
    text.replace(i, old.size(), fresh);
  return ordered_json::parse(text);
}

// Texts that a file or the command line gives: what would end a quotation of HTML, of gnuplot or of
// a shell, a format of numbers, markup of gnuplot, control characters.
BOOST_AUTO_TEST_CASE(hostile_names_are_shown_and_mean_nothing) {
  const TemporaryFolder folder;
  const std::string pwned = folder / "pwned";
  const std::string hostile =
      "<i>&', system('touch " + pwned + "') title 'x %s_{^`touch " + pwned + "`\n\x01\u00e9";
  for (const char* name :
       {"small", "w4a4", "piqa", "hub", "a.txt", "other", "rtl", "none", "fused", "narrow"}) {
    const std::string html = rendered(renamed(name, hostile));
    BOOST_TEST(html.find("<i>&") == std::string::npos, name);
    BOOST_TEST(html.find("&lt;i&gt;&amp;', system('touch") != std::string::npos, name);
    BOOST_TEST(html.find("%s_{^") != std::string::npos, name);
    BOOST_TEST(!std::filesystem::exists(pwned), name);
  }
  const std::string shown = "&lt;i>&amp;', system('touch " + pwned + "') title 'x %s_{^`";
  const std::string svg = plot_svg("p", {400, 300}, "plot 0 title " + gnuplot_text(hostile) + "\n");
  BOOST_TEST(svg.find(shown) != std::string::npos);
  // Control: the same quotation without the doubling runs it.
  plot_svg("p", {400, 300}, "plot 0 title '" + hostile.substr(0, hostile.find(" title")) + "\n");
  BOOST_TEST(std::filesystem::exists(pwned));
}

BOOST_AUTO_TEST_CASE(a_plot_needs_no_shell_that_understands_its_folder) {
  const TemporaryFolder folder;
  const std::string odd = folder / "a b'$(c)";
  std::filesystem::create_directory(odd);
  const char* before = getenv("TMPDIR");
  const std::string kept = before ? before : "";
  setenv("TMPDIR", odd.c_str(), 1);
  BOOST_CHECK_NO_THROW(require_plots());
  setenv("TMPDIR", (folder / "absent").c_str(), 1);
  BOOST_CHECK_THROW(require_plots(), InputError);
  before ? setenv("TMPDIR", kept.c_str(), 1) : unsetenv("TMPDIR");
}

// As JSON has no infinity, a perplexity that binary64 does not hold is null.
BOOST_AUTO_TEST_CASE(numbers_that_are_none_leave_the_page_whole) {
  ordered_json record = small_record();
  for (ordered_json& row : record["results"])
    for (const char* field : {"ppl", "ppl_stderr", "stderr"})
      if (row.contains(field)) row[field] = nullptr;
  BOOST_TEST(rendered(record).find("</html>") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(thresholds_and_sources_are_those_of_the_record) {
  ordered_json record = small_record();
  record["summary"] = summarize(record["results"]);
  record["summary"]["thresholds"] = {{"lossless_drop_percent", 1.25}, {"risky_drop_percent", 7.5}};
  record["results"][6]["layers"][0]["macs_per_cycle"] = 123.5;
  const std::string html = render_page(record);
  for (const char* part :
       {"at most 1.25 %", "up to 7.5 %", "98.75 %", "92.5 %", "a paper", "123.5"})
    BOOST_TEST(html.find(part) != std::string::npos, part);
}

// Every recipe, format and planted error that the page shows has its meaning there.
BOOST_AUTO_TEST_CASE(words_of_the_page_are_told) {
  ordered_json record = small_record();
  record["published"].push_back(record["published"][0]);
  record["published"][1]["recipe"] = "w4a16";
  const std::string html = rendered(record);
  for (const char* part :
       {"<dt>fp32</dt>", "<dt>w4a4</dt>", "<dt>w4a16</dt>", "<dt>mxfp4</dt>",
        "<dt>pre-scale 3/4</dt>", "<dt>datapath fused</dt>", "<dt>not quantized</dt><dd>lm_head",
        "arXiv 2601.09555", "zeros only", "ties go astray", "24, 0 different"})
    BOOST_TEST(html.find(part) != std::string::npos, part);
  BOOST_TEST(rendered().find("<dt>w4a16</dt>") == std::string::npos);
}

// A file of few bits a value is told for what it is, one of binary16 is not.
BOOST_AUTO_TEST_CASE(a_baseline_that_was_quantized_before_is_told) {
  ordered_json record = small_record();
  BOOST_TEST(rendered(record).find("320 values in Q4_1 (5 bits each, scales included)") !=
             std::string::npos);
  BOOST_TEST(rendered(record).find("dequantized weights") != std::string::npos);
  record["model"]["storage"] = {{{"type", "F16"}, {"values", 320}, {"bytes", 640}}};
  BOOST_TEST(rendered(record).find("320 values in F16 (16 bits each)") != std::string::npos);
  BOOST_TEST(rendered(record).find("dequantized weights") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(coverage_is_told_once_of_the_arrays_and_of_each_unit) {
  ordered_json record = small_record();
  const ordered_json results = record["results"];
  for (const ordered_json& row : results)
    if (row["task"] == "cosim") {  // a second array, with the same coverage
      record["results"].push_back(row);
      record["results"].back()["rows"] = 7;
      record["results"].back()["datapath"] =
          R"({"kind":"aligned","terms":64,"group":16,"fraction_bits":35,"e_zero":-133,"output":"rne","ftz":true})";
    }
  const ordered_json reached{{"line", 1.0}, {"toggle", 0.98}, {"functional", 1.0}};
  record["results"].push_back({{"task", "coverage"}, {"unit", "quantizer"}, {"coverage", reached}});
  record["results"].push_back({{"task", "coverage"}, {"coverage", reached}});
  const std::string html = rendered(record);
  BOOST_TEST(matches(html, "(>7 × 4<)").size() == 1u);  // its run alone
  BOOST_TEST(matches(html, "(>aligned 64/16/35 rne, FTZ<)").size() == 1u);
  BOOST_TEST(matches(html, "(>4 × 4<)").size() == 1u);
  BOOST_TEST(matches(html, "(>arrays, 2 × 3<)").size() == 1u);
  BOOST_TEST(matches(html, "(>quantizer<)").size() == 1u);
  BOOST_TEST(matches(html, "(>all together<)").size() == 1u);
}

BOOST_AUTO_TEST_CASE(units_beside_the_array_have_a_table_of_their_own) {
  ordered_json record = small_record();
  BOOST_TEST(rendered(record).find("Lock-step runs of the other units") == std::string::npos);
  record["results"].push_back({{"task", "cosim_unit"},
                               {"unit", "accelerator"},
                               {"model", "6×9 on sequential"},
                               {"cycles", 1234},
                               {"stalled_cycles", 56},
                               {"compared", 789},
                               {"mismatches", 0},
                               {"assertions_failed", 0}});
  const std::string html = rendered(record);
  BOOST_TEST(html.find("Lock-step runs of the other units") != std::string::npos);
  BOOST_TEST(matches(html, "(>6×9 on sequential<)").size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_engine_with_fewer_results_is_told_with_the_reason) {
  ordered_json record = small_record();
  BOOST_TEST(rendered(record).find("fewer results") == std::string::npos);
  record["results"][0]["refused"] = "blocks of 32 & no other";
  BOOST_TEST(rendered(record).find("fewer results of rtl (“blocks of 32 &amp; no other”)") !=
             std::string::npos);
}

// Beside each figure that has one, and what it is, once.
BOOST_AUTO_TEST_CASE(noise_stands_beside_every_figure_that_has_it) {
  ordered_json record = small_record();
  BOOST_TEST(rendered(record).find("noise&nbsp;") == std::string::npos);
  BOOST_TEST(rendered(record).find("<dt>noise</dt>") == std::string::npos);
  for (ordered_json& row : record["results"]) {
    const bool text = row["task"] == "perplexity";
    if (!text && row["task"] != "piqa") continue;
    if (text) row["nll"] = 3.0;
    row["noise"] = {{"runs", 1}, {"seed", 1}, {"relative", "2^-22"}, {"places", "some <places>"}};
    if (text) row["noise"]["ppl"] = {{"values", {1}}, {"sd", 0.0123}};
    if (text)
      row["noise"]["nll"] = {{"values", {row["recipe"] == "fp32" ? 3.0 : 3.5}}, {"sd", 4e-7}};
    if (!text) row["noise"]["acc"] = {{"values", {1.0}}, {"sd", 0.0456}};
  }
  const std::string html = rendered(record);
  // ppl, ratio (exp 0 and exp 0.5), acc in percent, kept (75 and 100, also on its card), drift.
  for (const char* part :
       {"30.00&nbsp;±&nbsp;2.00 <small>noise&nbsp;0.012</small>", "<small>noise&nbsp;0.46</small>",
        "75.0&nbsp;±&nbsp;25.0 <small>noise&nbsp;4.6</small>",
        "75.0&nbsp;±&nbsp;25.0 <small>noise&nbsp;18</small>",
        "</small> <small>noise&nbsp;18</small>&nbsp;%", "0.200000 <small>noise&nbsp;4e-07</small>",
        "with its standard error and its noise",
        "run and 1 more, some &lt;places&gt; perturbed by a relative 2^-22",
        "say nothing about methods"})
    BOOST_TEST(html.find(part) != std::string::npos, part);
}

// Ratios to `fused`; a datapath of one product a cycle is compared by what 32 of them take.
BOOST_AUTO_TEST_CASE(datapaths_stand_beside_what_they_cost) {
  const std::string html = rendered();
  const std::string number = "</td><td class=\"n\">";
  for (const char* figures : {"fused|32|1.00|1.00|1.00|1.00|30.000|+0.5000|64,000|100.0|10.0",
                              "one_by_one|1|0.50|16.00|0.80|2.50|30.000|+0.5000|32,000|80.0|25.0",
                              "narrow|32|0.75|0.75|1.00|0.50|nan|+nan|48,000|100.0|5.0"})
    BOOST_TEST(html.find(std::regex_replace(std::string(figures), std::regex("\\|"), number)) !=
                   std::string::npos,
               figures);
  for (const char* part : {"some_cells", "Not covered", "the clock tree", "perplexity 0.25"})
    BOOST_TEST(html.find(part) != std::string::npos, part);
  ordered_json record = small_record();
  record.erase("fronts");
  BOOST_TEST(rendered(record).find("Not covered") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(control_a_failed_run_looks_failed) {
  ordered_json record = small_record();
  record["results"][0]["mismatches"] = 3;
  const std::string html = rendered(record);
  BOOST_TEST(html.find("verdict failed") != std::string::npos);
  BOOST_TEST(html.find("do not compute the same bits") != std::string::npos);
  BOOST_TEST(rendered().find("verdict failed") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_plot_that_gnuplot_refuses_is_an_error) {
  BOOST_CHECK_THROW(plot_svg("p", {100, 100}, "plot nonsense("), InputError);
}

BOOST_AUTO_TEST_CASE(numbers_are_grouped_by_thousands) {
  BOOST_TEST(grouped(0) == "0");
  BOOST_TEST(grouped(999) == "999");
  BOOST_TEST(grouped(1234567) == "1,234,567");
  BOOST_TEST(grouped(-1000) == "-1,000");
  BOOST_TEST(grouped(-100) == "-100");
}

BOOST_AUTO_TEST_SUITE_END()
