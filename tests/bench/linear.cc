// A linear layer of a model as the recipes compute it, activations converted as they come, beside
// libtorch's in binary32 and, since some builds of libtorch have a slow BLAS, oneDNN's.

#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/Parallel.h>
#include <fmt/core.h>

#include "emu/isa.h"
#include "emu/threads.h"
#include "golden/models/linear.h"
#include "tests/bench/bench.h"
#include "tests/bench/products.h"

namespace mxref::bench {

void bench_linear(int repeat, Record& record) {
  limit_libraries();
  at::set_num_threads(threads());
  fmt::print(
      "linear layers, {}, {} threads; ratios: to libtorch's layer in binary32, and to the\n"
      "faster of oneDNN's two products\n",
      name_of(current_isa()), threads());
  fmt::print("{:>14}  {:8}  {:>8}  {:>8}  {:>6}\n", "M,N,K", "recipe", "GMAC/s", "libtorch",
             "oneDNN");
  for (const Shape& s : shapes) {
    Binary32Product binary32(s);
    const at::Tensor x = at::from_blob(binary32.a.data(), {s.M, s.K});
    const at::Tensor w = at::from_blob(binary32.b.data(), {s.N, s.K});
    for (const char* name : {"w4a4", "w4a8", "w8a8"}) {
      const Recipe recipe = parse_recipe(name);
      const auto engine = make_kernel_engine();
      const LinearLayer layer("", {w, {}}, {}, linear_recipe(recipe, ""),
                              &datapath(recipe.datapath), engine.get(), strict_rest());
      const std::vector<double> seconds = best_seconds(
          repeat, {[&] { at::linear(x, w); }, [&] { binary32.matmul(); }, [&] { binary32.sgemm(); },
                   [&] {
                     LinearInput input(x);
                     layer(input);
                   }});
      const double to_torch = seconds[0] / seconds[3];
      const double to_onednn = std::min(seconds[1], seconds[2]) / seconds[3];
      fmt::print("{:>14}  {:8}  {:8.2f}  {:8.2f}  {:6.2f}\n",
                 fmt::format("{},{},{}", s.M, s.N, s.K), name, s.macs() / seconds[3] * 1e-9,
                 to_torch, to_onednn);
      record.add({{"task", "linear"},
                  {"m", s.M},
                  {"n", s.N},
                  {"k", s.K},
                  {"recipe", name},
                  {"seconds", seconds[3]},
                  {"ratio_to_libtorch", to_torch},
                  {"ratio", to_onednn},
                  {"isa", name_of(current_isa())},
                  {"threads", threads()}});
    }
  }
}

}  // namespace mxref::bench
