#include "emu/files/json_file.h"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "emu/error.h"
#include "emu/files/atomic_file.h"

namespace mxref {

using nlohmann::json;

json parse_json(const std::string& where, std::string_view text) {
  using Event = json::parse_event_t;
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto watch = [&](int depth, Event event, json& value) {
    if (depth >= max_json_depth && (event == Event::object_start || event == Event::array_start))
      throw InputError(where + ": nests deeper than " + std::to_string(max_json_depth) + " levels");
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(value.get<std::string>()).second)
      throw InputError(where + ": names " + shown(value) + " twice in one object");
    return true;
  };
  try {
    return json::parse(text, watch);
  } catch (const json::parse_error& e) {
    throw InputError(where + ": is no valid JSON at byte " + std::to_string(e.byte) +
                     "; expected JSON in UTF-8");
  } catch (const json::exception&) {
    throw InputError(where + ": is no valid JSON; expected JSON in UTF-8");
  }
}

json parse_json_object(const std::string& where, std::string_view text) {
  json object = parse_json(where, text);
  if (!object.is_object())
    throw InputError(where + ": is no JSON object; expected {\"field\": value, …}");
  return object;
}

json read_json_object(const std::filesystem::path& path) {
  return parse_json_object(path.string(), read_file(path));
}

std::string shown_text(std::string_view text) {
  constexpr size_t longest_bytes = 80;
  if (text.size() <= longest_bytes) return std::string(text);
  size_t end = longest_bytes;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // not within a character
  return std::string(text.substr(0, end)) + "…";
}

std::string shown(const json& value) {
  return shown_text(value.dump(-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace));
}

}  // namespace mxref
