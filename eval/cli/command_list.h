#pragma once
// Every command of the program, in the order of `mxref --help`.

#include <algorithm>
#include <array>
#include <string_view>

#include "emu/error.h"

namespace mxref {

// Where a command is built.
enum class Home {
  core,    // in `mxref` itself: eval/cli/main.cc has its definition
  models,  // in libmxref_models.so, which needs torch: eval/cli/models_main.cc has its definition
};

struct CommandRow {
  std::string_view name;
  std::string_view summary;
  Home home = Home::core;
};

inline constexpr std::array command_list{
    CommandRow{"formats", "tables of every format: codes, values, limits; and the datapaths"},
    CommandRow{"quantize", "convert the tensors of a safetensors file to a format"},
    CommandRow{"dequantize", "convert quantized tensors back to binary32"},
    CommandRow{"gemm", "one matrix product of quantized operands, by a named engine"},
    CommandRow{"vectors", "golden vectors: block pairs and what an accumulator makes of them"},
    CommandRow{"crosscheck", "all engines on the same products, with controls that must fail"},
    CommandRow{"cosim", "the RTL in lock-step with its models, unit by unit; planted faults"},
    CommandRow{"array", "build an array of any parameters, or with modules of your own, to load"},
    CommandRow{"audit",
               "somebody's simulator against the definition, or two traces of a model: what "
               "differs, and why"},
    CommandRow{"area", "what a datapath costs in a cell library or an FPGA: area, clock, energy"},
    CommandRow{"assets", "list and fetch models, texts and tasks by name"},
    CommandRow{"forward", "run a model on token ids: logits, hidden states", Home::models},
    CommandRow{"eval", "perplexity and benchmarks of a model, on a chosen arithmetic",
               Home::models},
    CommandRow{"ptq", "quantize a model with a method, write a checkpoint", Home::models},
    CommandRow{"study",
               "a grid of models, methods, recipes, datapaths and tasks: tables with intervals",
               Home::models},
    CommandRow{"validate", "the main job: all of it on one model, ending in one page",
               Home::models},
};
static_assert(names_are_distinct(command_list));

// Whether `definitions` (anything with .name) are the commands of one home, each once.
template <typename Table>
constexpr bool defines_all(const Table& definitions, Home home) {
  const auto in_home = [&](const CommandRow& row) { return row.home == home; };
  const auto has_row = [&](const auto& definition) {
    return std::any_of(command_list.begin(), command_list.end(), [&](const CommandRow& row) {
      return in_home(row) && row.name == definition.name;
    });
  };
  return names_are_distinct(definitions) &&
         std::all_of(definitions.begin(), definitions.end(), has_row) &&
         size_t(std::count_if(command_list.begin(), command_list.end(), in_home)) ==
             definitions.size();
}

}  // namespace mxref
