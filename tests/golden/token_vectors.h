#pragma once
// Published token ids of texts, and random texts.

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "emu/files/atomic_file.h"
#include "golden/tokenizer/tokenizer.h"
#include "golden/tokenizer/utf8.h"

namespace mxref {

struct Vector {
  std::string text;
  std::vector<int64_t> ids;
};

// llama.cpp's test vectors: texts in FILE.inp, a line of ids for each in FILE.out.
inline std::vector<Vector> read_vectors(const std::filesystem::path& file) {
  constexpr std::string_view separator = "\n__ggml_vocab_test__\n";
  std::string texts = read_file(file.string() + ".inp");
  std::istringstream lines(read_file(file.string() + ".out"));
  std::vector<Vector> vectors;
  for (size_t at = 0, end; (end = texts.find(separator, at)) != texts.npos;
       at = end + separator.size()) {
    Vector v{texts.substr(at, end - at), {}};
    std::string line;
    std::getline(lines, line);
    std::istringstream numbers(line);
    for (int64_t id; numbers >> id;) v.ids.push_back(id);
    vectors.push_back(std::move(v));
  }
  return vectors;
}

inline std::vector<Vector> read_token_json(const std::filesystem::path& file) {
  std::vector<Vector> vectors;
  const auto tokens = nlohmann::json::parse(read_file(file));
  for (const nlohmann::json& entry : tokens["strings"])
    vectors.push_back({entry["text"], entry["ids"]});
  return vectors;
}

inline std::string list(const std::vector<int64_t>& ids) {
  std::string text;
  for (int64_t id : ids) text += std::to_string(id) + " ";
  return text;
}

inline void check_vectors(const Tokenizer& tokenizer, const std::vector<Vector>& vectors) {
  for (const Vector& v : vectors) {
    const auto got = tokenizer.encode(v.text);
    BOOST_TEST(got == v.ids,
               "text '" << v.text << "': expected " << list(v.ids) << "got " << list(got));
    BOOST_TEST(tokenizer.decode(v.ids) == v.text);
  }
}

// Characters of every length and class; white space and digits come often.
inline std::string random_text(std::mt19937_64& random, size_t characters) {
  static constexpr std::pair<uint32_t, uint32_t> ranges[] = {
      {0x20, 0x7E},       {0x61, 0x7A},       {0x20, 0x20},     {0x09, 0x0D},     {0x30, 0x39},
      {0x00, 0x7F},       {0x80, 0x7FF},      {0x800, 0xD7FF},  {0xE000, 0xFFFF}, {0x2000, 0x200F},
      {0x10000, 0x3FFFF}, {0x1F300, 0x1F64F}, {0x0660, 0x0669}, {0x4E00, 0x9FFF}};
  std::string text;
  for (size_t i = 0; i < characters; ++i) {
    const auto [low, high] = ranges[random() % std::size(ranges)];
    append_utf8(text, low + uint32_t(random() % (high - low + 1)));
  }
  return text;
}

}  // namespace mxref
