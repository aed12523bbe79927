#pragma once
// What a reader says to a bad file, and how much memory it asked for on the way.

#include <boost/test/unit_test.hpp>
#include <string>

#include "emu/error.h"

namespace mxref {

// The message of the InputError that `f` throws; "" where it throws none. Any other exception ends
// the test.
template <typename F>
std::string refusal(F f) {
  try {
    f();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

inline void check_refusal(const std::string& message, const std::string& part) {
  BOOST_TEST(message.find(part) != message.npos,
             "expected '" << part << "', got '" << message << "'");
}

// The largest block that was asked of operator new since reset_largest_allocation().
size_t largest_allocation();
void reset_largest_allocation();

}  // namespace mxref
