#include "eval/cli/models_library.h"

#include <dlfcn.h>

#include <filesystem>

#include "emu/error.h"
#include "eval/cli/command.h"

namespace mxref {
namespace {

namespace fs = std::filesystem;
constexpr const char* file_name = "libmxref_models.so";

void* load() {
  if (!has_models_library())
    throw UsageError("this build has no torch (MXREF_TORCH=OFF), which the command needs");
  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
  std::string tried;
  for (const fs::path& path : {folder.parent_path() / "lib" / file_name, folder / file_name,
                               folder.parent_path() / MXREF_LIBDIR / file_name}) {
    if (!fs::exists(path)) {
      tried += (tried.empty() ? "" : ", ") + path.string();
      continue;
    }
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) throw InputError(std::string("cannot be loaded: ") + dlerror());
    return library;
  }
  throw InputError(std::string(file_name) + " is not beside the program; looked for " + tried);
}

template <typename Function>
Function* function(const char* name) {
  static void* const library = load();  // stays loaded: engines made by it may live on
  void* const symbol = dlsym(library, name);
  if (!symbol) throw InputError(std::string(file_name) + " is of another version: no " + name);
  return reinterpret_cast<Function*>(symbol);
}

void require_good(int code, const std::string& error) {
  if (code == exit_wrong_use) throw UsageError(error);
  if (code != exit_good) throw InputError(error);
}

}  // namespace

bool has_models_library() { return MXREF_HAS_TORCH; }

int run_in_models_library(std::string_view command, const std::vector<std::string>& args,
                          const Context& context) {
  auto* const run = function<decltype(mxref_models_run)>("mxref_models_run");
  std::vector<const char*> argv;
  for (const std::string& arg : args) argv.push_back(arg.c_str());
  return run(std::string(command).c_str(), int(argv.size()), argv.data(), &context);
}

std::unique_ptr<Engine> make_torch_engine_of_library() {
  auto* const make = function<decltype(mxref_models_torch_engine)>("mxref_models_torch_engine");
  std::unique_ptr<Engine> engine(make());
  if (!engine) throw InputError("the engine 'torch' cannot be made");
  return engine;
}

std::vector<GivenProduct> products_of_model(const std::string& model,
                                            const std::filesystem::path& tokens,
                                            const BlockFormat& a, const BlockFormat& b,
                                            const EngineTable& engines) {
  std::vector<GivenProduct> products;
  std::string error;
  const int code = function<decltype(mxref_models_products)>("mxref_models_products")(
      model.c_str(), tokens.c_str(), &a, &b, &engines, &products, &error);
  require_good(code, error);
  return products;
}

std::map<std::string, UnitRows> rows_of_model(const std::string& model,
                                              const std::filesystem::path& tokens, int64_t count,
                                              uint64_t seed, const EngineTable& engines) {
  std::map<std::string, UnitRows> rows;
  std::string error;
  const int code = function<decltype(mxref_models_rows)>("mxref_models_rows")(
      model.c_str(), tokens.c_str(), count, seed, &engines, &rows, &error);
  require_good(code, error);
  return rows;
}

}  // namespace mxref
