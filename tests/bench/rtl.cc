// The Verilated array as the engine `rtl` runs it: scale, accumulation and handshake included.

#include "rtl_models/engine/rtl_engine.h"

#include <fmt/core.h>

#include <ctime>
#include <random>

#include "emu/quantize.h"
#include "emu/threads.h"
#include "tests/bench/bench.h"

namespace mxref::bench {

void bench_rtl(int repeat, Record& record) {
  constexpr int64_t M = 64, N = 64, K = 576;
  std::mt19937_64 random(1);
  std::normal_distribution<float> distribution;
  const auto draw = [&](int64_t rows, const BlockFormat& format) {
    std::vector<float> x(size_t(rows * K));
    for (float& v : x) v = distribution(random);
    return quantize(x, {rows, K}, {.format = &format});
  };
  fmt::print("Verilated array, {} thread(s), (M,N,K) = ({},{},{})\n", threads(), M, N, K);
  fmt::print("{:12}  {:>8}  {:>9}  {:>12}\n", "format", "M MAC/s", "k cycle/s", "M MAC/CPU s");
  const auto engine = make_rtl_engine();
  for (const BlockFormat& format : block_formats) {
    if (!engine->refuses(format, format, format.block, datapath("fused")).empty()) continue;
    const MxTensor a = draw(M, format);
    const auto b = engine->prepare(draw(N, format), datapath("fused"));
    std::vector<float> d(size_t(M * N));
    const int64_t before = engine->cost().cycles;
    engine->multiply(a, *b, {}, d);
    const int64_t cycles = engine->cost().cycles - before;
    // The processor time beside the wall clock, of all rounds: what a busy machine leaves of the
    // latter varies.
    const std::clock_t start = std::clock();
    const double seconds = best_seconds(repeat, {[&] { engine->multiply(a, *b, {}, d); }})[0];
    const double cpu_seconds = double(std::clock() - start) / CLOCKS_PER_SEC / repeat;
    const double mmacs = double(M * N * K) * 1e-6;
    fmt::print("{:12}  {:8.0f}  {:9.0f}  {:12.0f}\n", format.name, mmacs / seconds,
               double(cycles) / seconds * 1e-3, mmacs / cpu_seconds);
    record.add({{"task", "rtl"},
                {"format", format.name},
                {"mmacs_per_second", mmacs / seconds},
                {"mmacs_per_cpu_second", mmacs / cpu_seconds},
                {"cycles_per_second", double(cycles) / seconds},
                {"threads", threads()}});
  }
}

}  // namespace mxref::bench
