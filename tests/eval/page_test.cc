#include <boost/test/unit_test.hpp>
#include <regex>
#include <set>

#include "emu/error.h"
#include "eval/report/gnuplot.h"
#include "eval/report/html.h"
#include "eval/report/page.h"
#include "eval/report/summary.h"
#include "tests/eval/small_record.h"

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
