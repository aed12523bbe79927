// The rest of a model as `strict` computes it, beside what the library takes for the same: oneDNN's
// products of unquantized operands, libtorch's functions, softmax and norm.

#include "emu/rest.h"

#include <ATen/ops/_softmax.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/silu.h>
#include <ATen/Parallel.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "emu/isa.h"
#include "emu/threads.h"
#include "golden/models/rest.h"
#include "tests/bench/bench.h"
#include "tests/bench/products.h"

namespace mxref::bench {
namespace {

// The width of SmolLM2, its MLP's and its heads'; the positions of a window.
constexpr int64_t width = 576, mlp_width = 1536, head_dim = 64, positions = 1024;

struct Rows {
  int64_t count, length;
  int64_t size() const { return count * length; }
};

at::Tensor tensor_of(std::vector<float>& x, const Rows& rows) {
  return at::from_blob(x.data(), {rows.count, rows.length});
}

class RestBench {
 public:
  RestBench(int repeat, Record& record) : repeat_(repeat), record_(record) {}
  void product(const Shape& s);
  void exp();
  void activations();
  void softmax();
  void rms_norm();

 private:
  using Work = std::function<void()>;
  // `libraries`: the ways in which the library does it, the fastest of which counts.
  void measure(std::string_view what, const std::string& shape, const Work& strict,
               std::vector<Work> libraries);

  int repeat_;
  Record& record_;
};

void RestBench::measure(std::string_view what, const std::string& shape, const Work& strict,
                        std::vector<Work> libraries) {
  libraries.push_back(strict);
  const std::vector<double> seconds = best_seconds(repeat_, libraries);
  const double ours = seconds.back(), library = *std::min_element(seconds.begin(), --seconds.end());
  fmt::print("{:>8}  {:>14}  {:8.3f}  {:8.3f}  {:6.2f}\n", what, shape, ours * 1e3, library * 1e3,
             library / ours);
  std::fflush(stdout);
  record_.add({{"task", "rest"},
               {"operation", what},
               {"shape", shape},
               {"seconds", ours},
               {"library_seconds", library},
               {"ratio", library / ours},
               {"isa", name_of(current_isa())},
               {"threads", threads()}});
}

// Weights are prepared ahead on both sides.
void RestBench::product(const Shape& s) {
  Binary32Product binary32(s);
  const auto b = rest::PackedMatrix::of_rows(binary32.b.data(), s.N, s.K, s.K);
  std::vector<float> d(size_t(s.M * s.N));
  measure("product", fmt::format("{},{},{}", s.M, s.N, s.K),
          [&] { rest::product(binary32.a.data(), s.M, b, d.data()); },
          {[&] { binary32.matmul(); }, [&] { binary32.sgemm(); }});
}

// As in attention: normally distributed scores less the largest of their row.
void RestBench::exp() {
  constexpr Rows rows{positions, positions};
  std::vector<float> x = normal(rows.size(), 1), y(x.size());
  for (auto row = x.begin(); row != x.end(); row += rows.length) {
    const float largest = *std::max_element(row, row + rows.length);
    std::for_each(row, row + rows.length, [&](float& v) { v -= largest; });
  }
  const at::Tensor in = tensor_of(x, rows);
  at::Tensor out = at::empty_like(in);
  measure("exp", std::to_string(rows.size()), [&] { rest::exp(x.data(), rows.size(), y.data()); },
          {[&] { at::exp_out(out, in); }});
}

// Of a window's normally distributed gates.
void RestBench::activations() {
  constexpr Rows rows{positions, mlp_width};
  std::vector<float> x = normal(rows.size(), 1), y(x.size());
  const at::Tensor in = tensor_of(x, rows);
  at::Tensor out = at::empty_like(in);
  measure("silu", std::to_string(rows.size()), [&] { rest::silu(x.data(), rows.size(), y.data()); },
          {[&] { at::silu_out(out, in); }});
  measure("gelu", std::to_string(rows.size()), [&] { rest::gelu(x.data(), rows.size(), y.data()); },
          {[&] { at::gelu_out(out, in, "none"); }});
}

// Products of normally distributed queries and keys are so too, with the deviation sqrt(head_dim).
// The library gets them scaled, as its product does that on the way; strict scales them here.
void RestBench::softmax() {
  constexpr Rows rows{positions, positions};
  std::vector<float> scaled = normal(rows.size(), 1), scores = scaled, p(scaled.size());
  const float factor = 1 / std::sqrt(float(head_dim));
  for (float& v : scores) v /= factor;
  const at::Tensor in = tensor_of(scaled, rows);
  at::Tensor out = at::empty_like(in);
  measure("softmax", fmt::format("{},{}", rows.count, rows.length),
          [&] { rest::softmax(scores.data(), rows.count, rows.length, factor, p.data()); },
          {[&] { at::_softmax_out(out, in, -1, /*half_to_float=*/false); }});
}

// A window's normally distributed rows; both as a model calls them, which makes a new tensor.
void RestBench::rms_norm() {
  constexpr Rows rows{positions, width};
  constexpr double eps = 1e-5;
  std::vector<float> x = normal(rows.size(), 1), w = normal(width, 2);
  const at::Tensor in = tensor_of(x, rows), weights = at::from_blob(w.data(), {width});
  measure("RMSNorm", fmt::format("{},{}", rows.count, rows.length),
          [&] { strict_rest().rms_norm(in, weights, eps); },
          {[&] { library_rest().rms_norm(in, weights, eps); }});
}

}  // namespace

void bench_rest(int repeat, Record& record) {
  limit_libraries();
  at::set_num_threads(threads());
  fmt::print(
      "the rest of a model, strict, {}, {} threads; milliseconds; ratios: to the faster of\n"
      "oneDNN's two products, and to libtorch's function\n",
      name_of(current_isa()), threads());
  fmt::print("{:>8}  {:>14}  {:>8}  {:>8}  {:>6}\n", "what", "shape", "strict", "library", "ratio");
  RestBench bench(repeat, record);
  for (const Shape& s : shapes) bench.product(s);
  bench.exp();
  bench.activations();
  bench.softmax();
  bench.rms_norm();
}

}  // namespace mxref::bench
