#include "eval/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

extern char** environ;

namespace mxref {
namespace {

class IgnoreInterrupts {
 public:
  IgnoreInterrupts() : old_(signal(SIGINT, SIG_IGN)) {}
  ~IgnoreInterrupts() { signal(SIGINT, old_); }

 private:
  sighandler_t old_;
};

// The child's end, or that it was killed at the limit → what run_program returns.
int wait_for(pid_t child, std::optional<std::chrono::seconds> limit) {
  using namespace std::chrono_literals;
  const auto start = std::chrono::steady_clock::now();
  int status = 0;
  pid_t ended = 0;
  for (auto pause = 1ms; limit && ended == 0; pause = std::min(pause * 2, 32ms)) {
    ended = waitpid(child, &status, WNOHANG);
    if (ended != 0) break;
    if (std::chrono::steady_clock::now() - start > *limit) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return program_out_of_time;
    }
    std::this_thread::sleep_for(pause);
  }
  if (!limit) ended = waitpid(child, &status, 0);
  if (ended != child) return program_not_started;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int run_program(const std::vector<std::string>& words, const std::filesystem::path& output,
                std::optional<std::chrono::seconds> limit) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (!output.empty())
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, output.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  posix_spawnattr_setsigdefault(&attributes, &interrupt);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

  const IgnoreInterrupts ignore;
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, words[0].c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error != 0 ? program_not_started : wait_for(child, limit);
}

}  // namespace mxref
