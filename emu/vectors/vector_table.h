#pragma once
// A set of golden vectors as columns, and its three file forms (DESIGN.md, "Golden vectors"): what
// the vectors of a block and those of a unit of it have in common.

#include <array>
#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mxref {

// A field. It has `items` numbers of `bits` each in a vector; item 0 lies in the lowest bits of its
// hex word, which is padded with zeros to whole digits.
struct VectorColumn {
  std::string name;
  int bits;
  int items = 1;
  bool is_hex = false;                   // in JSON: hex words, not numbers
  std::span<const uint8_t> bytes = {};   // (count, items): this one …
  std::span<const uint32_t> words = {};  // … or this one

  uint32_t item(size_t i) const { return bytes.empty() ? words[i] : bytes[i]; }
};

struct VectorTable {
  std::map<std::string, std::string> header;  // the same names and words in every form
  std::vector<std::string> numbers;           // of these: numbers in JSON
  std::vector<VectorColumn> columns;          // in the order of the memh line
  size_t count = 0;
  std::vector<std::string> comments = {};  // (count), or none

  // Columns of data that lives as long as the table.
  std::list<std::vector<uint8_t>> kept_bytes = {};
  std::list<std::vector<uint32_t>> kept_words = {};
  void add(const std::string& name, int bits, int items, std::vector<uint8_t> data);
  void add(const std::string& name, int bits, int items, std::vector<uint32_t> data);  // as hex
};

struct Vectors;

// A file form: the word of --as, and the name of the file in the output folder.
//   memh:        one vector a line, hex words joined by `_`; a comment is a line `// case: …` above
//   json:        one object a line after the header; a comment is its field "comment"
//   safetensors: arrays, the header in __metadata__; comments are an array "comment" U32 of indices
//                into the metadata `comments`, a JSON list of strings, the first of them empty
struct VectorForm {
  std::string_view name;
  std::string_view file;
  void (*write_table)(const VectorTable& table, const std::filesystem::path& path);  // InputError
  void write(const Vectors& vectors, const std::filesystem::path& path) const;       // likewise
};
extern const std::array<VectorForm, 3> vector_forms;  // memh, json, safetensors

}  // namespace mxref
