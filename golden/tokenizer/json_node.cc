#include "golden/tokenizer/json_node.h"

namespace mxref {

std::optional<int64_t> read_token(const JsonNode& token, const TokenIds& ids) {
  if (token.is_null()) return std::nullopt;
  const std::string& text = token.is_object() ? token["content"].text() : token.text();
  const auto found = ids.find(text);
  if (found == ids.end()) token.fail("is '" + text + "', which is no token");
  return found->second;
}

std::pair<std::optional<int64_t>, std::optional<int64_t>> read_text_ends(
    const std::filesystem::path& config) {
  const nlohmann::json object = read_json_object(config);
  const JsonNode root(object, config.string() + ":");
  const auto read = [](const JsonNode& id) -> std::optional<int64_t> {
    if (id.is_null() || (id.is_array() && id.size() == 0)) return std::nullopt;
    return id.is_array() ? id[0].id() : id.id();
  };
  return {read(root["bos_token_id"]), read(root["eos_token_id"])};
}

}  // namespace mxref
