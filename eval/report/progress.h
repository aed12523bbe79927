#pragma once
// Progress on standard error; silent where that is no terminal.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mxref {

class Progress {
 public:
  // `total` units of work (0: not known, only the count is shown) under `label`.
  Progress(std::string label, int64_t total);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(int64_t done);
  void update(int64_t done, int64_t total);
  void clear();  // takes the bar away until the next update

 private:
  void draw();

  std::string label_;
  int64_t total_;
  int64_t done_ = 0;
  bool terminal_;
  std::chrono::steady_clock::time_point start_, drawn_;
};

// A line that stays.
void progress_line(std::string_view line);

// The stages of a piece of work: a bar for the one that runs, a line for each note.
class StageBars {
 public:
  void update(std::string_view stage, int64_t done, int64_t total, const std::string& note);
  void end() { bar_.reset(), stage_.clear(); }

 private:
  std::string stage_;
  std::optional<Progress> bar_;
};

}  // namespace mxref
