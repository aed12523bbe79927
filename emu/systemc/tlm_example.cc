// One layer of a model on the virtual platform: the driver on the TLM target multiplies random
// activations with the layer's weights, quantized, and the result is compared bit by bit with the
// definition.
//   mxref_tlm_example --model model.safetensors --layer model.layers.0.mlp.down_proj.weight
// Without a model the weights are random too. Exit codes: 0 equal, 1 not, 2 wrong use, 3 bad file.

#include <bit>
#include <charconv>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <random>

#include "emu/error.h"
#include "emu/files/quantized.h"
#include "emu/gemm.h"
#include "emu/quantize.h"
#include "emu/systemc/tlm_layer.h"

namespace mxref {
namespace {

struct Options {
  std::string model, layer, format = "mxfp8_e4m3", weight_format;
  int64_t rows = 8;
  uint64_t seed = 1;
  bool uses_dmi = true;
};

MxTensor random_tensor(int64_t rows, int64_t K, const Conversion& conversion, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<float> x(size_t(rows * K));
  for (float& value : x) value = float(int32_t(random())) * 0x1p-31f;
  return quantize(x, {rows, K}, conversion);
}

// (N,K)
MxTensor layer_of(const Options& o, const Conversion& conversion) {
  if (o.model.empty()) return random_tensor(24, 320, conversion, o.seed + 1);
  const SafetensorsFile file = SafetensorsFile::open(o.model);
  const TensorView& weights = file.at(o.layer);
  if (weights.shape.size() != 2)
    throw InputError(o.model + ": " + o.layer + " has shape " + to_string(weights.shape) +
                     ", expected (N, K)");
  return quantize(to_binary32(file, weights), weights.shape, conversion);
}

Conversion to_format(const std::string& name) {
  const BlockFormat& format = block_format(name);
  return {.format = &format, .block = format.block};
}

int run(const Options& o) {
  const MxTensor b = layer_of(o, to_format(o.weight_format.empty() ? o.format : o.weight_format));
  const MxTensor a = random_tensor(o.rows, b.cols(), to_format(o.format), o.seed);
  const accelerator::Design design{.array = {.shape = {8, 8}}, .depth = 16};
  const TlmLayer layer = run_layer_on_tlm(design, a, b, {}, o.uses_dmi);
  std::vector<float> expected(layer.d.size());
  gemm_ref(a, b, *design.array.datapath, {}, expected);
  size_t different = 0;
  for (size_t i = 0; i < expected.size(); ++i)
    different += std::bit_cast<uint32_t>(expected[i]) != std::bit_cast<uint32_t>(layer.d[i]);
  std::cout << (o.model.empty() ? "random weights" : o.layer) << ", " << a.rows() << "x" << b.rows()
            << "x" << a.cols() << ", " << a.format().name << " x " << b.format().name << ": "
            << layer.nanoseconds << " cycles, of which the array was busy "
            << layer.counters.busy_cycles << "; " << layer.counters.beats << " blocks, "
            << layer.transactions << " transactions, " << layer.direct_accesses
            << " direct accesses\n"
            << different << " of " << expected.size() << " results differ from the definition\n";
  return different == 0 ? 0 : 1;
}

// The command line, and what it asks for. CLI11 alone would take -1 for the largest seed.
int run(int argc, char** argv) {
  Options o;
  CLI::App app("A layer of a model on the accelerator's TLM-2.0 target.");
  CLI::Option* model = app.add_option("--model", o.model, "weights (default: random ones)");
  CLI::Option* layer = app.add_option("--layer", o.layer, "tensor (N, K) of the model");
  model->needs(layer);
  layer->needs(model);
  app.add_option("--format", o.format, "of activations and weights (default mxfp8_e4m3)");
  app.add_option("--weight-format", o.weight_format, "of the weights, where it is another");
  app.add_option("--rows", o.rows, "of activations (default 8)")->check(CLI::Range(1, 4096));
  app.add_option_function<std::string>(
         "--seed",
         [&o](const std::string& text) {
           const char* const end = text.data() + text.size();
           const auto [read_to, error] = std::from_chars(text.data(), end, o.seed);
           if (error != std::errc() || read_to != end)
             throw UsageError("--seed '" + text + "' is no number from 0 to 2^64-1");
         },
         "of what is random (default 1)")
      ->type_name("N");
  app.add_flag("!--no-dmi", o.uses_dmi, "every access is a transaction");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return run(o);
}

}  // namespace
}  // namespace mxref

int main(int argc, char* argv[]) {
  try {
    return mxref::run(argc, argv);
  } catch (const mxref::InputError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
