#include "emu/error.h"

#include <boost/test/unit_test.hpp>

using namespace mxref;

BOOST_AUTO_TEST_SUITE(error)

BOOST_AUTO_TEST_CASE(a_message_is_whole_and_has_no_control_characters) {
  const std::string name(
      "a\0b\x1b[2J\x7f\xc2\x9b"
      "c\nd\xc2\xa0\xc3\xa9\xe2\x82\x9b",
      20);
  BOOST_TEST(InputError(name + "; expected x").what() ==
             std::string("a?b?[2J??c\nd\xc2\xa0\xc3\xa9\xe2\x82\x9b; expected x"));
  BOOST_TEST(UsageError(name).what() == InputError(name).what());
}

BOOST_AUTO_TEST_CASE(a_message_has_an_end) {
  const std::string long_one = printable(std::string(100'000, 'x'));
  BOOST_TEST(long_one.size() <= 2000u);
  BOOST_TEST(long_one.ends_with("x …"));
  BOOST_TEST(printable(long_one) == long_one);
}

BOOST_AUTO_TEST_SUITE_END()
