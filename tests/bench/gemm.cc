// The engine `kernel` beside oneDNN's binary32 product.

#include <fmt/core.h>

#include <cstdio>

#include "emu/isa.h"
#include "emu/threads.h"
#include "tests/bench/bench.h"
#include "tests/bench/products.h"

namespace mxref::bench {
namespace {

// What is measured: on `fused` every pair of formats, on the others some; and a few with any codes.
struct Product {
  const BlockFormat *a, *b;
  const Datapath* datapath;
  Data data = Data::normal;
};
std::vector<Product> all_products() {
  std::vector<Product> products;
  const Datapath& fused = datapath("fused");
  for (const BlockFormat& b : block_formats)
    for (const BlockFormat& a : block_formats)
      if (no_product(a, b, a.block, fused).empty()) products.push_back({&a, &b, &fused});
  for (const Datapath& path : datapaths)
    for (const std::string_view name : {"mxfp4", "mxfp8_e4m3", "mxint8", "nvfp4"}) {
      const BlockFormat& format = block_format(name);
      if (path.kind != Accumulation::fused &&
          no_product(format, format, format.block, path).empty())
        products.push_back({&format, &format, &path});
    }
  const BlockFormat &mxfp4 = block_format("mxfp4"), &mxfp8 = block_format("mxfp8_e4m3");
  products.push_back({&mxfp4, &mxfp4, &fused, Data::any});
  products.push_back({&mxfp4, &mxfp8, &fused, Data::any});
  products.push_back({&mxfp8, &mxfp8, &fused, Data::any});
  products.push_back({&mxfp8, &mxfp8, &datapath("blockwise"), Data::any});
  return products;
}

}  // namespace

void bench_gemm(int repeat, Record& record) {
  limit_libraries();
  fmt::print("products, {}, {} threads; ratio: to the faster of oneDNN's two\n",
             name_of(current_isa()), threads());
  fmt::print("{:>14}  {:18} {:24} {:8}  {:>8}  {:>6}\n", "M,N,K", "datapath", "formats", "data",
             "GMAC/s", "ratio");
  for (const Shape& s : shapes) {
    Binary32Product binary32(s);
    const auto tell = [&](std::string_view datapath, const std::string& formats, Data data,
                          double seconds, double yardstick) {
      const std::string_view of_data = data == Data::normal ? "normal" : "any";
      fmt::print("{:>14}  {:18} {:24} {:8}  {:8.2f}  {:6.2f}\n",
                 fmt::format("{},{},{}", s.M, s.N, s.K), datapath, formats, of_data,
                 s.macs() / seconds * 1e-9, yardstick / seconds);
      std::fflush(stdout);
      record.add({{"task", "gemm"},
                  {"m", s.M},
                  {"n", s.N},
                  {"k", s.K},
                  {"datapath", datapath},
                  {"product", formats},
                  {"data", of_data},
                  {"seconds", seconds},
                  {"ratio", yardstick / seconds},
                  {"isa", name_of(current_isa())},
                  {"threads", threads()}});
    };
    const std::vector<double> yardstick =
        best_seconds(repeat, {[&] { binary32.matmul(); }, [&] { binary32.sgemm(); }});
    tell("", "fp32, oneDNN matmul", Data::normal, yardstick[0], yardstick[0]);
    tell("", "fp32, oneDNN sgemm", Data::normal, yardstick[1], yardstick[0]);
    for (const Product& product : all_products()) {
      // Slow, and with the same speed in any shape (see `scaling`).
      if (product.datapath->kind == Accumulation::aligned && &s != &shapes[0]) continue;
      QuantizedProduct p(binary32, s, *product.a, *product.b, *product.datapath, product.data);
      // Beside the yardstick again, so that what else the machine does meets both alike.
      const std::vector<double> seconds = best_seconds(
          repeat, {[&] { binary32.matmul(); }, [&] { binary32.sgemm(); }, [&] { p.run(); }});
      tell(product.datapath->name,
           std::string(product.a->name) + " × " + std::string(product.b->name), product.data,
           seconds[2], std::min(seconds[0], seconds[1]));
    }
  }
}

}  // namespace mxref::bench
