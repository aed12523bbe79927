// bench WHAT|all [--threads N] [--isa NAME] [--repeat N] [--json FILE]

#include <array>
#include <chrono>
#include <limits>

#include "eval/cli/command.h"
#include "eval/cli/options.h"
#include "tests/bench/bench.h"

namespace mxref::bench {
namespace {

struct Row {
  std::string_view name;
  Benchmark run;
};
constexpr std::array rows {
  Row{"gemm", bench_gemm}, Row{"scaling", bench_scaling}, Row{"quantize", bench_quantize},
#if MXREF_HAS_TORCH
      Row{"gptq", bench_gptq}, Row{"linear", bench_linear}, Row{"rest", bench_rest},
      Row{"model", bench_model},
#endif
#if MXREF_HAS_RTL
      Row{"rtl", bench_rtl},
#endif
};

int run(const std::vector<std::string>& args) {
  std::string what;
  int repeat = 20;
  std::filesystem::path json;
  CLI::App app("speeds beside oneDNN's and libtorch's", "bench");
  app.add_option("what", what, names_of(rows) + " or all")->required();
  add_number(
      app, "--repeat", repeat, 1, 100000,
      "rounds, fewer where they take long, down to 2; the best of each is told (default 20)");
  add_threads(app);
  add_isa(app);
  add_json(app, json);
  try {
    // CLI11 takes the arguments of a vector from its back.
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? exit_good : exit_wrong_use;
  }
  if (what != "all") find_by_name(rows, "benchmark", what);
  Record record("bench");
  for (const Row& row : rows)
    if (what == "all" || what == row.name) row.run(repeat, record);
  record.write(json);
  return exit_good;
}

}  // namespace

std::vector<double> best_seconds(int repeat, const std::vector<std::function<void()>>& works) {
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;
  constexpr Seconds enough(2.5);
  constexpr int least = 2;
  const auto begin = Clock::now();
  std::vector<double> best(works.size(), std::numeric_limits<double>::infinity());
  for (int round = 0; round < repeat; ++round) {
    if (round >= least && Clock::now() - begin > enough) break;
    for (size_t i = 0; i < works.size(); ++i) {
      const auto start = Clock::now();
      works[i]();
      best[i] = std::min(best[i], Seconds(Clock::now() - start).count());
    }
  }
  return best;
}

}  // namespace mxref::bench

int main(int argc, char** argv) {
  using namespace mxref;
  return report_errors("bench", [&] { return bench::run({argv + 1, argv + argc}); });
}
