#include "emu/files/json_file.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "tests/deep_json.h"
#include "tests/temporary_folder.h"

using namespace mxref;

// The message of the refusal; "" where the text is taken.
static std::string refusal(const std::string& text) {
  try {
    parse_json_object("FILE", text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

BOOST_AUTO_TEST_SUITE(json_file)

BOOST_AUTO_TEST_CASE(depth_is_bounded) {
  BOOST_TEST(refusal(deep_json("x", max_json_depth - 1)) == "");
  for (const size_t lists : {size_t(max_json_depth), size_t(100000)})
    BOOST_TEST(refusal(deep_json("x", lists)) == "FILE: nests deeper than 64 levels");
  BOOST_TEST(refusal(std::string(100000, '[')) == "FILE: nests deeper than 64 levels");
}

BOOST_AUTO_TEST_CASE(a_field_named_twice_is_refused) {
  BOOST_TEST(refusal(R"({"a":{"b":1},"c":{"b":2}})") == "");
  BOOST_TEST(refusal(R"({"c":{"b":1,"\u0062":2}})") == "FILE: names \"b\" twice in one object");
}

BOOST_AUTO_TEST_CASE(what_is_no_object_is_refused) {
  for (const char* text : {"", "{", "{} {}", "nul", "{\"a\":\"\xFF\"}", "{\"a\":NaN}"})
    BOOST_TEST(refusal(text).starts_with("FILE: is no valid JSON at byte "), text);
  for (const char* text : {"[]", "3", "\"x\"", "null"})
    BOOST_TEST(refusal(text) == "FILE: is no JSON object; expected {\"field\": value, …}", text);
  const TemporaryFolder folder;
  folder.write("x.json", R"({"a":1})");
  BOOST_TEST(read_json_object(folder / "x.json")["a"] == 1);
  BOOST_CHECK_THROW(read_json_object(folder / "absent"), InputError);
}

BOOST_AUTO_TEST_CASE(long_values_are_shown_in_part) {
  BOOST_TEST(shown(R"({"a":[1]})"_json) == R"({"a":[1]})");
  for (const std::string piece : {"a", "\u00e9", "\u20ac", "\U0001F600"})
    for (size_t shift = 0; shift < 4; ++shift) {
      std::string text(shift, 'x');
      while (text.size() < 100000) text += piece;
      const std::string part = shown(text);
      BOOST_TEST(part.size() <= 83u);
      BOOST_CHECK_NO_THROW(nlohmann::json(part).dump());  // UTF-8 to its end
    }
}

BOOST_AUTO_TEST_SUITE_END()
