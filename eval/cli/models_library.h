#pragma once
// libmxref_models.so: what needs torch, loaded only when a command or an engine needs it, so that
// all other commands start at once.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "emu/crosscheck/crosscheck.h"
#include "emu/vectors/units.h"
#include "eval/cli/command.h"

namespace mxref {

// Whether this program was built with it.
bool has_models_library();

// Runs a command of the library → exit code. Throws UsageError where this build has none,
// InputError where it cannot be loaded.
int run_in_models_library(std::string_view command, const std::vector<std::string>& args,
                          const Context& context);

// The engine `torch`. Throws as above.
std::unique_ptr<Engine> make_torch_engine_of_library();

// Products of `model`'s own layers (a path, or the name of an asset), activations in format a and
// weights in format b, caught while it reads the first row of the file `tokens`, or a text of the
// asset `calibration` where that is empty. Throws as above, and as open_checkpoint and load_model.
std::vector<GivenProduct> products_of_model(const std::string& model,
                                            const std::filesystem::path& tokens,
                                            const BlockFormat& a, const BlockFormat& b,
                                            const EngineTable& engines);

// Inputs of the units of the rest, by name: at most `count` rows of each, drawn with `seed`
// (eval/validate/caught_rows.h) in the same model and tokens. Throws as above.
std::map<std::string, UnitRows> rows_of_model(const std::string& model,
                                              const std::filesystem::path& tokens, int64_t count,
                                              uint64_t seed, const EngineTable& engines);

}  // namespace mxref

// What the library exports. No exception crosses.
extern "C" {
// args: what follows the command's name → exit code.
int mxref_models_run(const char* command, int argc, const char* const* argv,
                     const mxref::Context* context);
// The caller owns it; nullptr where it cannot be made (told on standard error).
mxref::Engine* mxref_models_torch_engine();
// Fills `products` → exit code; where that is not 0, `error` is the message.
int mxref_models_products(const char* model, const char* tokens, const mxref::BlockFormat* a,
                          const mxref::BlockFormat* b, const mxref::EngineTable* engines,
                          std::vector<mxref::GivenProduct>* products, std::string* error);
// Likewise `rows`.
int mxref_models_rows(const char* model, const char* tokens, int64_t count, uint64_t seed,
                      const mxref::EngineTable* engines,
                      std::map<std::string, mxref::UnitRows>* rows, std::string* error);
}
