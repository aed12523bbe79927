#pragma once
// A progress bar on standard error; silent where that is no terminal.

#include <chrono>
#include <cstdint>
#include <string>

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

}  // namespace mxref
