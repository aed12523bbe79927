#pragma once
// Runs a program that was built, as a person would: exit code, standard output, standard error.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "emu/files/atomic_file.h"
#include "tests/temporary_folder.h"

namespace mxref {

struct Outcome {
  int code;  // 128 + the signal's number where a signal ended it
  std::string out, err;
};

struct Surroundings {
  std::map<std::string, std::string> environment = {};
  std::string stdout_file = {};  // where standard output goes instead
  int64_t file_size_limit = -1;  // bytes that a file may grow to: what a full disk does to writes
};

inline Outcome run_program(const std::string& name, const std::vector<std::string>& args,
                           const Surroundings& in = {}) {
  const TemporaryFolder folder;
  const std::string out = in.stdout_file.empty() ? folder / "out" : in.stdout_file;
  const std::string err = folder / "err";
  std::vector<char*> argv;
  std::string program = MXREF_BINARY_DIR "/bin/" + name;
  argv.push_back(program.data());
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    for (const auto& [name, value] : in.environment) setenv(name.c_str(), value.c_str(), 1);
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(open(out.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
    dup2(open(err.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
    if (in.file_size_limit >= 0) {
      const auto limit = rlim_t(in.file_size_limit);
      const rlimit both = {limit, limit};
      setrlimit(RLIMIT_FSIZE, &both);
    }
    execv(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, in.stdout_file.empty() ? read_file(out) : "", read_file(err)};
}

inline Outcome run_mxref(const std::vector<std::string>& args, const Surroundings& in = {}) {
  return run_program("mxref", args, in);
}

// The files of a folder: what a failed run must not have added to.
inline std::vector<std::string> files_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename());
  return names;
}

}  // namespace mxref
