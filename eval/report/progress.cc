#include "eval/report/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace mxref {
namespace {

using std::chrono::steady_clock;

constexpr int widest_bar = 30, narrowest_bar = 5;
constexpr std::chrono::milliseconds redraw_interval{100};

// Of the terminal on standard error.
int columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// "[===   ]", or nothing where there is no room: a line that wraps could not be taken away.
std::string bar(double part, int room) {
  const int width = std::min(widest_bar, room - 3);
  if (width < narrowest_bar) return "";
  const int filled = int(part * width);
  return fmt::format(" [{:=<{}}{: <{}}]", "", filled, "", width - filled);
}

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
    const std::string left =
        done_ > 0 ? fmt::format(", {:.0f} s left", seconds * (1 - part) / part) : "";
    const std::string tail = fmt::format(" {:3.0f} % ({:.0f} s{})", part * 100, seconds, left);
    const int room = columns() - 1 - int(label_.size() + tail.size());
    fmt::print(stderr, "\r\x1b[K{}{}{}", label_, bar(part, room), tail);
  }
  std::fflush(stderr);
}

void progress_line(std::string_view line) {
  if (isatty(STDERR_FILENO)) fmt::print(stderr, "{}\n", line);
}

void StageBars::update(std::string_view stage, int64_t done, int64_t total,
                       const std::string& note) {
  if (stage != stage_) {
    bar_.reset();
    stage_ = stage;
    bar_.emplace(stage_, total);
  }
  if (!note.empty()) {
    bar_->clear();
    progress_line(fmt::format("{} {} of {}: {}", stage, done, total, note));
  }
  bar_->update(done, total);
}

}  // namespace mxref
