#pragma once
// The products that benchmarks measure, and oneDNN's as the yardstick. In both, weights are
// prepared ahead and activations are not.

#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "emu/engine.h"
#include "emu/gemm.h"

namespace mxref::bench {

struct Shape {
  int64_t M, N, K;
  double macs() const { return double(M) * double(N) * double(K); }
};
inline constexpr Shape shapes[] = {{256, 1536, 576}, {512, 2048, 2048}, {1024, 4096, 4096}};

std::vector<float> normal(int64_t count, uint64_t seed);

// oneDNN and libtorch take no wider instructions than `kernel` does; to be called before either is
// first used. By itself libtorch 1.13 stays at AVX2: ATEN_CPU_CAPABILITY=avx512 changes that.
void limit_libraries();

// oneDNN's product a (M,K) × b (N,K) by its two ways.
class Binary32Product {
 public:
  Binary32Product(Shape shape, uint64_t seed = 1);
  void matmul();
  void sgemm();

  std::vector<float> a, b;

 private:
  Shape shape_;
  std::vector<float> d_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  dnnl::matmul product_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

// What the codes of the operands are: those of normally distributed values, about as a model's; or
// any that are finite, each as often, all under one scale.
enum class Data { normal, any };

// A pair of formats on a datapath. Conversion as the recipes do: mxfp4 with pre-scale 3/4.
class QuantizedProduct {
 public:
  QuantizedProduct(const Binary32Product& values, Shape shape, const BlockFormat& a,
                   const BlockFormat& b, const Datapath& datapath, Data data = Data::normal);
  void run() { engine_->multiply(a_, *b_, {}, d_); }

 private:
  std::unique_ptr<Engine> engine_;
  MxTensor a_;
  std::unique_ptr<PreparedOperand> b_;
  std::vector<float> d_;
};

}  // namespace mxref::bench
