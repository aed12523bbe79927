#pragma once
// How the page speaks of the engines.

#include <array>
#include <string_view>

#include "emu/engine.h"

namespace mxref {

struct EngineWords {
  std::string_view implementation;
  std::string_view in_verdict;  // empty: the verdict does not name it
  std::string_view what;
};
inline constexpr std::array engine_words{
    EngineWords{"rtl", "this RTL", "SystemVerilog array, simulated by Verilator"},
    EngineWords{"systemc", "this SystemC model", "SystemC model of the array, cycle by cycle"},
    EngineWords{"kernel", "these kernels", "vector kernels"},
    EngineWords{"torch", "this libtorch model", "libtorch formulation"},
    EngineWords{definition, "", "the definition itself, run again: not in the count above"}};

}  // namespace mxref
