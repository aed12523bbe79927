#include "golden/checkpoint/tokenizer_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "golden/checkpoint/gguf.h"
#include "golden/tokenizer/pre_tokenizer.h"
#include "golden/tokenizer/sentencepiece_model.h"
#include "golden/tokenizer/tokenizer.h"

namespace mxref {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// Files beside the weights that tell how text, and what it is asked for, become tokens.
constexpr std::string_view copied_files[] = {"added_tokens.json",
                                             "chat_template.jinja",
                                             "chat_template.json",
                                             "generation_config.json",
                                             "merges.txt",
                                             "preprocessor_config.json",
                                             "special_tokens_map.json",
                                             "spiece.model",
                                             "tokenizer.json",
                                             "tokenizer.model",
                                             "tokenizer_config.json",
                                             "vocab.json"};
// Code that "auto_map" of config.json names.
constexpr std::string_view copied_code[] = {"configuration_", "modeling_", "tokenization_",
                                            "modular_"};

bool is_copied(const std::string& name) {
  if (std::ranges::count(copied_files, name) > 0) return true;
  return name.ends_with(".py") &&
         std::ranges::any_of(copied_code, [&](auto begin) { return name.starts_with(begin); });
}

// A step of the pre-tokenizer (golden/tokenizer/pre_tokenizer.h) as tokenizer.json writes it.
json step_of(std::string_view step) {
  const auto bytes = [](bool use_regex) {
    return json{{"type", "ByteLevel"},
                {"add_prefix_space", false},
                {"trim_offsets", true},
                {"use_regex", use_regex}};
  };
  if (step == "ByteLevel" || step == "bytes") return bytes(step == "ByteLevel");
  if (step == "Digits") return {{"type", "Digits"}, {"individual_digits", true}};
  constexpr std::string_view split = "Split ";
  return {{"type", "Split"},
          {"pattern", {{"Regex", step.substr(split.size())}}},
          {"behavior", "Isolated"},
          {"invert", false}};
}

json pre_tokenizer_of(std::string_view name) {
  json steps = json::array();
  for (std::string_view step : pre_tokenizer_steps(name)) steps.push_back(step_of(step));
  if (steps.size() == 1) return steps.front();
  return {{"type", "Sequence"}, {"pretokenizers", steps}};
}

// The tokens "bos" and "eos" of a GGUF file.
struct GgufEnds {
  const GgufFile& file;
  bool adds_bos;  // where nothing is said

  std::optional<uint64_t> id(const std::string& name) const {
    return file.get<uint64_t>("tokenizer.ggml." + name + "_token_id");
  }
  // Whether it is added to every text.
  bool adds(const std::string& name) const {
    return file.get<bool>("tokenizer.ggml.add_" + name + "_token")
        .value_or(name == "bos" && adds_bos);
  }
};

// tokenizer_config.json
json config_of(const GgufEnds& ends, const char* tokenizer_class) {
  const auto tokens = ends.file.need<std::vector<std::string_view>>("tokenizer.ggml.tokens");
  json config{{"tokenizer_class", tokenizer_class}, {"clean_up_tokenization_spaces", false}};
  for (const std::string name : {"bos", "eos"}) {
    config["add_" + name + "_token"] = ends.adds(name);
    if (const auto id = ends.id(name)) config[name + "_token"] = tokens[*id];
  }
  if (const auto text = ends.file.get<std::string_view>("tokenizer.chat_template"))
    config["chat_template"] = *text;
  return config;
}

// A tokenizer of byte-level pairs, whose metadata open_tokenizer() has checked.
class GgufTokenizer {
 public:
  explicit GgufTokenizer(const GgufFile& file)
      : file_(file),
        tokens_(file.need<std::vector<std::string_view>>("tokenizer.ggml.tokens")),
        pre_tokenizer_(file.need<std::string_view>("tokenizer.ggml.pre")),
        ends_{file, gguf_habits(pre_tokenizer_).adds_bos} {}
  const GgufEnds& ends() const { return ends_; }

  json tokenizer() const {
    const auto types = file_.get<std::vector<int64_t>>("tokenizer.ggml.token_type");
    json vocab = json::object(), added = json::array();
    for (size_t id = 0; id < tokens_.size(); ++id) {
      const auto type = types ? PieceType((*types)[id]) : PieceType::normal;
      if (type == PieceType::control || type == PieceType::user_defined)
        added.push_back({{"id", id},
                         {"content", tokens_[id]},
                         {"single_word", false},
                         {"lstrip", false},
                         {"rstrip", false},
                         {"normalized", false},
                         {"special", type == PieceType::control}});
      vocab[std::string(tokens_[id])] = id;
    }
    json merges = json::array();
    for (std::string_view merge :
         file_.need<std::vector<std::string_view>>("tokenizer.ggml.merges"))
      merges.push_back(merge);
    return {{"version", "1.0"},
            {"truncation", nullptr},
            {"padding", nullptr},
            {"added_tokens", added},
            {"normalizer", nullptr},
            {"pre_tokenizer", pre_tokenizer_of(pre_tokenizer_)},
            {"post_processor", post_processor()},
            {"decoder", step_of("ByteLevel")},
            {"model",
             {{"type", "BPE"},
              {"dropout", nullptr},
              {"unk_token", nullptr},
              {"continuing_subword_prefix", nullptr},
              {"end_of_word_suffix", nullptr},
              {"fuse_unk", false},
              {"byte_fallback", false},
              {"ignore_merges", gguf_habits(pre_tokenizer_).takes_whole_pieces},
              {"vocab", vocab},
              {"merges", merges}}}};
  }

 private:
  // One text, or a pair of them, between the tokens that are added.
  json post_processor() const {
    if (!ends_.adds("bos") && !ends_.adds("eos")) return nullptr;
    json single = json::array(), pair = json::array(), added = json::object();
    const auto token = [&](const char* name, int type) -> json {
      const std::string text(tokens_[*ends_.id(name)]);
      added[text] = {{"id", text}, {"ids", {*ends_.id(name)}}, {"tokens", {text}}};
      return {{"SpecialToken", {{"id", text}, {"type_id", type}}}};
    };
    for (int type : {0, 1}) {
      json texts = json::array();
      if (ends_.adds("bos")) texts.push_back(token("bos", type));
      texts.push_back({{"Sequence", {{"id", type == 0 ? "A" : "B"}, {"type_id", type}}}});
      if (ends_.adds("eos")) texts.push_back(token("eos", type));
      if (type == 0) single = texts;
      pair.insert(pair.end(), texts.begin(), texts.end());
    }
    return {{"type", "TemplateProcessing"},
            {"single", single},
            {"pair", pair},
            {"special_tokens", added}};
  }

  const GgufFile& file_;
  std::vector<std::string_view> tokens_;
  std::string_view pre_tokenizer_;
  GgufEnds ends_;
};

void write_json(const fs::path& path, const json& value) {
  try {
    write_atomically(path, value.dump(2) + "\n");
  } catch (const json::exception&) {
    throw InputError(path.string() + ": the source holds texts that are not UTF-8");
  }
}

}  // namespace

void write_tokenizer(const fs::path& source, const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(source, error)) {
    const GgufFile file = GgufFile::open(source);
    const auto kind = file.get<std::string_view>("tokenizer.ggml.model");
    if (kind != "gpt2" && kind != "llama") return;
    open_tokenizer(source);
    json config;
    if (kind == "gpt2") {
      const GgufTokenizer tokenizer(file);
      write_json(folder / "tokenizer.json", tokenizer.tokenizer());
      config = config_of(tokenizer.ends(), "PreTrainedTokenizerFast");
      config["add_prefix_space"] = false;
    } else {
      write_atomically(folder / "tokenizer.model", sentencepiece_model(file));
      config = config_of({file, /*adds_bos=*/true}, "LlamaTokenizer");
    }
    write_json(folder / "tokenizer_config.json", config);
    return;
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(source, error))
    if (is_copied(entry.path().filename().string()) && entry.is_regular_file(error))
      write_atomically(folder / entry.path().filename(), read_file(entry.path()));
}

}  // namespace mxref
