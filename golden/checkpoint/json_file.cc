#include "golden/checkpoint/json_file.h"

#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "emu/files/atomic_file.h"

namespace mxref {

nlohmann::json read_json_object(const std::filesystem::path& path) {
  nlohmann::json object = nlohmann::json::parse(read_file(path), nullptr, false);
  if (object.is_discarded()) throw InputError(path.string() + ": is no valid JSON");
  if (!object.is_object()) throw InputError(path.string() + ": is no JSON object");
  return object;
}

}  // namespace mxref
