#pragma once
// What share of the points in Verilator's coverage data was reached.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mxref {

// Coverage slows a Verilated model many times: no run that collects it is longer.
constexpr int64_t covered_cycles = 40'000;

// Points that the runs which collect coverage do not reach, and why: they are left out.
struct CoverageWaiver {
  std::string_view file;    // of the module; "*": of any
  std::string_view object;  // the signal, or some of it: "word[3]", "word[3-7]", "word[3][0-7]"
  std::string_view reason;
};

// Fractions of the points of each kind; none where the data has no point of it. A point in several
// instances of a module is one point, in all models together; a corner of a datapath is one in each
// model, for each has another.
struct Coverage {
  std::optional<double> line;  // blocks and branches
  std::optional<double> toggle;
  std::optional<double> functional;  // cover properties
  int64_t waived = 0;                // points of signals that waivers leave out
};
// data: files of Verilator's, one of each model, one behind the other. In `unsound`, where it is
// given: waivers that leave out no point, or one that was reached. Throws InputError where it is no
// coverage data.
Coverage parse_coverage(const std::string& data, std::span<const CoverageWaiver> waivers = {},
                        std::vector<std::string>* unsound = nullptr);

}  // namespace mxref
