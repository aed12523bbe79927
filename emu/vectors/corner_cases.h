#pragma once
// The corner cases of ARITHMETIC.md that a golden vector can reach, by name: for the comments of
// directed vectors, and for the report on what a set covers.

#include <cstdint>
#include <string>
#include <vector>

#include "emu/datapaths.h"
#include "emu/dot.h"
#include "emu/vectors/vectors.h"

namespace mxref {

// What a set of vectors is made for: only some cases apply to it.
struct VectorTarget {
  const BlockFormat *a, *b;
  const Datapath* datapath;
};

struct VectorView {
  VectorTarget target;
  RowView a, b;  // a block each
  uint32_t acc_in, acc_out;
};
VectorView view_of(const Vectors& vectors, size_t index);

// The names of the cases that apply, in the order of the tables in corner_cases.cc.
std::vector<std::string> corner_cases(const VectorTarget& target);
// Which of them, as indices, ascending, a vector reaches.
std::vector<size_t> reached_by(const VectorView& vector);

// How many vectors of a set reach each case.
struct Coverage {
  std::vector<std::string> cases;
  std::vector<int64_t> vectors;

  int64_t reached() const;
  std::vector<std::string> missing() const;
};
Coverage coverage_of(const Vectors& vectors);

}  // namespace mxref
