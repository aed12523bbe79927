// The simulated arrays as engines run them, scale, accumulation and handshake included: the
// Verilated one, and the SystemC model as a share of it.

#include <fmt/core.h>

#include <ctime>
#include <random>

#include "emu/quantize.h"
#include "emu/systemc/systemc_array.h"
#include "emu/threads.h"
#include "rtl_models/engine/rtl_engine.h"
#include "tests/bench/bench.h"

namespace mxref::bench {
namespace {

struct Speed {
  double mmacs_per_second, mmacs_per_cpu_second, cycles_per_second;
};

// (rows,K), normal
MxTensor draw(const BlockFormat& format, int64_t rows, int64_t K, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> distribution;
  std::vector<float> x(size_t(rows * K));
  for (float& v : x) v = distribution(random);
  return quantize(x, {rows, K}, {.format = &format});
}

Speed measure(Engine& engine, const BlockFormat& format, int repeat) {
  constexpr int64_t M = 64, N = 64, K = 576;
  const MxTensor a = draw(format, M, K, 1);
  const auto b = engine.prepare(draw(format, N, K, 2), datapath("fused"));
  std::vector<float> d(size_t(M * N));
  const int64_t before = engine.cost().cycles;
  engine.multiply(a, *b, {}, d);
  const int64_t cycles = engine.cost().cycles - before;
  // The processor time beside the wall clock, of all rounds: what a busy machine leaves of the
  // latter varies.
  const std::clock_t start = std::clock();
  const double seconds = best_seconds(repeat, {[&] { engine.multiply(a, *b, {}, d); }})[0];
  const double cpu_seconds = double(std::clock() - start) / CLOCKS_PER_SEC / repeat;
  const double mmacs = double(M * N * K) * 1e-6;
  return {mmacs / seconds, mmacs / cpu_seconds, double(cycles) / seconds};
}

}  // namespace

void bench_rtl(int repeat, Record& record) {
  fmt::print("arrays of 8×8, {} thread(s), (M,N,K) = (64,64,576)\n", threads());
  fmt::print("{:8}  {:12}  {:>8}  {:>9}  {:>12}  {:>9}\n", "engine", "format", "M MAC/s",
             "k cycle/s", "M MAC/CPU s", "of rtl");
  const auto rtl = make_rtl_engine(), systemc = make_systemc_engine();
  for (const BlockFormat& format : block_formats) {
    if (!rtl->refuses(format, format, format.block, datapath("fused")).empty()) continue;
    double of_rtl = 0;
    for (Engine* engine : {rtl.get(), systemc.get()}) {
      const Speed speed = measure(*engine, format, repeat);
      if (engine == rtl.get()) of_rtl = speed.mmacs_per_second;
      fmt::print("{:8}  {:12}  {:8.0f}  {:9.0f}  {:12.0f}  {:9.3f}\n", engine->name(), format.name,
                 speed.mmacs_per_second, speed.cycles_per_second * 1e-3, speed.mmacs_per_cpu_second,
                 speed.mmacs_per_second / of_rtl);
      record.add({{"task", "rtl"},
                  {"engine", engine->name()},
                  {"format", format.name},
                  {"mmacs_per_second", speed.mmacs_per_second},
                  {"mmacs_per_cpu_second", speed.mmacs_per_cpu_second},
                  {"cycles_per_second", speed.cycles_per_second},
                  {"threads", threads()}});
    }
  }
}

}  // namespace mxref::bench
