// The three file forms of golden vectors, written and read. Each reader refuses what the writer
// would not have written.

#include <charconv>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "emu/codec.h"
#include "emu/files/atomic_file.h"
#include "emu/files/json_file.h"
#include "emu/files/safetensors.h"
#include "emu/vectors/vectors.h"

namespace mxref {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

[[noreturn]] void refuse(const fs::path& path, const std::string& what) {
  throw InputError(path.string() + ": " + what);
}

// --- the header: the same names and words in every form

using Header = std::map<std::string, std::string>;

Header header_of(const Vectors& v) {
  return {{"generator", "mxref vectors"},
          {"version", MXREF_VERSION},
          {"kind", v.kind},
          {"seed", std::to_string(v.seed)},
          {"format", std::string(v.format_a->name)},
          {"format_b", std::string(v.format_b->name)},
          {"datapath", std::string(v.datapath->name)},
          {"block", std::to_string(v.block)},
          {"count", std::to_string(v.count())}};
}

const std::string& field(const fs::path& path, const Header& header, const std::string& name) {
  const auto at = header.find(name);
  if (at == header.end()) refuse(path, "header has no '" + name + "'");
  return at->second;
}

template <typename Number>
Number parse_number(const fs::path& path, const std::string& what, std::string_view text,
                    int base = 10) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stop != end)
    refuse(path, what + " is '" + std::string(text) + "'; expected a whole number" +
                     (base == 16 ? " in hexadecimal" : ""));
  return value;
}

// Vectors of the header's formats and count, everything else zero. An element takes at least one of
// the file's `bytes` in every form, so that a header that lies allocates nothing.
Vectors parse_header(const fs::path& path, const Header& header, size_t bytes) {
  Vectors v{};
  try {
    v.format_a = &block_format(field(path, header, "format"));
    v.format_b = &block_format(field(path, header, "format_b"));
    v.datapath = &datapath(field(path, header, "datapath"));
  } catch (const UsageError& e) {
    refuse(path, std::string("header: ") + e.what());
  }
  v.kind = field(path, header, "kind");
  v.seed = parse_number<uint64_t>(path, "header field 'seed'", field(path, header, "seed"));
  v.block = parse_number<int>(path, "header field 'block'", field(path, header, "block"));
  if (!is_block_length(v.block)) refuse(path, "header: block is none of 8, 16, 32, 64, 128");
  const auto count =
      parse_number<uint64_t>(path, "header field 'count'", field(path, header, "count"));
  if (count < 1 || count > bytes / size_t(v.block))
    refuse(path, "header says " + std::to_string(count) + " vectors; the file's size allows 1 to " +
                     std::to_string(bytes / size_t(v.block)));
  v.codes_a.resize(count * size_t(v.block));
  v.codes_b.resize(count * size_t(v.block));
  for (auto* scale : {&v.scale_a, &v.scale_b}) scale->resize(count);
  for (auto* acc : {&v.acc_in, &v.acc_out}) acc->resize(count);
  return v;
}

void check_codes(const fs::path& path, const Vectors& v) {
  const auto check = [&](const char* name, const BlockFormat& format, const auto& codes) {
    for (size_t i = 0; i < codes.size(); ++i)
      if (codes[i] >> format.element->bits())
        refuse(path, std::string(name) + " of vector " + std::to_string(i / size_t(v.block)) +
                         " holds the code " + std::to_string(codes[i]) + ", above the " +
                         std::to_string(format.element->bits()) + " bits of " +
                         std::string(format.name));
  };
  check("codes_a", *v.format_a, v.codes_a);
  check("codes_b", *v.format_b, v.codes_b);
}

std::string hex(uint64_t value, int digits) {
  std::string text(size_t(digits), '0');
  for (size_t i = text.size(); i-- > 0; value >>= 4) text[i] = "0123456789abcdef"[value & 15];
  return text;
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

void codes_from_hex(const fs::path& path, const std::string& where, const BlockFormat& format,
                    std::string_view text, std::span<uint8_t> codes) {
  const int bits = format.element->bits();
  unsigned pending = 0;
  int pending_bits = 0;
  size_t element = 0;
  for (size_t digit = text.size(); digit-- > 0;) {
    pending |= parse_number<unsigned>(path, where, text.substr(digit, 1), 16) << pending_bits;
    for (pending_bits += 4; pending_bits >= bits; pending >>= bits, pending_bits -= bits)
      codes[element++] = uint8_t(pending & ((1u << bits) - 1));
  }
}

void write_memh(const Vectors& v, const fs::path& path) {
  write_atomically(path, [&](std::ostream& out) {
    for (const auto& [name, value] : header_of(v)) out << "// " << name << ": " << value << "\n";
    out << "// codes_a_codes_b_scale_a_scale_b_acc_in_acc_out\n";
    const auto block = size_t(v.block);
    for (size_t i = 0; i < v.count(); ++i)
      out << codes_to_hex(*v.format_a, {v.codes_a.data() + i * block, block}) << "_"
          << codes_to_hex(*v.format_b, {v.codes_b.data() + i * block, block}) << "_"
          << hex(v.scale_a[i], 2) << "_" << hex(v.scale_b[i], 2) << "_" << hex(v.acc_in[i], 8)
          << "_" << hex(v.acc_out[i], 8) << "\n";
  });
}

void parse_memh_line(const fs::path& path, size_t line_number, std::string_view line, size_t i,
                     Vectors& v) {
  const std::string where = "line " + std::to_string(line_number);
  const auto block = size_t(v.block);
  const std::array<size_t, 6> digits{
      code_digits(*v.format_a, v.block), code_digits(*v.format_b, v.block), 2, 2, 8, 8};
  std::array<std::string_view, 6> words;
  for (size_t w = 0, at = 0; w < words.size(); ++w) {
    const bool last = w + 1 == words.size();
    words[w] = line.substr(std::min(at, line.size()), digits[w]);
    at += digits[w];
    if (words[w].size() != digits[w] || (last ? at != line.size() : line.substr(at, 1) != "_"))
      refuse(path, where + ": expected six words of " + std::to_string(digits[0]) + ", " +
                       std::to_string(digits[1]) + ", 2, 2, 8 and 8 hex digits, joined by '_'");
    ++at;
  }
  codes_from_hex(path, where, *v.format_a, words[0],
                 std::span(v.codes_a).subspan(i * block, block));
  codes_from_hex(path, where, *v.format_b, words[1],
                 std::span(v.codes_b).subspan(i * block, block));
  v.scale_a[i] = uint8_t(parse_number<unsigned>(path, where, words[2], 16));
  v.scale_b[i] = uint8_t(parse_number<unsigned>(path, where, words[3], 16));
  v.acc_in[i] = parse_number<uint32_t>(path, where, words[4], 16);
  v.acc_out[i] = parse_number<uint32_t>(path, where, words[5], 16);
}

// Comment lines "// name: value" come first, then a vector a line.
Vectors read_memh(const fs::path& path) {
  const std::string text = read_file(path);
  Header header;
  Vectors v{};
  size_t count = 0, line_number = 0;
  for (size_t begin = 0; begin < text.size(); ++line_number) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const auto line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    if (line.starts_with("//")) {
      const size_t colon = line.find(": ");
      if (line.starts_with("// ") && colon != line.npos)
        header.emplace(line.substr(3, colon - 3), line.substr(colon + 2));
      continue;
    }
    if (count == 0) v = parse_header(path, header, text.size());
    if (count == v.count())
      refuse(path, "has more vectors than the " + std::to_string(v.count()) + " of its header");
    parse_memh_line(path, line_number + 1, line, count++, v);
  }
  if (count == 0) v = parse_header(path, header, text.size());
  if (count < v.count())
    refuse(path, "has " + std::to_string(count) + " vectors; its header says " +
                     std::to_string(v.count()) + " (truncated)");
  return v;
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
      out << json{{"codes_a", row(v.codes_a, i)},  {"codes_b", row(v.codes_b, i)},
                  {"scale_a", v.scale_a[i]},       {"scale_b", v.scale_b[i]},
                  {"acc_in", hex(v.acc_in[i], 8)}, {"acc_out", hex(v.acc_out[i], 8)}}
                 .dump()
          << "\n";
  });
}

void parse_json_vector(const fs::path& path, const std::string& where, const json& object, size_t i,
                       Vectors& v) {
  const auto member = [&](const char* name) -> const json& {
    const auto at = object.find(name);
    if (at == object.end()) refuse(path, where + " has no '" + name + "'");
    return *at;
  };
  const auto byte = [&](const char* name, const json& number) {
    if (!number.is_number_integer() || number < 0 || number > 255)
      refuse(path, where + ": " + name + " holds " + shown(number) + "; expected 0 to 255");
    return number.get<uint8_t>();
  };
  const auto codes = [&](const char* name, std::vector<uint8_t>& all) {
    const json& list = member(name);
    if (!list.is_array() || list.size() != size_t(v.block))
      refuse(path, where + ": " + name + " is no list of " + std::to_string(v.block) + " codes");
    for (size_t k = 0; k < list.size(); ++k) all[i * size_t(v.block) + k] = byte(name, list[k]);
  };
  const auto acc = [&](const char* name) {
    const json& text = member(name);
    if (!text.is_string() || text.get_ref<const std::string&>().size() != 8)
      refuse(path, where + ": " + name + " is no string of 8 hex digits");
    return parse_number<uint32_t>(path, where + ": " + name, text.get_ref<const std::string&>(),
                                  16);
  };
  codes("codes_a", v.codes_a);
  codes("codes_b", v.codes_b);
  v.scale_a[i] = byte("scale_a", member("scale_a"));
  v.scale_b[i] = byte("scale_b", member("scale_b"));
  v.acc_in[i] = acc("acc_in");
  v.acc_out[i] = acc("acc_out");
}

Vectors read_jsonl(const fs::path& path) {
  const std::string text = read_file(path);
  std::istringstream lines(text);
  std::string line;
  if (!std::getline(lines, line)) refuse(path, "is empty; expected a header line");
  const auto parse = [&](size_t line_number) {
    return parse_json_object(path.string() + ":" + std::to_string(line_number), line);
  };
  const json first = parse(1);
  Header header;
  for (const auto& [name, value] : first.items())
    header[name] = value.is_string() ? value.get<std::string>() : shown(value);
  Vectors v = parse_header(path, header, text.size());
  size_t count = 0;
  while (std::getline(lines, line)) {
    const size_t line_number = count + 2;
    if (count == v.count())
      refuse(path, "has more vectors than the " + std::to_string(v.count()) + " of its header");
    parse_json_vector(path, "line " + std::to_string(line_number), parse(line_number), count++, v);
  }
  if (count < v.count())
    refuse(path, "has " + std::to_string(count) + " vectors; its header says " +
                     std::to_string(v.count()) + " (truncated)");
  check_codes(path, v);
  return v;
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

Vectors read_safetensors(const fs::path& path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  Vectors v = parse_header(path, file.metadata(), size_t(fs::file_size(path)));
  const auto count = int64_t(v.count());
  const auto read = [&](const char* name, DType dtype, const std::vector<int64_t>& shape,
                        auto& into) {
    const TensorView& tensor = file.at(name);
    if (tensor.dtype != dtype || tensor.shape != shape)
      refuse(path, "tensor '" + std::string(name) + "' is no " + std::string(name_of(dtype)) +
                       " of the header's shape (" + std::to_string(count) + " vectors of block " +
                       std::to_string(v.block) + ")");
    std::memcpy(into.data(), tensor.bytes.data(), tensor.bytes.size());
  };
  read("codes_a", DType::U8, {count, v.block}, v.codes_a);
  read("codes_b", DType::U8, {count, v.block}, v.codes_b);
  read("scale_a", DType::U8, {count}, v.scale_a);
  read("scale_b", DType::U8, {count}, v.scale_b);
  read("acc_in", DType::U32, {count}, v.acc_in);
  read("acc_out", DType::U32, {count}, v.acc_out);
  check_codes(path, v);
  return v;
}

}  // namespace

const std::array<VectorForm, 3> vector_forms{
    VectorForm{"memh", "vectors.memh", write_memh, read_memh},
    VectorForm{"json", "vectors.jsonl", write_jsonl, read_jsonl},
    VectorForm{"safetensors", "vectors.safetensors", write_safetensors, read_safetensors},
};

const VectorForm& vector_form(std::string_view name) {
  return find_by_name(vector_forms, "vector form", name);
}

}  // namespace mxref
