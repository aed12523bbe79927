#pragma once

#include <verilated.h>
#include <verilated_fst_c.h>

#include <filesystem>
#include <fstream>

#include "emu/error.h"

namespace mxref {

// The waves of a model; of one that was built without --trace-fst there are none.
class VerilatedWaves {
 public:
  explicit VerilatedWaves(VerilatedContext& context) : context_(context) {
    context.traceEverOn(true);
  }
  ~VerilatedWaves() { file_.close(); }

  // Throws InputError where the file cannot be written: Verilator itself ends the program, or says
  // nothing.
  template <typename Model>
  void open(Model& model, const std::filesystem::path& path) {
    if constexpr (requires { model.trace(&file_, 99); }) {
      if (!std::ofstream(path)) throw InputError(path.string() + ": cannot be written");
      model.trace(&file_, /*levels=*/99);
      file_.open(path.c_str());
    }
  }
  void after_eval() {
    if (file_.isOpen()) file_.dump(context_.time());
    context_.timeInc(1);
  }

 private:
  VerilatedContext& context_;
  VerilatedFstC file_;
};

}  // namespace mxref
