// safetensors files, and the binary32 values of their tensors.

#include "emu/files/safetensors.h"

#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  const fuzz::File bytes_in_a_file(fuzz::safetensors(bytes));
  fuzz::read_or_refuse([&] {
    const SafetensorsFile file = SafetensorsFile::open(bytes_in_a_file.path());
    for (const TensorView& tensor : file.tensors())
      fuzz::read_or_refuse([&] { to_binary32(file, tensor); });
  });
}
