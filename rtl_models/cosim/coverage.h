#pragma once
// What share of the points in Verilator's coverage data was reached.

#include <string>

namespace mxref {

// Fractions of the points of each kind. A point in several instances of a module is one point.
struct Coverage {
  double line = 0;  // blocks and branches
  double toggle = 0;
  double functional = 0;  // cover properties
};
// data: a file of Verilator's. Throws InputError where it is no coverage data.
Coverage parse_coverage(const std::string& data);

}  // namespace mxref
