// The Verilated array as the engine `rtl` runs it: scale, accumulation and handshake included.

#include "rtl_models/engine/rtl_engine.h"

#include <fmt/core.h>

#include <random>

#include "emu/quantize.h"
#include "emu/threads.h"
#include "tests/bench/bench.h"

namespace mxref::bench {

void bench_rtl(int repeat, Record& record) {
  constexpr int64_t M = 64, N = 64, K = 4096;
  std::mt19937_64 random(1);
  std::normal_distribution<float> distribution;
  const auto draw = [&](int64_t rows, const BlockFormat& format) {
    std::vector<float> x(size_t(rows * K));
    for (float& v : x) v = distribution(random);
    return quantize(x, {rows, K}, {.format = &format});
  };
  fmt::print("Verilated array, {} thread(s), (M,N,K) = ({},{},{})\n", threads(), M, N, K);
  fmt::print("{:12}  {:>8}  {:>9}\n", "format", "M MAC/s", "k cycle/s");
  const auto engine = make_rtl_engine();
  for (const BlockFormat& format : block_formats) {
    const MxTensor a = draw(M, format);
    const auto b = engine->prepare(draw(N, format), datapath("fused"));
    std::vector<float> d(size_t(M * N));
    const int64_t before = engine->cost().cycles;
    engine->multiply(a, *b, {}, d);
    const int64_t cycles = engine->cost().cycles - before;
    const double seconds = best_seconds(repeat, {[&] { engine->multiply(a, *b, {}, d); }})[0];
    const double speed = double(M * N * K) / seconds * 1e-6;
    fmt::print("{:12}  {:8.0f}  {:9.0f}\n", format.name, speed, double(cycles) / seconds * 1e-3);
    record.add({{"task", "rtl"},
                {"format", format.name},
                {"mmacs_per_second", speed},
                {"cycles_per_second", double(cycles) / seconds},
                {"threads", threads()}});
  }
}

}  // namespace mxref::bench
