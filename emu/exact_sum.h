#pragma once
// The datapath `exact` (ARITHMETIC.md §4): C and the products of all of K, summed block by block,
// rounded once.

#include <memory>

#include "emu/dot.h"

namespace mxref {

class ExactSum {
 public:
  explicit ExactSum(uint32_t start = 0);  // binary32 bits
  ExactSum(ExactSum&&) noexcept;
  ExactSum& operator=(ExactSum&&) noexcept;
  ~ExactSum();

  // A block pair.
  void add(const RowView& a, const RowView& b);
  // RNE32 of the sum so far, as every special value and zero is defined.
  uint32_t rounded() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mxref
