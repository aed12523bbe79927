#pragma once
// Audit dumps in safetensors (DESIGN.md, "Audit dumps"). A product: quantized tensors `a` and `b`,
// `c` or not, and `d` the simulator's; a conversion: `x` F32 and `x.codes`, `x.scales` the
// simulator's. The metadata may name the datapath under `mxref.datapath`. A live simulator gets
// such a file without its answer, and writes one with it.

#include <filesystem>
#include <variant>

#include "emu/audit/conversion.h"
#include "emu/audit/product.h"

namespace mxref {

// What a file is silent about: the conversions of a and x, and of b.
struct DumpDefaults {
  const Conversion* a = nullptr;
  const Conversion* b = nullptr;
};

// An input, and the datapath that the file names: null where it names none.
struct DumpInput {
  std::variant<ProductInput, ConversionInput> input;
  const Datapath* datapath = nullptr;
};
// Each throws InputError that names file and tensor where something is missing, of a wrong type or
// shape, or unknown. An answer in the file of an input is passed over.
DumpInput read_dump_input(const SafetensorsFile& file, const DumpDefaults& defaults);
ProductAnswer read_answer(const SafetensorsFile& file, const ProductInput& input);
MxTensor read_answer(const SafetensorsFile& file, const ConversionInput& input);

// Throw InputError where they cannot be written.
void write_dump(const std::filesystem::path& path, const ProductInput& input,
                const Datapath& datapath, const ProductAnswer* answer = nullptr);
void write_dump(const std::filesystem::path& path, const ConversionInput& input,
                const MxTensor* answer = nullptr);

}  // namespace mxref
