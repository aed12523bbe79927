#pragma once
// What an audit found: counts, classes, and the hypotheses that explain everything.

#include <memory>

#include "emu/audit/case.h"

namespace mxref {

// Differences of one class that one hypothesis gives; none of them where `hypothesis` is empty.
struct ClassRow {
  DifferenceClass difference;
  std::string hypothesis, what;
  int64_t count = 0;
};

struct FailingUnit {
  size_t in_case = 0;  // index
  int64_t unit = 0;
};

struct AuditReport {
  int64_t compared = 0, different = 0;
  // In units of the last place of what was expected, over all results that are finite numbers; and
  // how many differ where there is no such error: NaN and Inf on either side, and scales.
  double max_ulp = 0, mean_ulp = 0;
  int64_t without_ulp = 0;
  std::vector<ClassRow> rows;  // most frequent first
  // These give everything that was got, in every result that was compared: each is another
  // definition that the simulator may have followed.
  std::vector<Hypothesis> explanations;
  std::optional<FailingUnit> smallest;  // of the first row
};

// Whether a result of the unit differs in the way of the row.
bool differs_as(const ClassRow& row, const AuditCase& of, int64_t unit);

using AuditCases = std::vector<std::unique_ptr<AuditCase>>;
// The cases are of one operation.
AuditReport make_report(const AuditCases& cases);

}  // namespace mxref
