// Datapaths by name or as a JSON object, and a product on what comes of it.

#include "emu/datapaths.h"

#include "emu/gemm.h"
#include "emu/quantize.h"
#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  static const std::vector<float> x{1.5f, -2, 0, 0x1p-140f, 3e38f, -0.0f, 7, 0.1f, 1e-3f};
  static const MxTensor q = quantize_ref(x, {1, 9}, {.format = &block_format("mxfp8_e5m2")});
  fuzz::read_or_refuse([&] {
    float d = 0;
    gemm_ref(q, q, datapath(bytes), {}, {&d, 1});
  });
}
