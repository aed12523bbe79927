#pragma once
// What an array must show, by the definition: the accumulators after each step and each row of
// results, in the order in which the beats were taken.

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "emu/array_steps.h"

namespace mxref {

// A signal that is not as it must be; values in hex.
struct Mismatch {
  std::string signal, expected, got;
};

class Scoreboard {
 public:
  explicit Scoreboard(const ArrayDesign& design)
      : design_(design), cutter_(design_), accumulators_(design_) {}

  void reset();
  void beat_taken(const ArrayInputs& beat);
  // The outputs say that a step moved into the accumulators, or that a row was sent.
  void check_trace(const ArrayOutputs& out, std::vector<Mismatch>& mismatches);
  void check_row(const ArrayOutputs& out, std::vector<Mismatch>& mismatches);
  // Whether all that was taken has been seen.
  bool is_empty() const { return updates_.empty() && rows_.empty(); }

 private:
  struct Update {
    bool first, last;
    std::vector<uint32_t> acc;  // (rows, cols)
  };
  struct Row {
    uint32_t number;
    std::vector<uint32_t> data;  // (cols)
  };

  void step(const ArrayStep& step);

  const ArrayDesign design_;
  ArrayBeat beat_;  // the last that was taken
  StepCutter cutter_;
  ArrayStep step_;  // that lacks blocks
  Accumulators accumulators_;
  std::deque<Update> updates_;
  std::deque<Row> rows_;
};

// Appends a mismatch of each value that differs.
void compare(const std::string& signal, uint64_t expected, uint64_t got,
             std::vector<Mismatch>& mismatches);
void compare(const std::string& signal, const std::vector<uint32_t>& expected,
             const std::vector<uint32_t>& got, std::vector<Mismatch>& mismatches);

}  // namespace mxref
