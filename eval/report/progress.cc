#include "eval/report/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace mxref {
namespace {

using std::chrono::steady_clock;

constexpr int bar_width = 30;
constexpr std::chrono::milliseconds redraw_interval{100};

}  // namespace

Progress::Progress(std::string label, int64_t total)
    : label_(std::move(label)),
      total_(total),
      terminal_(isatty(STDERR_FILENO)),
      start_(steady_clock::now()),
      drawn_(start_) {
  if (terminal_) draw();
}

void Progress::clear() {
  if (terminal_) fmt::print(stderr, "\r\x1b[K");
  drawn_ = {};
}

void Progress::update(int64_t done) { update(done, total_); }

void Progress::update(int64_t done, int64_t total) {
  done_ = done;
  total_ = total;
  if (!terminal_ || steady_clock::now() - drawn_ < redraw_interval) return;
  draw();
}

void Progress::draw() {
  drawn_ = steady_clock::now();
  const double seconds = std::chrono::duration<double>(drawn_ - start_).count();
  if (total_ <= 0) {
    fmt::print(stderr, "\r\x1b[K{} {} ({:.0f} s)", label_, done_, seconds);
  } else {
    const double part = std::clamp(double(done_) / double(total_), 0.0, 1.0);
    const int filled = int(part * bar_width);
    fmt::print(stderr, "\r\x1b[K{} [{:=<{}}{: <{}}] {:3.0f} % ({:.0f} s", label_, "", filled, "",
               bar_width - filled, part * 100, seconds);
    if (done_ > 0) fmt::print(stderr, ", {:.0f} s left", seconds * (1 - part) / part);
    fmt::print(stderr, ")");
  }
  std::fflush(stderr);
}

}  // namespace mxref
