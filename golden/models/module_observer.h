#pragma once
// What goes into a model's modules and what comes out of them, for whoever observes it.

#include <ATen/core/Tensor.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

namespace mxref {

// Called while a model computes: before a module with each of its inputs ("input", or "input.0",
// "input.1" … where it has several), after it with its "output". Modules are named in Hugging
// Face's words and come in the order of computation, nothing of another between the first input and
// the output. values (rows, width) binary32: they change after the call.
using ModuleObserver =
    std::function<void(const std::string& module, std::string_view role, const at::Tensor& values)>;

// compute() → its result. Where nobody observes that is all.
template <typename Compute>
at::Tensor observed(const ModuleObserver& observer, const std::string& prefix,
                    std::string_view module, std::initializer_list<at::Tensor> inputs,
                    Compute compute) {
  if (!observer) return compute();
  const std::string name = prefix + std::string(module);
  size_t number = 0;
  for (const at::Tensor& input : inputs)
    observer(name, inputs.size() == 1 ? "input" : "input." + std::to_string(number++), input);
  const at::Tensor output = compute();
  observer(name, "output", output);
  return output;
}

}  // namespace mxref
