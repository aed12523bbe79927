#include "emu/audit/dump.h"

#include <algorithm>
#include <cstring>

#include "emu/files/quantized.h"
#include "emu/quantize.h"

namespace mxref {
namespace {

constexpr const char* datapath_key = "mxref.datapath";

[[noreturn]] void refuse(const SafetensorsFile& file, const std::string& what) {
  throw InputError(file.path().string() + ": " + what);
}

void refuse_other_tensors(const SafetensorsFile& file, const std::vector<std::string_view>& names) {
  for (const TensorView& t : file.tensors()) {
    const bool known = std::ranges::any_of(names, [&](std::string_view name) {
      return t.name == name || t.name.starts_with(std::string(name) + ".");
    });
    if (!known) {
      std::string list;
      for (std::string_view name : names) list += (list.empty() ? "" : ", ") + std::string(name);
      refuse(file, "tensor '" + t.name + "' is no part of this dump; expected " + list);
    }
  }
}

// (M,N), the leading dimensions of a folded into M or not.
void check_shape(const SafetensorsFile& file, const TensorView& t, const ProductInput& input) {
  std::vector<int64_t> unfolded = input.a.shape;
  unfolded.back() = input.b.rows();
  const std::vector<int64_t> folded{input.a.rows(), input.b.rows()};
  if (t.shape != folded && t.shape != unfolded)
    refuse(file, "tensor '" + t.name + "' has shape " + to_string(t.shape) + "; expected " +
                     to_string(folded) + " (M, N)");
}

ProductInput read_product(const SafetensorsFile& file, const DumpDefaults& defaults) {
  refuse_other_tensors(file, {"a", "b", "c", "d"});
  ProductInput input{
      read_quantized(file, "a", defaults.a), read_quantized(file, "b", defaults.b), {}};
  try {
    check_operands(input.a, input.b);
  } catch (const UsageError& e) {
    refuse(file, e.what());
  }
  if (const TensorView* c = file.find("c")) {
    check_shape(file, *c, input);
    input.c = to_binary32(file, *c);
  }
  return input;
}

// Of `x`: what the metadata of its codes says, and the defaults.
ConversionInput read_conversion(const SafetensorsFile& file, const DumpDefaults& defaults) {
  refuse_other_tensors(file, {"x"});
  const TensorView& x = file.at("x");
  if (x.dtype != DType::F32)
    refuse(file, "tensor 'x' is " + std::string(name_of(x.dtype)) + "; expected F32");
  if (x.shape.empty() || x.elements() == 0)
    refuse(file, "tensor 'x' of shape " + to_string(x.shape) + " holds no row");
  ConversionInput input{read_conversion_metadata(file, "x", defaults.a), x.shape,
                        to_binary32(file, x)};
  // Of a format with tensor scales the answer tells whether there is one a row.
  const TensorView* g = file.find("x.tensor_scale");
  const int64_t rows = x.elements() / x.shape.back();
  if (g && rows > 1 && g->shape == std::vector<int64_t>{rows})
    input.conversion.scale_by_row = input.conversion.format->has_tensor_scale();
  return input;
}

}  // namespace

DumpInput read_dump_input(const SafetensorsFile& file, const DumpDefaults& defaults) {
  DumpInput read;
  const auto named = file.metadata().find(datapath_key);
  if (named != file.metadata().end()) try {
      read.datapath = &datapath(named->second);
    } catch (const UsageError& e) {
      refuse(file, "metadata '" + std::string(datapath_key) + "': " + e.what());
    }
  const bool is_conversion = file.find("x") != nullptr;
  if (is_conversion)
    read.input = read_conversion(file, defaults);
  else if (file.find("a.codes") || file.find("a.packed"))
    read.input = read_product(file, defaults);
  else
    refuse(file, "holds neither 'a.codes' of a product nor 'x' of a conversion");
  return read;
}

ProductAnswer read_answer(const SafetensorsFile& file, const ProductInput& input) {
  const TensorView& d = file.at("d");
  if (d.dtype != DType::F32 && d.dtype != DType::BF16 && d.dtype != DType::F16)
    refuse(file, "tensor 'd' is " + std::string(name_of(d.dtype)) + "; expected F32, BF16 or F16");
  check_shape(file, d, input);
  ProductAnswer answer{d.dtype, std::vector<uint32_t>(size_t(d.elements()))};
  const size_t bytes = size_of(d.dtype);
  for (size_t i = 0; i < answer.d.size(); ++i)
    std::memcpy(&answer.d[i], d.bytes.data() + i * bytes, bytes);  // little-endian, as the file
  return answer;
}

MxTensor read_answer(const SafetensorsFile& file, const ConversionInput& input) {
  MxTensor answer = read_quantized(file, "x", &input.conversion);
  if (answer.shape != input.shape)
    refuse(file, "the codes of 'x' have shape " + to_string(answer.shape) + "; expected " +
                     to_string(input.shape));
  if (!(answer.conversion == input.conversion))
    refuse(file, "the metadata of 'x' speaks of another conversion than the input's");
  return answer;
}

void write_dump(const std::filesystem::path& path, const ProductInput& input,
                const Datapath& datapath, const ProductAnswer* answer) {
  SafetensorsWriter writer;
  add_quantized(writer, "a", input.a);
  add_quantized(writer, "b", input.b);
  const std::vector<int64_t> shape{input.a.rows(), input.b.rows()};
  if (!input.c.empty()) writer.add("c", DType::F32, shape, input.c);
  if (answer) {
    const size_t bytes = size_of(answer->type);
    std::vector<uint8_t> data(answer->d.size() * bytes);
    for (size_t i = 0; i < answer->d.size(); ++i)
      std::memcpy(data.data() + i * bytes, &answer->d[i], bytes);
    writer.add("d", answer->type, shape, writer.keep(std::move(data)));
  }
  writer.set_metadata(datapath_key, std::string(datapath.name));
  writer.write(path);
}

void write_dump(const std::filesystem::path& path, const ConversionInput& input,
                const MxTensor* answer) {
  SafetensorsWriter writer;
  writer.add("x", DType::F32, input.shape, input.x);
  add_conversion_metadata(writer, "x", input.conversion);
  if (answer) add_quantized(writer, "x", *answer);
  writer.write(path);
}

}  // namespace mxref
