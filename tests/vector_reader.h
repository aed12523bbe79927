#pragma once
// Reads golden vectors back as somebody else's bench would, by the contract of the three forms
// alone (DESIGN.md, "Golden vectors"). What departs from it is an std::runtime_error.

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "emu/files/atomic_file.h"
#include "emu/files/safetensors.h"
#include "emu/vectors/vectors.h"

namespace mxref::vector_reader {

using Header = std::map<std::string, std::string>;

inline void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error("golden vectors: " + what);
}

// Vectors without any yet.
inline Vectors parse_header(const Header& header) {
  Vectors v{};
  v.format_a = &block_format(header.at("format"));
  v.format_b = &block_format(header.at("format_b"));
  v.datapath = &datapath(header.at("datapath"));
  v.kind = header.at("kind");
  v.seed = std::stoull(header.at("seed"));
  if (header.contains("source")) v.source = header.at("source");
  v.block = std::stoi(header.at("block"));
  require(header.at("generator") == "mxref vectors" && !header.at("version").empty(), "generator");
  return v;
}

inline uint64_t parse_hex(const std::string& text, size_t digits) {
  require(text.size() == digits && text.find_first_not_of("0123456789abcdef") == text.npos,
          "'" + text + "' is no word of " + std::to_string(digits) + " hex digits");
  return std::stoull(text, nullptr, 16);
}

// Element 0 lies in the lowest bits, which the last digits hold.
inline void parse_codes(const std::string& word, int bits, int block, std::vector<uint8_t>& codes) {
  require(word.size() * 4 == size_t(bits) * size_t(block), "word of codes '" + word + "'");
  uint64_t pending = 0;
  int pending_bits = 0;
  for (size_t digit = word.size(); digit-- > 0;) {
    pending |= parse_hex(word.substr(digit, 1), 1) << pending_bits;
    pending_bits += 4;
    if (pending_bits < bits) continue;
    codes.push_back(uint8_t(pending & ((1u << bits) - 1)));
    pending >>= bits;
    pending_bits -= bits;
  }
}

// A set of which no vector has a comment has none.
inline void keep_comments(Vectors& v, std::vector<std::string> comments) {
  for (const std::string& comment : comments)
    if (!comment.empty()) {
      v.comments = std::move(comments);
      return;
    }
}

inline Vectors read_memh(std::istream& in) {
  Header header;
  Vectors v{};
  std::vector<std::string> comments;
  std::string comment;
  const std::string mark = "// case: ";
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(mark)) {
      comment = line.substr(mark.size());
      continue;
    }
    if (line.starts_with("//")) {
      if (const size_t colon = line.find(": "); colon != line.npos)
        header[line.substr(3, colon - 3)] = line.substr(colon + 2);
      continue;
    }
    if (v.count() == 0) v = parse_header(header);
    std::vector<std::string> words;
    std::istringstream fields(line);
    for (std::string word; std::getline(fields, word, '_');) words.push_back(word);
    require(words.size() == 6, "line '" + line + "'");
    parse_codes(words[0], v.format_a->element->bits(), v.block, v.codes_a);
    parse_codes(words[1], v.format_b->element->bits(), v.block, v.codes_b);
    v.scale_a.push_back(uint8_t(parse_hex(words[2], 2)));
    v.scale_b.push_back(uint8_t(parse_hex(words[3], 2)));
    v.acc_in.push_back(uint32_t(parse_hex(words[4], 8)));
    v.acc_out.push_back(uint32_t(parse_hex(words[5], 8)));
    comments.push_back(std::exchange(comment, ""));
  }
  keep_comments(v, std::move(comments));
  require(header.at("count") == std::to_string(v.count()), "count");
  return v;
}

inline Vectors read_jsonl(std::istream& in) {
  using nlohmann::json;
  std::string line;
  std::getline(in, line);
  Header header;
  const json first = json::parse(line);
  for (const auto& [name, value] : first.items())
    header[name] = value.is_string() ? value.get<std::string>() : value.dump();
  Vectors v = parse_header(header);
  std::vector<std::string> comments;
  while (std::getline(in, line)) {
    const json object = json::parse(line);
    for (const auto& [name, codes] : {std::pair{"codes_a", &v.codes_a}, {"codes_b", &v.codes_b}}) {
      require(object[name].size() == size_t(v.block), "codes of '" + line + "'");
      for (const json& code : object[name]) codes->push_back(code.get<uint8_t>());
    }
    v.scale_a.push_back(object["scale_a"].get<uint8_t>());
    v.scale_b.push_back(object["scale_b"].get<uint8_t>());
    v.acc_in.push_back(uint32_t(parse_hex(object["acc_in"], 8)));
    v.acc_out.push_back(uint32_t(parse_hex(object["acc_out"], 8)));
    comments.push_back(object.value("comment", ""));
  }
  keep_comments(v, std::move(comments));
  require(header.at("count") == std::to_string(v.count()), "count");
  return v;
}

inline Vectors read_safetensors(const std::filesystem::path& path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  Vectors v = parse_header(file.metadata());
  const int64_t count = std::stoll(file.metadata().at("count"));
  const auto read = [&](const char* name, DType type, std::vector<int64_t> shape, auto& into) {
    const TensorView& tensor = file.at(name);
    require(tensor.dtype == type && tensor.shape == shape, name);
    into.resize(size_t(tensor.elements()));
    std::memcpy(into.data(), tensor.bytes.data(), tensor.bytes.size());
  };
  read("codes_a", DType::U8, {count, v.block}, v.codes_a);
  read("codes_b", DType::U8, {count, v.block}, v.codes_b);
  read("scale_a", DType::U8, {count}, v.scale_a);
  read("scale_b", DType::U8, {count}, v.scale_b);
  read("acc_in", DType::U32, {count}, v.acc_in);
  read("acc_out", DType::U32, {count}, v.acc_out);
  if (file.metadata().contains("comments")) {
    const auto list = nlohmann::json::parse(file.metadata().at("comments"));
    std::vector<uint32_t> indices;
    read("comment", DType::U32, {count}, indices);
    for (uint32_t index : indices) v.comments.push_back(list.at(index));
  }
  return v;
}

// Vectors of a unit all of whose words have 32 bits.
struct UnitVectors {
  Header header;
  std::map<std::string, std::vector<uint32_t>> words;  // of each field, vector by vector
  std::vector<std::string> comments;                   // (count)
  size_t count = 0;
};

inline void check_unit(const UnitVectors& v) {
  require(v.header.at("generator") == "mxref vectors" && !v.header.at("version").empty(),
          "generator");
  require(v.header.at("count") == std::to_string(v.count), "count");
  for (const auto& [name, words] : v.words)
    require(v.count > 0 && words.size() % v.count == 0, name);
}

inline UnitVectors read_unit_memh(std::istream& in) {
  UnitVectors v;
  std::vector<std::string> names;
  std::string comment;
  const std::string mark = "// case: ";
  const auto split = [](const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, '_');) parts.push_back(part);
    return parts;
  };
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(mark)) {
      comment = line.substr(mark.size());
    } else if (line.starts_with("//")) {
      if (const size_t colon = line.find(": "); colon != line.npos)
        v.header[line.substr(3, colon - 3)] = line.substr(colon + 2);
      else
        names = split(line.substr(3));
    } else {
      const std::vector<std::string> fields = split(line);
      require(fields.size() == names.size(), "line '" + line + "'");
      for (size_t i = 0; i < fields.size(); ++i)
        for (size_t end = fields[i].size(); end > 0; end -= 8) {
          require(end >= 8, "word '" + fields[i] + "'");
          v.words[names[i]].push_back(uint32_t(parse_hex(fields[i].substr(end - 8, 8), 8)));
        }
      v.comments.push_back(std::exchange(comment, ""));
      ++v.count;
    }
  }
  return v;
}

inline UnitVectors read_unit_jsonl(std::istream& in) {
  using nlohmann::json;
  UnitVectors v;
  std::string line;
  std::getline(in, line);
  const json first = json::parse(line);
  for (const auto& [name, value] : first.items())
    v.header[name] = value.is_string() ? value.get<std::string>() : value.dump();
  while (std::getline(in, line)) {
    const json object = json::parse(line);
    v.comments.push_back(object.value("comment", ""));
    for (const auto& [name, value] : object.items()) {
      if (name == "comment") continue;
      for (const json& word : value.is_array() ? value : json::array({value}))
        v.words[name].push_back(uint32_t(parse_hex(word, 8)));
    }
    ++v.count;
  }
  return v;
}

inline UnitVectors read_unit_safetensors(const std::filesystem::path& path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  UnitVectors v;
  for (const auto& [name, value] : file.metadata()) v.header[name] = value;
  v.count = std::stoull(v.header.at("count"));
  v.comments.resize(v.count);
  for (const TensorView& tensor : file.tensors()) {
    const std::string name(tensor.name);
    require(tensor.dtype == DType::U32 && tensor.shape[0] == int64_t(v.count), name);
    std::vector<uint32_t> words(static_cast<size_t>(tensor.elements()));
    std::memcpy(words.data(), tensor.bytes.data(), tensor.bytes.size());
    if (name != "comment") {
      v.words[name] = std::move(words);
      continue;
    }
    const auto list = nlohmann::json::parse(v.header.at("comments"));
    for (size_t i = 0; i < v.count; ++i) v.comments[i] = list.at(words[i]);
  }
  v.header.erase("comments");
  return v;
}

}  // namespace mxref::vector_reader

namespace mxref {

inline Vectors read_vectors(std::string_view form, const std::filesystem::path& path) {
  std::istringstream text(form == "safetensors" ? "" : read_file(path));
  if (form == "memh") return vector_reader::read_memh(text);
  if (form == "json") return vector_reader::read_jsonl(text);
  vector_reader::require(form == "safetensors", "no reader of the form");
  return vector_reader::read_safetensors(path);
}

inline vector_reader::UnitVectors read_unit_vectors(std::string_view form,
                                                    const std::filesystem::path& path) {
  std::istringstream text(form == "safetensors" ? "" : read_file(path));
  vector_reader::UnitVectors v = form == "memh"   ? vector_reader::read_unit_memh(text)
                                 : form == "json" ? vector_reader::read_unit_jsonl(text)
                                                  : vector_reader::read_unit_safetensors(path);
  vector_reader::check_unit(v);
  return v;
}

}  // namespace mxref
