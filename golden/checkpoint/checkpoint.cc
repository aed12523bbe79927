#include "golden/checkpoint/checkpoint.h"

#include <algorithm>
#include <bit>

#include "emu/binary32.h"
#include "emu/error.h"
#include "golden/checkpoint/containers.h"
#include "golden/checkpoint/stored_tensor.h"

namespace mxref {

std::unique_ptr<Checkpoint> open_checkpoint(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    throw InputError(path.string() + ": does not exist; expected " + model_forms);
  return std::filesystem::is_directory(path, error) ? open_hugging_face(path) : open_gguf(path);
}

void refuse_non_finite(const std::filesystem::path& path, const std::string& name,
                       const std::vector<float>& values) {
  const auto bad = std::find_if(values.begin(), values.end(), [](float x) {
    return !binary32::is_finite(std::bit_cast<uint32_t>(x));
  });
  if (bad != values.end())
    throw InputError(path.string() + ": tensor '" + name + "' holds " +
                     (binary32::is_nan(std::bit_cast<uint32_t>(*bad)) ? "a NaN" : "an infinity") +
                     " at element " + std::to_string(bad - values.begin()) +
                     "; expected finite weights");
}

void refuse_tensor(const RawTensor& raw, const std::string& what) {
  throw InputError(raw.file->path().string() + ": tensor '" + raw.view->name + "' " + what);
}

}  // namespace mxref
