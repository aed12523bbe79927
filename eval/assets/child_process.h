#pragma once
// Other programs: pip, gnuplot.

#include <filesystem>
#include <string>
#include <vector>

namespace mxref {

// Runs a program without a shell, so that no word means more than it says, with nothing to read.
// What it writes goes to the file `output`, or all of it to this process' standard error where that
// is empty. → its exit status; 128 + the signal's number where one ended it; -1 where it cannot be
// started. An interrupt from the keyboard ends the child alone: this process goes on and cleans up.
int run_program(const std::vector<std::string>& words, const std::filesystem::path& output = {});

}  // namespace mxref
