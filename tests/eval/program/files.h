#pragma once
// Small inputs for the program, and checks of what it says.

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <vector>

#include "emu/files/safetensors.h"
#include "tests/run_program.h"

namespace mxref {

// A file with one F32 tensor of normal numbers.
inline std::string write_tensor(const std::string& path, const std::string& name,
                                const std::vector<int64_t>& shape, unsigned seed = 1) {
  int64_t n = 1;
  for (int64_t extent : shape) n *= extent;
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(static_cast<size_t>(n));
  for (float& v : x) v = normal(random);
  SafetensorsWriter writer;
  writer.add(name, DType::F32, shape, x);
  writer.write(path);
  return path;
}

// The exit code, and each of `parts` in what was said on standard error; no output on a failure.
inline void check_refused(const Outcome& outcome, int code, const std::vector<std::string>& parts) {
  BOOST_TEST(outcome.code == code, outcome.err);
  for (const std::string& part : parts)
    BOOST_TEST((outcome.err.find(part) != std::string::npos),
               "should say '" << part << "', says: " << outcome.err);
  BOOST_TEST(outcome.err.starts_with("mxref"));
  BOOST_TEST(outcome.out == "");
}

inline void check_good(const Outcome& outcome) {
  BOOST_TEST(outcome.code == 0, outcome.err);
  BOOST_TEST(outcome.err == "");
}

}  // namespace mxref
