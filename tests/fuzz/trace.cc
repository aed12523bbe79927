// Traces: the index, then, behind the first '\0', the file of the module lm_head. What is read is
// equal to itself.

#include "emu/audit/trace.h"

#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  fuzz::put(trace_index, fuzz::next_part(bytes));
  fuzz::put("lm_head.safetensors", fuzz::safetensors(bytes));
  fuzz::read_or_refuse([&] {
    const Trace trace = open_trace(fuzz::folder());
    const TraceReport report = compare_traces(trace, trace);
    if (report.different != 0 || report.first) std::abort();
  });
}
