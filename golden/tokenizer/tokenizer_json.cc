#include "golden/tokenizer/tokenizer_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "emu/error.h"
#include "emu/files/json_file.h"
#include "golden/tokenizer/byte_alphabet.h"
#include "golden/tokenizer/byte_pair_tokenizer.h"
#include "golden/tokenizer/json_node.h"

namespace mxref {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::string type_of(const JsonNode& node) { return node["type"].text(); }

[[noreturn]] void refuse_type(const JsonNode& node, const char* expected) {
  node.fail("is of the type '" + type_of(node) + "'; expected " + expected);
}

// The steps of a Sequence, or the one that there is. A Sequence within one is refused by its type.
std::vector<JsonNode> steps_of(const JsonNode& node, const char* list) {
  if (type_of(node) != "Sequence") return {node};
  const JsonNode steps = node[list];
  std::vector<JsonNode> result;
  for (size_t i = 0; i < steps.size(); ++i) result.push_back(steps[i]);
  return result;
}

// Whether texts are brought to NFC.
bool read_normalizer(const JsonNode& node) {
  if (node.is_null()) return false;
  for (const JsonNode& step : steps_of(node, "normalizers"))
    if (type_of(step) != "NFC") refuse_type(step, "NFC");
  return true;
}

// A step of the pre-tokenizer in the words of PreTokenizer.
std::string describe_step(const JsonNode& step) {
  const std::string type = type_of(step);
  if (type == "ByteLevel") {
    step["add_prefix_space"].require_off();
    return step["use_regex"].flag(true) ? "ByteLevel" : "bytes";
  }
  if (type == "Digits" && step["individual_digits"].flag(false)) return "Digits";
  if (type == "Split") {
    step["invert"].require_off();
    if (const JsonNode behavior = step["behavior"]; behavior.text() != "Isolated")
      behavior.fail("is '" + behavior.text() + "'; expected 'Isolated'");
    return "Split " + step["pattern"]["Regex"].text();
  }
  refuse_type(step, "ByteLevel, Split, or Digits one by one");
}

std::string_view read_pre_tokenizer(const JsonNode& node) {
  if (node.is_null()) node.fail("is missing");
  std::vector<std::string> steps;
  for (const JsonNode& step : steps_of(node, "pretokenizers")) steps.push_back(describe_step(step));
  const std::string_view name = pre_tokenizer_of_steps(steps);
  if (!name.empty()) return name;
  std::string list;
  for (const std::string& step : steps) list += (list.empty() ? "'" : ", '") + step + "'";
  std::string known;
  for (const std::string_view rule : pre_tokenizer_names())
    known += (known.empty() ? "" : ", ") + std::string(rule);
  node.fail("is none that is known (" + known + "): " + list);
}

// The tokens of the vocabulary and those that were added to it, each at its id.
TokenIds read_tokens(const JsonNode& root, Vocabulary& vocabulary) {
  const JsonNode vocab = root["model"]["vocab"], added = root["added_tokens"];
  TokenIds ids;
  for (const auto& [text, id] : vocab.fields()) ids.emplace(text, vocab[text].id());
  std::vector<int64_t> added_ids;
  for (size_t i = 0; !added.is_null() && i < added.size(); ++i) {
    const JsonNode token = added[i];
    for (const char* field : {"single_word", "lstrip", "rstrip"}) token[field].require_off();
    // It would be matched in what composition gives, which may join its ends with their neighbours.
    if (vocabulary.composes_text) token["normalized"].require_off();
    const int64_t id = token["id"].id();
    const auto [place, fresh] = ids.emplace(token["content"].text(), id);
    if (place->second != id)
      token["id"].fail("is " + std::to_string(id) + "; the vocabulary gives the token the id " +
                       std::to_string(place->second));
    added_ids.push_back(id);
  }
  const size_t size = ids.size();
  vocabulary.tokens.resize(size);
  std::vector<bool> taken(size);
  for (const auto& [text, id] : ids) {
    if (size_t(id) >= size || taken[size_t(id)])
      vocab.fail("and added_tokens are " + std::to_string(size) + " tokens, and the id " +
                 std::to_string(id) + " of '" + std::string(text) +
                 "' comes twice or leaves a gap below it");
    taken[size_t(id)] = true;
    vocabulary.tokens[size_t(id)] = text;
  }
  vocabulary.matched.assign(size, false);
  for (const int64_t id : added_ids) vocabulary.matched[size_t(id)] = true;
  vocabulary.literal = vocabulary.matched;
  return ids;
}

// "a b", or ["a", "b"].
std::vector<std::string> read_merges(const JsonNode& merges) {
  std::vector<std::string> result;
  for (size_t i = 0; i < merges.size(); ++i) {
    const JsonNode merge = merges[i];
    if (merge.is_array() && merge.size() != 2) merge.fail("is not of two tokens");
    result.push_back(merge.is_array() ? merge[0].text() + " " + merge[1].text() : merge.text());
  }
  return result;
}

// The options of the model, each off or known.
void check_model(const JsonNode& model, const TokenIds& ids) {
  for (const auto& [field, value] : model.fields()) {
    // Says what becomes of several unknown bytes in a row; there are none.
    if (field == "type" || field == "vocab" || field == "merges" || field == "fuse_unk" ||
        field == "ignore_merges")
      continue;
    if (field != "unk_token") {
      model[field].require_off();
      continue;
    }
    if (model[field].is_null()) continue;
    for (int byte = 0; byte < 256; ++byte)
      if (!ids.contains(letter_of_byte(uint8_t(byte))))
        model[field].fail("is '" + model[field].text() + "', and the vocabulary lacks the byte " +
                          std::to_string(byte) + ": unknown tokens are not supported");
  }
}

// What is added in front of and behind every text: a template with one token at each end at most.
void read_template(const JsonNode& step, Vocabulary& vocabulary) {
  const JsonNode pieces = step["single"];
  bool behind = false;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i]["Sequence"].is_object()) {
      behind = true;
      continue;
    }
    const JsonNode ids = step["special_tokens"][pieces[i]["SpecialToken"]["id"].text()]["ids"];
    std::optional<int64_t>& added = behind ? vocabulary.last : vocabulary.first;
    if (ids.size() != 1 || added) pieces.fail("adds more than one token at an end of the text");
    added = ids[0].id();
  }
}

void read_post_processor(const JsonNode& node, Vocabulary& vocabulary) {
  if (node.is_null()) return;
  for (const JsonNode& step : steps_of(node, "processors")) {
    const std::string type = type_of(step);
    if (type == "TemplateProcessing")
      read_template(step, vocabulary);
    else if (type != "ByteLevel")  // which moves offsets only
      refuse_type(step, "ByteLevel or TemplateProcessing");
  }
}

void read_tokenizer_config(const fs::path& file, const TokenIds& ids, Vocabulary& vocabulary) {
  const json object = read_json_object(file);
  const JsonNode config(object, file.string() + ":");
  vocabulary.bos = read_token(config["bos_token"], ids);
  vocabulary.eos = read_token(config["eos_token"], ids);
  config["add_prefix_space"].require_off();
  for (const auto& [field, added] :
       {std::pair{"add_bos_token", vocabulary.first}, {"add_eos_token", vocabulary.last}})
    if (config[field].flag(added.has_value()) != added.has_value())
      config[field].fail("contradicts the post_processor of tokenizer.json");
}

}  // namespace

std::unique_ptr<Tokenizer> open_tokenizer_json(const fs::path& folder) {
  const fs::path file = folder / "tokenizer.json";
  std::error_code error;
  if (!fs::exists(file, error))
    throw InputError(folder.string() +
                     ": has no tokenizer.json and no tokenizer.model, one of which text needs; "
                     "token ids can be given by --tokens");
  const json object = read_json_object(file);
  const JsonNode root(object, file.string() + ":");
  const JsonNode model = root["model"];
  if (type_of(model) != "BPE") refuse_type(model, "BPE");
  if (const JsonNode decoder = root["decoder"];
      !decoder.is_null() && type_of(decoder) != "ByteLevel")
    refuse_type(decoder, "ByteLevel");

  Vocabulary vocabulary;
  vocabulary.composes_text = read_normalizer(root["normalizer"]);
  const TokenIds ids = read_tokens(root, vocabulary);
  check_model(model, ids);
  const std::vector<std::string> merges = read_merges(model["merges"]);
  vocabulary.merges.assign(merges.begin(), merges.end());
  vocabulary.takes_whole_pieces = model["ignore_merges"].flag(false);
  vocabulary.pre_tokenizer = read_pre_tokenizer(root["pre_tokenizer"]);
  read_post_processor(root["post_processor"], vocabulary);
  if (fs::exists(folder / "tokenizer_config.json", error))
    read_tokenizer_config(folder / "tokenizer_config.json", ids, vocabulary);
  else
    std::tie(vocabulary.bos, vocabulary.eos) = read_text_ends(folder / "config.json");
  return std::make_unique<BytePairTokenizer>(vocabulary, file.string());
}

}  // namespace mxref
