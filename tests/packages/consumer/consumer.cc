// A program in C++ over the installed headers, every one of them: the product of two rows of ones.
#include <cstdio>

#include "all_headers.h"

int main() {
  const std::vector<float> x(64, 1);
  const mxref::MxTensor a =
      mxref::quantize(x, {2, 32}, {.format = &mxref::block_format("mxfp8_e4m3")});
  const auto engine = mxref::make_kernel_engine();
  std::vector<float> d(4);
  engine->multiply(a, *engine->prepare(a, mxref::datapath("fused")), {}, d);
  std::printf("%g %g %g %g\n", d[0], d[1], d[2], d[3]);
  return d == std::vector<float>(4, 32) ? 0 : 1;
}
