// The engine `kernel` beside oneDNN's binary32 product. In both, weights are
// prepared ahead and activations are not.

#include <fmt/core.h>
#include <cstdio>
#include <oneapi/dnnl/dnnl.hpp>
#include <random>

#include "emu/engine.h"
#include "emu/gemm.h"
#include "emu/isa.h"
#include "emu/quantize.h"
#include "emu/threads.h"
#include "tests/bench/bench.h"

namespace mxref::bench {
namespace {

struct Shape {
  int64_t M, N, K;
};
constexpr Shape shapes[] = {{256, 1536, 576}, {512, 2048, 2048}, {1024, 4096, 4096}};

std::vector<float> normal(int64_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> distribution;
  std::vector<float> x(static_cast<size_t>(count));
  for (float& v : x) v = distribution(random);
  return x;
}

// oneDNN's product a (M,K) × b (N,K), which takes no wider instructions than `kernel` does.
class Binary32Product {
 public:
  Binary32Product(Shape s, std::vector<float>& a, std::vector<float>& b, std::vector<float>& d)
      : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    using dnnl::memory;
    using Tag = memory::format_tag;
    const auto binary32 = memory::data_type::f32;
    const memory::desc a_desc({s.M, s.K}, binary32, Tag::ab);
    const memory::desc b_desc({s.K, s.N}, binary32, Tag::ba);
    const memory::desc b_any({s.K, s.N}, binary32, Tag::any);
    const memory::desc d_desc({s.M, s.N}, binary32, Tag::ab);
    const dnnl::matmul::primitive_desc desc({a_desc, b_any, d_desc}, engine_);
    product_ = dnnl::matmul(desc);
    memory b_plain(b_desc, engine_, b.data()), b_packed(desc.weights_desc(), engine_);
    dnnl::reorder(b_plain, b_packed).execute(stream_, b_plain, b_packed);
    stream_.wait();
    arguments_ = {{DNNL_ARG_SRC, memory(a_desc, engine_, a.data())},
                  {DNNL_ARG_WEIGHTS, b_packed},
                  {DNNL_ARG_DST, memory(d_desc, engine_, d.data())}};
  }
  void run() {
    product_.execute(stream_, arguments_);
    stream_.wait();
  }

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  dnnl::matmul product_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

void limit_onednn() {
  switch (current_isa()) {
    case Isa::portable:
      dnnl::set_max_cpu_isa(dnnl::cpu_isa::sse41);
      break;
    case Isa::avx2:
      dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
      break;
    case Isa::avx512:
      dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core);
      break;
    case Isa::avx512vnni:
      break;
  }
}

// A pair of formats, converted as the recipes do: mxfp4 with pre-scale 3/4.
struct QuantizedProduct {
  QuantizedProduct(Shape s, const std::vector<float>& a, const std::vector<float>& b,
                   const BlockFormat& format_a, const BlockFormat& format_b,
                   const Datapath& datapath)
      : engine(make_kernel_engine()) {
    const auto convert = [](const std::vector<float>& x, int64_t rows, int64_t K,
                            const BlockFormat& format) {
      const Prescale p = &format == &block_formats[0] ? Prescale{3, 4} : Prescale{};
      return quantize(x, {rows, K}, {.format = &format, .prescale = p, .block = format.block});
    };
    this->a = convert(a, s.M, s.K, format_a);
    this->b = engine->prepare(convert(b, s.N, s.K, format_b), datapath);
    d.resize(size_t(s.M * s.N));
  }
  std::unique_ptr<Engine> engine;
  MxTensor a;
  std::unique_ptr<PreparedOperand> b;
  std::vector<float> d;
};

// What is measured: on `fused` every pair of formats, on the others some.
struct Product {
  const BlockFormat *a, *b;
  const Datapath* datapath;
};
std::vector<Product> all_products() {
  std::vector<Product> products;
  for (const BlockFormat& b : block_formats)
    for (const BlockFormat& a : block_formats)
      if (no_product(a, b, a.block, datapath("fused")).empty())
        products.push_back({&a, &b, &datapath("fused")});
  for (const Datapath& path : datapaths)
    for (const std::string_view name : {"mxfp4", "mxfp8_e4m3", "mxint8", "nvfp4"}) {
      const BlockFormat& format = block_format(name);
      if (path.kind != Accumulation::fused &&
          no_product(format, format, format.block, path).empty())
        products.push_back({&format, &format, &path});
    }
  return products;
}

}  // namespace

void bench_gemm(int repeat, Record& record) {
  limit_onednn();
  fmt::print("products, {}, {} threads; ratio: to the faster of oneDNN's two\n",
             name_of(current_isa()), threads());
  fmt::print("{:>14}  {:16} {:24}  {:>8}  {:>6}\n", "M,N,K", "datapath", "formats", "GMAC/s",
             "ratio");
  for (const Shape& s : shapes) {
    std::vector<float> a = normal(s.M * s.K, 1), b = normal(s.N * s.K, 2);
    std::vector<float> d(size_t(s.M * s.N));
    const auto macs = double(s.M) * double(s.N) * double(s.K);
    Binary32Product prepared(s, a, b, d);
    const std::vector<double> yardstick =
        best_seconds(repeat, {[&] { prepared.run(); },
                              [&] {
                                dnnl_sgemm('N', 'T', s.M, s.N, s.K, 1, a.data(), s.K, b.data(), s.K,
                                           0, d.data(), s.N);
                              }});
    const auto tell = [&](std::string_view datapath, const std::string& formats, double seconds,
                          double binary32) {
      fmt::print("{:>14}  {:16} {:24}  {:8.2f}  {:6.2f}\n", fmt::format("{},{},{}", s.M, s.N, s.K),
                 datapath, formats, macs / seconds * 1e-9, binary32 / seconds);
      std::fflush(stdout);
      record.add({{"task", "gemm"},
                  {"m", s.M},
                  {"n", s.N},
                  {"k", s.K},
                  {"datapath", datapath},
                  {"product", formats},
                  {"seconds", seconds},
                  {"ratio", binary32 / seconds},
                  {"isa", name_of(current_isa())},
                  {"threads", threads()}});
    };
    tell("", "fp32, oneDNN matmul", yardstick[0], yardstick[0]);
    tell("", "fp32, oneDNN sgemm", yardstick[1], yardstick[0]);
    for (const Product& product : all_products()) {
      QuantizedProduct p(s, a, b, *product.a, *product.b, *product.datapath);
      // Beside the yardstick again, so that what else the machine does meets both alike.
      const std::vector<double> seconds =
          best_seconds(repeat, {[&] { prepared.run(); },
                                [&] {
                                  dnnl_sgemm('N', 'T', s.M, s.N, s.K, 1, a.data(), s.K, b.data(),
                                             s.K, 0, d.data(), s.N);
                                },
                                [&] { p.engine->multiply(p.a, *p.b, {}, p.d); }});
      tell(product.datapath->name,
           std::string(product.a->name) + " × " + std::string(product.b->name), seconds[2],
           std::min(seconds[0], seconds[1]));
    }
  }
}

}  // namespace mxref::bench
