#pragma once
// One mutant in the bench of its unit.

#include <cstdint>
#include <string>

namespace mxref {

struct MutantRun {
  int64_t cycles = 0, compared = 0;  // transfers
  std::string failure = {};          // what killed it; empty where it survived
};
// From reset until it is killed, or as long as `mxref cosim --blocks` runs the unit. mutant: 0 for
// none. There are no assertions: the outputs alone decide.
MutantRun run_mutant(uint16_t mutant, int64_t blocks, uint64_t seed);

// Model: a class around a Verilated netlist of mutants, whose model_ it can reach.
template <typename Model>
class Mutant : public Model {
 public:
  template <typename... Arguments>
  explicit Mutant(uint16_t mutant, const Arguments&... arguments) : Model(arguments...) {
    this->model_.mutant_i = mutant;
  }
};

}  // namespace mxref
