// mutants_DATAPATH BLOCKS SEED NUMBER…: the lock-step bench on the array with each of these mutants
// inside, until it is killed or BLOCKS block products are done. Prints a line of JSON for each. The
// array has no assertions: the outputs alone decide.

#include <charconv>
#include <cstdio>
#include <string>

#include "rtl_models/cosim/lock_step.h"
#include "rtl_models/engine/verilated_model.h"
#include MXREF_MODEL_HEADER

namespace mxref {
namespace {

class MutantArray : public VerilatedArray<BenchArray, MXREF_MODEL> {
 public:
  MutantArray(const ArrayDesign& design, uint16_t mutant) : VerilatedArray(design) {
    model_.mutant_i = mutant;
  }
  int64_t assertions_failed() const override { return 0; }
  void open_waves(const std::filesystem::path&) override {}
  std::string coverage() override { return ""; }
};

int64_t number(const char* word) {
  int64_t value = 0;
  const char* end = word + std::char_traits<char>::length(word);
  if (const auto read = std::from_chars(word, end, value); read.ptr != end || value < 0)
    throw UsageError("not a number: " + std::string(word));
  return value;
}

void run(int argc, char** argv) {
  if (argc < 4) throw UsageError("usage: mutants BLOCKS SEED NUMBER...");
  const ArrayDesign design{.shape = {2, 2}, .datapath = &datapath(MXREF_DATAPATH)};
  const CosimOptions options{.blocks = number(argv[1]), .seed = uint64_t(number(argv[2]))};
  for (int i = 3; i < argc; ++i) {
    const int64_t mutant = number(argv[i]);
    CosimResult result;
    LockStep bench(options, std::make_unique<MutantArray>(design, uint16_t(mutant)));
    bench.run(result, [&] { return result.blocks >= options.blocks; });
    std::printf(
        "{\"number\": %lld, \"killed\": %s, \"signal\": \"%s\", \"cycles\": %lld, \"blocks\": "
        "%lld}\n",
        static_cast<long long>(mutant), result.passed() ? "false" : "true", bench.signal().c_str(),
        static_cast<long long>(result.cycles), static_cast<long long>(result.blocks));
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
