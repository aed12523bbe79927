// mutants_DESIGN BLOCKS SEED NUMBER…: the bench of the design's unit on the design with each of
// these mutants inside. Prints a line of JSON for each.

#include <charconv>
#include <cstdio>
#include <string>

#include "emu/error.h"
#include "tests/mutants/mutant.h"

namespace mxref {
namespace {

int64_t number(const char* word) {
  int64_t value = 0;
  const char* end = word + std::char_traits<char>::length(word);
  if (const auto read = std::from_chars(word, end, value); read.ptr != end || value < 0)
    throw UsageError("not a number: " + std::string(word));
  return value;
}

void run(int argc, char** argv) {
  if (argc < 4) throw UsageError("usage: mutants BLOCKS SEED NUMBER...");
  for (int i = 3; i < argc; ++i) {
    const int64_t mutant = number(argv[i]);
    const MutantRun done = run_mutant(uint16_t(mutant), number(argv[1]), uint64_t(number(argv[2])));
    const std::string first_line = done.failure.substr(0, done.failure.find('\n'));
    std::printf(
        "{\"number\": %lld, \"killed\": %s, \"cycles\": %lld, \"compared\": %lld, \"by\": "
        "\"%s\"}\n",
        static_cast<long long>(mutant), done.failure.empty() ? "false" : "true",
        static_cast<long long>(done.cycles), static_cast<long long>(done.compared),
        first_line.c_str());
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace mxref

int main(int argc, char** argv) {
  try {
    mxref::run(argc, argv);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
