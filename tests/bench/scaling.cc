// Time of a product against K and against the threads: both should grow as the work does.

#include <fmt/core.h>

#include <cstdio>

#include "emu/isa.h"
#include "emu/threads.h"
#include "tests/bench/bench.h"
#include "tests/bench/products.h"

namespace mxref::bench {

void bench_scaling(int repeat, Record& record) {
  struct Measured {
    std::string_view format, datapath;
  };
  static constexpr Measured measured[] = {
      {"mxfp4", "fused"},           {"mxfp8_e4m3", "fused"},
      {"mxfp8_e4m3", "sequential"}, {"mxfp8_e4m3", "tensorcore_mxf8"},
      {"mxfp4", "tensorcore_mxf4"}, {"nvfp4", "tensorcore_nvfp4"}};
  constexpr int64_t M = 256, N = 1024, least_K = 512, most_K = 8192;
  const int most_threads = threads();
  fmt::print("M,N = {},{}, {}; milliseconds, and M MAC/s a thread\n", M, N, name_of(current_isa()));
  fmt::print("{:12}  {:18}  {:>7}  {:>5}  {:>9}  {:>7}\n", "format", "datapath", "threads", "K",
             "ms", "M MAC/s");
  for (const Measured& m : measured)
    for (int count = 1; count <= most_threads; count *= 2)
      for (int64_t K = least_K; K <= most_K; K *= 2) {
        if (count > 1 && K < most_K) continue;  // the threads at one length
        set_threads(count);
        const Shape shape{M, N, K};
        const Binary32Product values(shape);
        const BlockFormat& format = block_format(m.format);
        QuantizedProduct product(values, shape, format, format, datapath(m.datapath));
        const double seconds = best_seconds(repeat, {[&] { product.run(); }})[0];
        const double mmacs = shape.macs() / seconds / count * 1e-6;
        fmt::print("{:12}  {:18}  {:7}  {:5}  {:9.3f}  {:7.0f}\n", m.format, m.datapath, count, K,
                   seconds * 1e3, mmacs);
        std::fflush(stdout);
        record.add({{"task", "scaling"},
                    {"format", m.format},
                    {"datapath", m.datapath},
                    {"m", M},
                    {"n", N},
                    {"k", K},
                    {"threads", count},
                    {"seconds", seconds},
                    {"mmacs_per_second_and_thread", mmacs},
                    {"isa", name_of(current_isa())}});
      }
  set_threads(most_threads);
}

}  // namespace mxref::bench
