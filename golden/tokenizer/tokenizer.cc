#include "golden/tokenizer/tokenizer.h"

#include "emu/error.h"
#include "golden/checkpoint/gguf.h"
#include "golden/tokenizer/byte_pair_tokenizer.h"
#include "golden/tokenizer/tokenizer_json.h"

namespace mxref {
namespace {

// tokenizer.ggml.token_type
constexpr int64_t normal = 1, control = 3, user_defined = 4, byte = 6;

std::unique_ptr<Tokenizer> from_gguf(const GgufFile& file) {
  const auto model = file.need<std::string_view>("tokenizer.ggml.model");
  if (model != "gpt2")
    file.refuse("has the tokenizer '" + std::string(model) +
                "'; expected 'gpt2' (byte-level byte pairs)");
  if (file.get<bool>("tokenizer.ggml.add_space_prefix").value_or(false))
    file.refuse("metadata 'tokenizer.ggml.add_space_prefix' is not supported");

  Vocabulary vocabulary;
  vocabulary.tokens = file.need<std::vector<std::string_view>>("tokenizer.ggml.tokens");
  vocabulary.merges = file.need<std::vector<std::string_view>>("tokenizer.ggml.merges");
  vocabulary.pre_tokenizer = file.need<std::string_view>("tokenizer.ggml.pre");
  const size_t size = vocabulary.tokens.size();
  const auto types = file.get<std::vector<int64_t>>("tokenizer.ggml.token_type")
                         .value_or(std::vector<int64_t>(size, normal));
  if (types.size() != size)
    file.refuse("has " + std::to_string(size) + " tokens and " + std::to_string(types.size()) +
                " token types");
  for (const int64_t type : types) {
    vocabulary.matched.push_back(type == control || type == user_defined);
    vocabulary.literal.push_back(type != normal && type != byte);
  }
  const auto id = [&](const char* key) -> std::optional<int64_t> {
    const auto value = file.get<uint64_t>(key);
    return value ? std::optional(int64_t(*value)) : std::nullopt;
  };
  vocabulary.bos = id("tokenizer.ggml.bos_token_id");
  vocabulary.eos = id("tokenizer.ggml.eos_token_id");
  const struct {
    const char *flag, *id;
    std::optional<int64_t>& added;
  } additions[] = {
      {"tokenizer.ggml.add_bos_token", "tokenizer.ggml.bos_token_id", vocabulary.first},
      {"tokenizer.ggml.add_eos_token", "tokenizer.ggml.eos_token_id", vocabulary.last}};
  for (const auto& [flag, key, added] : additions)
    if (file.get<bool>(flag).value_or(false)) added = int64_t(file.need<uint64_t>(key));
  return std::make_unique<BytePairTokenizer>(vocabulary, file.path().string());
}

}  // namespace

std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return open_tokenizer_json(path);
  return from_gguf(GgufFile::open(path));
}

}  // namespace mxref
