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
  fmt::print("{:12}  {:8}  {:10}  {:>9}  {:>10}\n", "format", "rule", "rounding", "pre-scale",
             "Gelement/s");
  const auto measure = [&](const Conversion& conversion) {
    MxTensor q = quantize(x, {rows, K}, conversion);
    const double seconds = best_seconds(repeat, {[&] { kernels::quantize_rows(x.data(), q); }})[0];
    const double speed = double(x.size()) / seconds * 1e-9;
    fmt::print("{:12}  {:8}  {:10}  {:>9}  {:10.3f}\n", conversion.format->name,
               conversion.rule->name, conversion.rounding->name, to_string(conversion.prescale),
               speed);
    std::fflush(stdout);
    record.add({{"task", "quantize"},
                {"format", conversion.format->name},
                {"scale_rule", conversion.rule->name},
                {"rounding", conversion.rounding->name},
                {"prescale", to_string(conversion.prescale)},
                {"gelements_per_second", speed},
                {"isa", name_of(current_isa())},
                {"threads", 1}});
  };
  for (const BlockFormat& format : block_formats) {
    const Conversion conversion{.format = &format, .block = format.block};
    for (const ScaleRule& rule : scale_rules) {
      if (format.has_tensor_scale() && &rule != &scale_rules[0]) continue;
      Conversion by_rule = conversion;
      by_rule.rule = &rule;
      measure(by_rule);
    }
    for (const Rounding& rounding : roundings) {
      if (&rounding == &roundings[0]) continue;
      Conversion by_rounding = conversion;
      by_rounding.rounding = &rounding;
      measure(by_rounding);
    }
    if (format.has_tensor_scale()) continue;
    Conversion prescaled = conversion;
    prescaled.prescale = {3, 4};
    measure(prescaled);
  }
  set_threads(before);
}

}  // namespace mxref::bench
