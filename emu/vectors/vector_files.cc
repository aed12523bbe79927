// The three file forms of golden vectors.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "emu/codec.h"
#include "emu/files/atomic_file.h"
#include "emu/files/safetensors.h"
#include "emu/hex.h"
#include "emu/vectors/vector_table.h"
#include "emu/vectors/vectors.h"

namespace mxref {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The items of one vector as a hex word.
std::string word_of(const VectorColumn& column, size_t vector) {
  const auto items = size_t(column.items);
  std::string text((items * size_t(column.bits) + 3) / 4, '0');
  uint64_t pending = 0;
  int pending_bits = 0;
  size_t digit = text.size();
  for (size_t i = 0; i < items; ++i) {
    pending |= uint64_t(column.item(vector * items + i)) << pending_bits;
    for (pending_bits += column.bits; pending_bits >= 4; pending >>= 4, pending_bits -= 4)
      text[--digit] = "0123456789abcdef"[pending & 15];
  }
  if (pending_bits > 0) text[--digit] = "0123456789abcdef"[pending & 15];
  return text;
}

void write_memh(const VectorTable& table, const fs::path& path) {
  write_atomically(path, [&](std::ostream& out) {
    for (const auto& [name, value] : table.header) out << "// " << name << ": " << value << "\n";
    out << "// ";
    for (const VectorColumn& column : table.columns)
      out << (&column == table.columns.data() ? "" : "_") << column.name;
    out << "\n";
    for (size_t i = 0; i < table.count; ++i) {
      if (!table.comments.empty() && !table.comments[i].empty())
        out << "// case: " << table.comments[i] << "\n";
      for (const VectorColumn& column : table.columns)
        out << (&column == table.columns.data() ? "" : "_") << word_of(column, i);
      out << "\n";
    }
  });
}

// --- json: one object a line, the header first

json value_of(const VectorColumn& column, size_t vector) {
  const auto items = size_t(column.items);
  const auto item = [&](size_t i) -> json {
    const uint32_t value = column.item(vector * items + i);
    if (column.is_hex) return to_hex(value, (column.bits + 3) / 4);
    return value;
  };
  if (items == 1) return item(0);
  json list = json::array();
  for (size_t i = 0; i < items; ++i) list.push_back(item(i));
  return list;
}

void write_jsonl(const VectorTable& table, const fs::path& path) {
  write_atomically(path, [&](std::ostream& out) {
    json header = table.header;
    for (const std::string& name : table.numbers) header[name] = json::parse(table.header.at(name));
    out << header.dump() << "\n";
    for (size_t i = 0; i < table.count; ++i) {
      json line;
      for (const VectorColumn& column : table.columns) line[column.name] = value_of(column, i);
      if (!table.comments.empty() && !table.comments[i].empty())
        line["comment"] = table.comments[i];
      out << line.dump() << "\n";
    }
  });
}

// --- safetensors: the fields as arrays, the header in __metadata__

void write_safetensors(const VectorTable& table, const fs::path& path) {
  SafetensorsWriter writer;
  const auto count = int64_t(table.count);
  for (const VectorColumn& column : table.columns) {
    std::vector<int64_t> shape{count};
    if (column.items > 1) shape.push_back(column.items);
    if (column.words.empty())
      writer.add(column.name, DType::U8, shape, std::as_bytes(column.bytes));
    else
      writer.add(column.name, DType::U32, shape, std::as_bytes(column.words));
  }
  for (const auto& [name, value] : table.header) writer.set_metadata(name, value);
  std::vector<uint32_t> indices;
  if (!table.comments.empty()) {
    std::map<std::string, uint32_t> index_of{{"", 0}};
    json list = {""};
    for (const std::string& comment : table.comments) {
      const auto [found, is_first] = index_of.try_emplace(comment, uint32_t(list.size()));
      if (is_first) list.push_back(comment);
      indices.push_back(found->second);
    }
    writer.add("comment", DType::U32, {count}, indices);
    writer.set_metadata("comments", list.dump());
  }
  writer.write(path);
}

}  // namespace

void VectorTable::add(const std::string& name, int bits, int items, std::vector<uint8_t> data) {
  columns.push_back({.name = name,
                     .bits = bits,
                     .items = items,
                     .bytes = kept_bytes.emplace_back(std::move(data))});
}
void VectorTable::add(const std::string& name, int bits, int items, std::vector<uint32_t> data) {
  columns.push_back({.name = name,
                     .bits = bits,
                     .items = items,
                     .is_hex = true,
                     .words = kept_words.emplace_back(std::move(data))});
}

VectorTable table_of(const Vectors& v) {
  VectorTable table;
  table.header = vector_header(v.kind, v.seed, v.count());
  table.header["format"] = v.format_a->name;
  table.header["format_b"] = v.format_b->name;
  table.header["datapath"] = v.datapath->name;
  table.header["block"] = std::to_string(v.block);
  if (!v.source.empty()) table.header["source"] = v.source;
  table.numbers = {"seed", "block", "count"};
  table.count = v.count();
  table.comments = v.comments;
  const auto bits = [](const BlockFormat* f) { return f->element->bits(); };
  table.columns = {
      {.name = "codes_a", .bits = bits(v.format_a), .items = v.block, .bytes = v.codes_a},
      {.name = "codes_b", .bits = bits(v.format_b), .items = v.block, .bytes = v.codes_b},
      {.name = "scale_a", .bits = 8, .bytes = v.scale_a},
      {.name = "scale_b", .bits = 8, .bytes = v.scale_b},
      {.name = "acc_in", .bits = 32, .is_hex = true, .words = v.acc_in},
      {.name = "acc_out", .bits = 32, .is_hex = true, .words = v.acc_out}};
  return table;
}

std::map<std::string, std::string> vector_header(const std::string& kind, uint64_t seed,
                                                 size_t count) {
  return {{"generator", "mxref vectors"},
          {"version", MXREF_VERSION},
          {"kind", kind},
          {"seed", std::to_string(seed)},
          {"count", std::to_string(count)}};
}

void VectorForm::write(const Vectors& vectors, const fs::path& path) const {
  write_table(table_of(vectors), path);
}

const std::array<VectorForm, 3> vector_forms{
    VectorForm{"memh", "vectors.memh", write_memh},
    VectorForm{"json", "vectors.jsonl", write_jsonl},
    VectorForm{"safetensors", "vectors.safetensors", write_safetensors},
};

}  // namespace mxref
