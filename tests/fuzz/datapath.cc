// Datapaths by name or as a JSON object, and a product on what comes of it: the kernels must give
// the bits of the definition.

#include "emu/datapaths.h"

#include <bit>
#include <cstdlib>

#include "emu/engine.h"
#include "emu/gemm.h"
#include "emu/quantize.h"
#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  static const std::vector<float> x{1.5f, -2, 0, 0x1p-140f, 3e38f, -0.0f, 7, 0.1f, 1e-3f};
  static const MxTensor q = quantize_ref(x, {1, 9}, {.format = &block_format("mxfp8_e5m2")});
  fuzz::read_or_refuse([&] {
    const Datapath& path = datapath(bytes);
    float expected = 0, got = 1;
    gemm_ref(q, q, path, {}, {&expected, 1});
    const auto engine = make_kernel_engine();
    engine->multiply(q, *engine->prepare(q, path), {}, {&got, 1});
    if (std::bit_cast<uint32_t>(expected) != std::bit_cast<uint32_t>(got)) std::abort();
  });
}
