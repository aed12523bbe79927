#include "ptq/options.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "ptq/method.h"

using namespace mxref;

namespace {

std::vector<MethodOption> rows() {
  using Kind = MethodOption::Kind;
  return {{.name = "rate", .kind = Kind::number, .default_value = "0.5", .least = 0, .most = 1},
          {.name = "steps", .kind = Kind::integer, .default_value = "7", .least = 1, .most = 9},
          {.name = "order", .kind = Kind::flag, .default_value = "false"},
          {.name = "scales", .kind = Kind::choice, .default_value = "a", .choices = "a bc"}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(what_is_not_given_is_the_default_and_the_record_has_all) {
  const OptionValues values(rows(), {{"steps", "3"}, {"scales", "bc"}});
  BOOST_TEST(values.number("rate") == 0.5);
  BOOST_TEST(values.integer("steps") == 3);
  BOOST_TEST(!values.flag("order"));
  BOOST_TEST(values.choice("scales") == "bc");
  BOOST_TEST(values.to_json().dump() == R"({"rate":0.5,"steps":3,"order":false,"scales":"bc"})");
}

BOOST_AUTO_TEST_CASE(what_no_row_takes_is_refused_by_name) {
  const std::pair<std::map<std::string, std::string>, const char*> refused[] = {
      {{{"ratee", "1"}}, "did you mean 'rate'"},
      {{{"rate", "2"}}, "from 0 to 1"},
      {{{"rate", "x"}}, "rate=x"},
      {{{"rate", "0.5x"}}, "rate=0.5x"},
      {{{"steps", "2.5"}}, "an integer"},
      {{{"order", "yes"}}, "true, false"},
      {{{"scales", "b"}}, "a, bc"},
      {{{"rate", "nan"}}, "rate=nan"}};
  for (const auto& [given, part] : refused)
    BOOST_CHECK_EXCEPTION(OptionValues(rows(), given), UsageError, [&](const UsageError& e) {
      return std::string(e.what()).find(part) != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(no_method_has_two_options_of_one_name_and_every_default_is_valid) {
  for (const Method& method : all_methods()) {
    const std::vector<MethodOption> all = method.options();
    for (size_t i = 0; i < all.size(); ++i)
      for (size_t j = i + 1; j < all.size(); ++j) BOOST_TEST(all[i].name != all[j].name);
    std::map<std::string, std::string> defaults;
    for (const MethodOption& row : all) defaults[std::string(row.name)] = row.default_value;
    BOOST_CHECK_NO_THROW(OptionValues(all, defaults));
  }
}

BOOST_AUTO_TEST_SUITE_END()
