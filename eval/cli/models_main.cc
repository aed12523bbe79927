// The commands of libmxref_models.so. How to add one: eval/cli/command.h.

#include <array>

#include "eval/cli/command.h"
#include "eval/cli/command_list.h"
#include "eval/cli/models_library.h"
#include "golden/formulation/torch_engine.h"

namespace mxref {
namespace {

constexpr std::array commands{
    Command{"eval", define_eval},
    Command{"forward", define_forward},
    Command{"validate", define_validate},
};
static_assert(defines_all(commands, Home::models));

}  // namespace
}  // namespace mxref

int mxref_models_run(const char* command, int argc, const char* const* argv,
                     const mxref::Context* context) {
  return mxref::report_errors("mxref", [&] {
    return mxref::run_command(mxref::find_by_name(mxref::commands, "command", command),
                              {argv, argv + argc}, *context);
  });
}

mxref::Engine* mxref_models_torch_engine() {
  mxref::Engine* engine = nullptr;
  mxref::report_errors("mxref", [&] {
    engine = mxref::make_torch_engine().release();
    return mxref::exit_good;
  });
  return engine;
}
