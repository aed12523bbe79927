// The commands of libmxref_models.so. How to add one: eval/cli/command.h.

#include <array>

#include "eval/cli/command.h"
#include "eval/cli/command_list.h"
#include "eval/cli/models/model_options.h"
#include "eval/cli/models/task_options.h"
#include "eval/cli/models_library.h"
#include "eval/tasks/item_file.h"
#include "eval/tasks/token_file.h"
#include "eval/validate/caught_products.h"
#include "eval/validate/caught_rows.h"
#include "golden/formulation/torch_engine.h"
#include "golden/tokenizer/tokenizer.h"

namespace mxref {
namespace {

constexpr std::array commands{
    Command{"eval", define_eval},         Command{"forward", define_forward},
    Command{"ptq", define_ptq},           Command{"study", define_study},
    Command{"validate", define_validate},
};
static_assert(defines_all(commands, Home::models));

// The beginning of a text that no task scores.
std::vector<int64_t> calibration_ids(const std::filesystem::path& model) {
  const std::string text = read_text(asset_source("calibration", "calibration", "c4.utf8").file);
  return open_tokenizer(model)->encode(std::string_view(text).substr(0, text.find('\n', 4096)));
}

// catch_in(checkpoint, ids) of a model, and what it reads → exit code; where that is not 0, `error`
// is the message.
template <typename F>
int caught(const char* model, const char* tokens, std::string* error, const F& catch_in) {
  try {
    const std::filesystem::path path = model_path(model);
    const auto checkpoint = open_checkpoint(path);
    const int64_t vocabulary = checkpoint->shape("model.embed_tokens.weight").front();
    catch_in(*checkpoint,
             *tokens ? read_tokens(tokens, vocabulary).front() : calibration_ids(path));
    return exit_good;
  } catch (const UsageError& e) {
    *error = e.what();
    return exit_wrong_use;
  } catch (const std::exception& e) {
    *error = e.what();
    return exit_bad_input;
  }
}

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

int mxref_models_products(const char* model, const char* tokens, const mxref::BlockFormat* a,
                          const mxref::BlockFormat* b, const mxref::EngineTable* engines,
                          std::vector<mxref::GivenProduct>* products, std::string* error) {
  using namespace mxref;
  return caught(model, tokens, error, [&](const Checkpoint& checkpoint, const auto& ids) {
    if (std::ssize(ids) < caught_tokens)
      throw InputError(std::string(tokens) + ": a row of " + std::to_string(ids.size()) +
                       " tokens; operands are caught on " + std::to_string(caught_tokens));
    Recipe recipe;
    recipe.activations = {std::string(a->name), Conversion{.format = a}};
    recipe.weights = {std::string(b->name), Conversion{.format = b}};
    *products = catch_products(checkpoint, recipe, *engines, ids);
  });
}

int mxref_models_rows(const char* model, const char* tokens, int64_t count, uint64_t seed,
                      const mxref::EngineTable* engines,
                      std::map<std::string, mxref::UnitRows>* rows, std::string* error) {
  using namespace mxref;
  return caught(model, tokens, error, [&](const Checkpoint& checkpoint, const auto& ids) {
    *rows = catch_rows(checkpoint, *engines, ids, count, seed);
  });
}
