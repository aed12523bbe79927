#pragma once
// What `audit` found, as a record has it and as it is printed.

#include <nlohmann/json.hpp>
#include <string>

#include "emu/audit/conversion.h"
#include "emu/audit/product.h"
#include "emu/audit/report.h"

namespace mxref {

// The failing input that is shown: its case, and how to have it again.
struct SmallestFailure {
  const AuditCase* of = nullptr;
  int64_t unit = 0;
  std::string reproduce;  // a command; empty where there is none
};

// "0x3fc00000 (1.5)"
std::string with_value(float x);

// Inputs in hex, "expected", "got", "class", "repro".
nlohmann::ordered_json audit_smallest(const SmallestFailure& failure);
// "compared", "different", "max_ulp", "mean_ulp", "classes", "hypotheses", "explained_by",
// "smallest".
nlohmann::ordered_json audit_result(const AuditReport& report, const SmallestFailure& failure);

std::string audit_text(const AuditReport& report, const SmallestFailure& failure);

}  // namespace mxref
