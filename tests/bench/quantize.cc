// Conversion of activations, by one core.

#include <fmt/core.h>

#include <random>

#include "emu/isa.h"
#include "emu/kernels/kernels.h"
#include "emu/quantize.h"
#include "emu/threads.h"
#include "tests/bench/bench.h"

namespace mxref::bench {

void bench_quantize(int repeat, Record& record) {
  constexpr int64_t rows = 256, K = 4096;
  std::mt19937_64 random(1);
  std::normal_distribution<float> distribution;
  std::vector<float> x(rows * K);
  for (float& v : x) v = distribution(random);

  const int before = threads();
  set_threads(1);
  fmt::print("conversions, {}, one core\n", name_of(current_isa()));
  fmt::print("{:12}  {:>9}  {:>10}\n", "format", "pre-scale", "Gelement/s");
  for (const BlockFormat& format : block_formats)
    for (const Prescale p : {Prescale{}, Prescale{3, 4}}) {
      if (format.has_tensor_scale() && !p.is_one()) continue;
      MxTensor q = quantize(x, {rows, K}, {.format = &format, .prescale = p});
      const double seconds =
          best_seconds(repeat, {[&] { kernels::quantize_rows(x.data(), q); }})[0];
      const double speed = double(x.size()) / seconds * 1e-9;
      fmt::print("{:12}  {:>9}  {:10.3f}\n", format.name, to_string(p), speed);
      record.add({{"task", "quantize"},
                  {"format", format.name},
                  {"prescale", to_string(p)},
                  {"gelements_per_second", speed},
                  {"isa", name_of(current_isa())},
                  {"threads", 1}});
    }
  set_threads(before);
}

}  // namespace mxref::bench
