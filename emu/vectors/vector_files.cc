// The three file forms of golden vectors.

#include <map>
#include <nlohmann/json.hpp>

#include "emu/codec.h"
#include "emu/files/atomic_file.h"
#include "emu/files/safetensors.h"
#include "emu/hex.h"
#include "emu/vectors/vectors.h"

namespace mxref {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// --- the header: the same names and words in every form

using Header = std::map<std::string, std::string>;

Header header_of(const Vectors& v) {
  Header header = {{"generator", "mxref vectors"},
                   {"version", MXREF_VERSION},
                   {"kind", v.kind},
                   {"seed", std::to_string(v.seed)},
                   {"format", std::string(v.format_a->name)},
                   {"format_b", std::string(v.format_b->name)},
                   {"datapath", std::string(v.datapath->name)},
                   {"block", std::to_string(v.block)},
                   {"count", std::to_string(v.count())}};
  if (!v.source.empty()) header["source"] = v.source;
  return header;
}

// --- memh: a line of six hex words, element 0 of a block in the lowest bits of its word

size_t code_digits(const BlockFormat& format, int block) {
  return size_t(block) * size_t(format.element->bits()) / 4;
}

std::string codes_to_hex(const BlockFormat& format, std::span<const uint8_t> codes) {
  const int bits = format.element->bits();
  std::string text(code_digits(format, int(codes.size())), '0');
  unsigned pending = 0;
  int pending_bits = 0;
  size_t digit = text.size();
  for (uint8_t code : codes)
    for (pending |= unsigned(code) << pending_bits, pending_bits += bits; pending_bits >= 4;
         pending >>= 4, pending_bits -= 4)
      text[--digit] = "0123456789abcdef"[pending & 15];
  return text;
}

void write_memh(const Vectors& v, const fs::path& path) {
  write_atomically(path, [&](std::ostream& out) {
    for (const auto& [name, value] : header_of(v)) out << "// " << name << ": " << value << "\n";
    out << "// codes_a_codes_b_scale_a_scale_b_acc_in_acc_out\n";
    const auto block = size_t(v.block);
    for (size_t i = 0; i < v.count(); ++i)
      out << codes_to_hex(*v.format_a, {v.codes_a.data() + i * block, block}) << "_"
          << codes_to_hex(*v.format_b, {v.codes_b.data() + i * block, block}) << "_"
          << to_hex(v.scale_a[i], 2) << "_" << to_hex(v.scale_b[i], 2) << "_"
          << to_hex(v.acc_in[i], 8) << "_" << to_hex(v.acc_out[i], 8) << "\n";
  });
}

// --- json: one object a line, the header first

void write_jsonl(const Vectors& v, const fs::path& path) {
  write_atomically(path, [&](std::ostream& out) {
    json header = header_of(v);
    header["seed"] = v.seed;
    header["block"] = v.block;
    header["count"] = v.count();
    out << header.dump() << "\n";
    const auto row = [&](const std::vector<uint8_t>& codes, size_t i) {
      const auto begin = codes.begin() + int64_t(i) * v.block;
      return std::vector<int>(begin, begin + v.block);
    };
    for (size_t i = 0; i < v.count(); ++i)
      out << json{{"codes_a", row(v.codes_a, i)},     {"codes_b", row(v.codes_b, i)},
                  {"scale_a", v.scale_a[i]},          {"scale_b", v.scale_b[i]},
                  {"acc_in", to_hex(v.acc_in[i], 8)}, {"acc_out", to_hex(v.acc_out[i], 8)}}
                 .dump()
          << "\n";
  });
}

// --- safetensors: the fields as arrays, the header in __metadata__

void write_safetensors(const Vectors& v, const fs::path& path) {
  SafetensorsWriter writer;
  const auto count = int64_t(v.count());
  writer.add("codes_a", DType::U8, {count, v.block}, v.codes_a);
  writer.add("codes_b", DType::U8, {count, v.block}, v.codes_b);
  writer.add("scale_a", DType::U8, {count}, v.scale_a);
  writer.add("scale_b", DType::U8, {count}, v.scale_b);
  writer.add("acc_in", DType::U32, {count}, v.acc_in);
  writer.add("acc_out", DType::U32, {count}, v.acc_out);
  for (const auto& [name, value] : header_of(v)) writer.set_metadata(name, value);
  writer.write(path);
}

}  // namespace

const std::array<VectorForm, 3> vector_forms{
    VectorForm{"memh", "vectors.memh", write_memh},
    VectorForm{"json", "vectors.jsonl", write_jsonl},
    VectorForm{"safetensors", "vectors.safetensors", write_safetensors},
};

}  // namespace mxref
