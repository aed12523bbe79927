// One layer of a model on the virtual platform: quantized operands from files (`mxref quantize`),
// the driver on the TLM target, the result against the definition, bit by bit.
//   mxref_tlm_example A.safetensors B.safetensors
// Each file holds one tensor, (M,K) and (N,K). Exit codes: 0 equal, 1 not, 2 wrong use, 3 bad file.

#include <cstring>
#include <iostream>

#include "emu/error.h"
#include "emu/files/quantized.h"
#include "emu/gemm.h"
#include "emu/systemc/tlm_layer.h"

using namespace mxref;

static MxTensor only_tensor(const char* path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  const auto names = quantized_names_only(file);
  if (names.size() != 1) throw InputError(std::string(path) + ": holds other than one tensor");
  return read_quantized(file, names.front());
}

static int run(const char* path_a, const char* path_b) {
  const MxTensor a = only_tensor(path_a), b = only_tensor(path_b);
  const accelerator::Design design{.array = {.shape = {8, 8}}, .depth = 16};
  const TlmLayer layer = run_layer_on_tlm(design, a, b, {}, /*uses_dmi=*/true);
  std::vector<float> expected(layer.d.size());
  gemm_ref(a, b, *design.array.datapath, {}, expected);
  size_t different = 0;
  for (size_t i = 0; i < expected.size(); ++i)
    different += std::memcmp(&expected[i], &layer.d[i], sizeof(float)) != 0;
  std::cout << a.rows() << "x" << b.rows() << "x" << a.cols() << " in " << layer.nanoseconds
            << " cycles, of which the array was busy " << layer.counters.busy_cycles << "; "
            << layer.counters.beats << " blocks, " << layer.transactions << " transactions, "
            << layer.direct_accesses << " direct accesses; " << different << " of "
            << expected.size() << " results differ from the definition\n";
  return different == 0 ? 0 : 1;
}

int main(int argc, char* argv[]) {
  if (argc != 3) return std::cerr << "mxref_tlm_example A.safetensors B.safetensors\n", 2;
  try {
    return run(argv[1], argv[2]);
  } catch (const InputError& error) {
    return std::cerr << error.what() << "\n", 3;
  } catch (const std::exception& error) {
    return std::cerr << error.what() << "\n", 2;
  }
}
