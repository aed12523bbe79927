#include "ptq/learning/learning_state.h"

#include <ATen/ops/empty.h>

#include <cstring>

#include "emu/error.h"
#include "emu/files/safetensors.h"

namespace mxref {

LearningState::LearningState(const MethodContext& context, std::string part)
    : folder_(context.state),
      part_(std::move(part)),
      run_(context.inputs.dump()),
      learned_(context.learned) {
  std::error_code error;
  if (!folder_.empty() && !std::filesystem::is_directory(folder_) &&
      !std::filesystem::create_directory(folder_, error))
    throw InputError(folder_.string() + ": cannot be made a folder of what is learned");
  tell(folder_);
}

void LearningState::tell(const std::filesystem::path& path) const {
  if (learned_ && !folder_.empty()) learned_->push_back(path);
}

std::filesystem::path LearningState::file(const std::string& name) const {
  return folder_ / (part_ + "." + name + ".safetensors");
}

std::optional<LearningState::Tensors> LearningState::read(const std::string& name) const {
  if (folder_.empty() || !std::filesystem::exists(file(name))) return std::nullopt;
  const SafetensorsFile kept = SafetensorsFile::open(file(name));
  const auto run = kept.metadata().find("run");
  if (run == kept.metadata().end() || run->second != run_)
    throw UsageError(file(name).string() +
                     ": was learned by a run with another model, recipe, option, calibration or "
                     "seed; remove it or name another folder");
  tell(file(name));
  Tensors tensors;
  for (const TensorView& view : kept.tensors()) {
    if (view.dtype != DType::F64)
      throw InputError(file(name).string() + ": tensor '" + view.name + "' is no F64");
    at::Tensor& x = tensors[view.name] = at::empty(view.shape, at::kDouble);
    std::memcpy(x.data_ptr(), view.bytes.data(), view.bytes.size());
  }
  return tensors;
}

void LearningState::write(const std::string& name, const Tensors& tensors) const {
  if (folder_.empty()) return;
  SafetensorsWriter writer;
  for (const auto& [key, x] : tensors)
    writer.add(key, DType::F64, x.sizes().vec(),
               std::span(static_cast<const std::byte*>(x.data_ptr()), x.nbytes()));
  writer.set_metadata("run", run_);
  writer.write(file(name));
  tell(file(name));
}

}  // namespace mxref
