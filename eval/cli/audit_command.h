#pragma once
// A live simulator: a command that reads {in} and writes {out}.

#include <chrono>
#include <memory>
#include <string>

#include "emu/audit/simulator.h"

namespace mxref {

// `command`: words, quoted where they hold spaces, run without a shell; {in} and {out} stand for
// the files (emu/audit/dump.h). Throws UsageError where one of them is missing. The simulator
// throws InputError where the command fails, takes longer than `limit`, or writes no answer of the
// right form.
std::unique_ptr<Simulator> make_command_simulator(const std::string& command,
                                                  std::chrono::seconds limit);

}  // namespace mxref
