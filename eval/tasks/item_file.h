#pragma once
// Files of benchmark items: JSON lines, plain or gzip.

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace mxref {

// The whole file, unpacked where it is gzip. Throws InputError where it cannot be read or is
// damaged.
std::string read_text(const std::filesystem::path& path);

// Calls `line` with each JSON object of the file and its line number (from 1); stops where it
// returns false. Blank lines are passed over. Throws InputError "FILE:LINE: …" where a line is no
// JSON object, or not UTF-8.
void read_json_lines(const std::filesystem::path& path,
                     const std::function<bool(const nlohmann::json&, int64_t)>& line);

// valid.jsonl, valid.jsonl.gz → the lines of valid-labels.lst beside it; empty where there is none.
struct LabelFile {
  std::string path;
  std::vector<std::string> lines;
};
LabelFile read_labels_beside(const std::filesystem::path& items);

}  // namespace mxref
