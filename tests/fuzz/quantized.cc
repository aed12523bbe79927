// Quantized tensors in safetensors: codes, packed codes, scales, metadata.

#include "emu/files/quantized.h"

#include "emu/quantize.h"
#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  const fuzz::File bytes_in_a_file(fuzz::safetensors(bytes));
  fuzz::read_or_refuse([&] {
    const SafetensorsFile file = SafetensorsFile::open(bytes_in_a_file.path());
    for (const std::string& name : quantized_names(file))
      fuzz::read_or_refuse([&] { dequantize(read_quantized(file, name)); });
    quantized_names_only(file);
  });
}
