#include "eval/cli/models/calibration_text.h"

#include <filesystem>
#include <string_view>

#include "eval/assets/assets.h"
#include "eval/tasks/item_file.h"

namespace mxref {
namespace {

constexpr std::string_view asset_name = "calibration";
constexpr std::string_view scored_text = "wiki.utf8";

}  // namespace

CalibrationText read_calibration_text(const std::string& source) {
  const std::string prefix = std::string(asset_name) + "/";
  if (source == asset_name) {
    CalibrationText joined{source, "", source};
    for (const AssetFile& file : asset(asset_name).files)
      if (file.name != scored_text) joined.text += read_text(asset_path(asset_name, file.name));
    return joined;
  }
  if (source.starts_with(prefix) && !std::filesystem::exists(source))
    return {source, read_text(asset_path(asset_name, source.substr(prefix.size()))), source};
  return {source, read_text(source)};
}

}  // namespace mxref
