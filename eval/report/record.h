#pragma once
// The record of a run (`--json`): what ran, where, and its results (DESIGN.md, "Records").

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace mxref {

std::string_view program_version();
std::string_view program_commit();  // of the sources that were built; "unknown" outside git

class Record {
 public:
  explicit Record(std::string_view command);  // the clock of wall_seconds starts here

  void set_seed(uint64_t seed) { seed_ = seed; }
  // A further field of the record, such as "model" or "recipe".
  void set(std::string field, nlohmann::ordered_json value);
  // One of "results". Keys keep the order in which they are given.
  void add(nlohmann::ordered_json result);

  // What ran, and where: all but the time and the results.
  nlohmann::ordered_json facts() const;
  // As a file holds it. What is no UTF-8, as a path may be, becomes U+FFFD.
  std::string text() const;
  // Does nothing where `path` is empty. Throws InputError where it cannot be written.
  void write(const std::filesystem::path& path) const;

 private:
  std::string command_;
  std::chrono::steady_clock::time_point start_;
  nlohmann::ordered_json seed_;  // null where nothing was drawn
  nlohmann::ordered_json fields_ = nlohmann::ordered_json::object();
  nlohmann::ordered_json results_ = nlohmann::ordered_json::array();
};

}  // namespace mxref
