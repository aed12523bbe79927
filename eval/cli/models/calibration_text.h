#pragma once
// The text of --calibration.

#include <string>

namespace mxref {

struct CalibrationText {
  std::string label;  // as records show it: the file's path, or the asset's name
  std::string text;
  std::string asset = {};  // the asset's name, "" of a file
};

// FILE, or `calibration`: the texts of the asset of that name but its Wikipedia, which is scored
// (joined in the order of the manifest), or one of them: `calibration/c4.utf8`. Throws InputError
// as read_text and asset_path.
CalibrationText read_calibration_text(const std::string& source);

}  // namespace mxref
