#pragma once
// Runs a part and keeps what it found: DIR/PART.json, written after each slice, so that the next
// run goes on where this one was stopped.

#include <filesystem>
#include <string_view>

#include "tests/long/long_suite.h"

namespace mxref::long_suite {

// Runs the part's control, then the slices that have not been run yet for this commit, instruction
// set and number of slices; with sources that are no commit ("…-dirty", "unknown") all of them →
// whether the control was caught and nothing differed. Throws InputError where the evidence that is
// there is damaged, or none can be written.
bool run_with_evidence(const Part& part, const std::filesystem::path& dir, std::string_view commit);

}  // namespace mxref::long_suite
