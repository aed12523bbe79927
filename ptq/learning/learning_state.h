#pragma once
// What has been learned so far, in files, to go on after a kill with the same bits.

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ptq/method.h"

namespace mxref {

class LearningState {
 public:
  using Tensors = std::map<std::string, at::Tensor>;  // binary64

  // Files of `part` ("spinquant") in context.state, which is created where it is named and absent;
  // where it is empty nothing is kept. What decides the result, context.inputs, is written with it.
  LearningState(const MethodContext& context, std::string part);

  // What was kept under this name; nothing where nothing was. Throws UsageError where the file is
  // of another run, InputError where it is damaged.
  std::optional<Tensors> read(const std::string& name) const;
  // Written beside its place and renamed. What is read and written is told to context.learned.
  void write(const std::string& name, const Tensors& tensors) const;

 private:
  std::filesystem::path file(const std::string& name) const;
  void tell(const std::filesystem::path& path) const;

  std::filesystem::path folder_;
  std::string part_, run_;
  std::vector<std::filesystem::path>* learned_;
};

}  // namespace mxref
