// tokenizer.model of a Hugging Face folder.

#include <map>
#include <tuple>

#include "emu/files/atomic_file.h"
#include "golden/tokenizer/json_node.h"
#include "golden/tokenizer/sentencepiece_tokenizer.h"

namespace mxref {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The tokens behind the pieces, in order of ids; those that are pieces are said once more.
std::vector<std::string> read_added(const JsonNode& tokens, const SentencePieceModel& model) {
  std::map<int64_t, std::string> behind;
  if (tokens.is_null()) return {};
  for (const auto& [id, object] : tokens.fields()) {
    const JsonNode token = tokens[id];
    for (const char* field : {"single_word", "lstrip", "rstrip"}) token[field].require_off();
    const json number = json::parse(id, nullptr, /*allow_exceptions=*/false);
    const int64_t place = JsonNode(number, tokens.where() + " " + id).id();
    const std::string& text = token["content"].text();
    if (place >= int64_t(model.pieces.size()))
      behind[place] = text;
    else if (model.pieces[size_t(place)].text != text)
      token["content"].fail("is '" + text + "'; the model has '" +
                            std::string(model.pieces[size_t(place)].text) + "'");
  }
  std::vector<std::string> added;
  for (const auto& [id, text] : behind) {
    if (id != int64_t(model.pieces.size() + added.size()))
      tokens.fail("leaves a gap below the id " + std::to_string(id));
    added.push_back(text);
  }
  return added;
}

// The ends of texts as the model itself has them.
std::optional<int64_t> control_piece(const SentencePieceModel& model, std::string_view text) {
  for (size_t id = 0; id < model.pieces.size(); ++id)
    if (model.pieces[id].type == PieceType::control && model.pieces[id].text == text)
      return int64_t(id);
  return std::nullopt;
}

void read_settings(const fs::path& file, SentencePieceModel& model,
                   SentencePieceSettings& settings) {
  const json object = read_json_object(file);
  const JsonNode config(object, file.string() + ":");
  settings.added = read_added(config["added_tokens_decoder"], model);
  TokenIds ids;
  for (size_t id = 0; id < model.pieces.size(); ++id)
    ids.emplace(model.pieces[id].text, int64_t(id));
  for (size_t i = 0; i < settings.added.size(); ++i)
    if (!ids.emplace(settings.added[i], int64_t(model.pieces.size() + i)).second)
      config["added_tokens_decoder"].fail("has '" + settings.added[i] +
                                          "', which is a token already");
  for (auto [field, end] : {std::pair{"bos_token", &settings.bos}, {"eos_token", &settings.eos}})
    if (object.contains(field)) *end = read_token(config[field], ids);
  const auto add = [&](const char* field, bool absent, const std::optional<int64_t>& end,
                       std::optional<int64_t>& added) {
    if (!config[field].flag(absent && end)) return;
    if (!end) config[field].fail("is true, and there is no such token");
    added = end;
  };
  add("add_bos_token", true, settings.bos, settings.first);
  add("add_eos_token", false, settings.eos, settings.last);
  if (const JsonNode prefix = config["add_prefix_space"]; !prefix.is_null())
    model.proto += space_prefix_setting(prefix.flag(true));
}

}  // namespace

std::unique_ptr<Tokenizer> open_sentencepiece_folder(const fs::path& folder) {
  const fs::path file = folder / "tokenizer.model";
  const std::string proto = read_file(file);
  SentencePieceModel model = read_sentencepiece_model(proto, file.string());
  SentencePieceSettings settings;
  settings.bos = control_piece(model, "<s>");
  settings.eos = control_piece(model, "</s>");
  std::error_code error;
  if (fs::exists(folder / "tokenizer_config.json", error)) {
    read_settings(folder / "tokenizer_config.json", model, settings);
  } else {
    const auto [bos, eos] = read_text_ends(folder / "config.json");
    if (bos) settings.bos = bos;
    if (eos) settings.eos = eos;
    settings.first = settings.bos;
  }
  return std::make_unique<SentencePieceTokenizer>(model, settings, file.string());
}

}  // namespace mxref
