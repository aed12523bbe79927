#pragma once
// Other programs: pip, gnuplot, somebody's simulator.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mxref {

inline constexpr int program_not_started = -1;
inline constexpr int program_out_of_time = -2;

// Runs a program without a shell, so that no word means more than it says, with nothing to read.
// What it writes goes to the file `output`, or all of it to this process' standard error where that
// is empty. → its exit status; 128 + the signal's number where one ended it; program_not_started;
// program_out_of_time where it was killed after `limit`. An interrupt from the keyboard ends the
// child alone: this process goes on and cleans up.
int run_program(const std::vector<std::string>& words, const std::filesystem::path& output = {},
                std::optional<std::chrono::seconds> limit = {});

}  // namespace mxref
