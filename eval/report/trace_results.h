#pragma once
// What the comparison of two traces found, as a record has it and as it is printed.

#include <nlohmann/json.hpp>
#include <string>

#include "emu/audit/trace.h"

namespace mxref {

// "traces", "modules", "modules_different", "compared", "different", "first" (null where no bit
// differs), "differing", "facts".
nlohmann::ordered_json trace_result(const Trace& a, const Trace& b, const TraceReport& report);

std::string trace_text(const Trace& a, const Trace& b, const TraceReport& report);

}  // namespace mxref
