#include "emu/capi/plugin_engine.h"

#include <dlfcn.h>

#include <filesystem>
#include <map>
#include <mutex>

#include "emu/array_library.h"
#include "emu/capi/engine_plugin.h"
#include "emu/capi/operand.h"
#include "emu/gemm.h"

namespace mxref {
namespace {

// The functions of a loaded library, which are called while `one_at_a_time` is held:
// engine_plugin.h promises that. The library is never unloaded: what it gave may outlive the
// engine.
class Plugin {
 public:
  explicit Plugin(const std::string& file) : file_(file) {
    // A bare name would be looked for where the system has its libraries.
    const std::filesystem::path path = std::filesystem::absolute(file);
    library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library_) throw InputError(file_ + ": cannot be loaded as a plugin: " + dlerror());
    load(version, "mxref_plugin_version");
    if (const int32_t built_for = version(); built_for != MXREF_PLUGIN_VERSION)
      fail("was built for version " + std::to_string(built_for) +
           " of engine_plugin.h; this program has version " + std::to_string(MXREF_PLUGIN_VERSION));
    load(name, "mxref_plugin_name");
    load(refuses, "mxref_plugin_refuses");
    load(prepare, "mxref_plugin_prepare");
    load(multiply, "mxref_plugin_multiply");
    load(free, "mxref_plugin_free");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(file_ + ": the plugin " + what);
  }
  [[noreturn]] void fail(const std::string& what, const char* reason) const {
    fail(what + ": " + (reason ? reason : "it gives no reason"));
  }

  decltype(mxref_plugin_version)* version = nullptr;
  decltype(mxref_plugin_name)* name = nullptr;
  decltype(mxref_plugin_refuses)* refuses = nullptr;
  decltype(mxref_plugin_prepare)* prepare = nullptr;
  decltype(mxref_plugin_multiply)* multiply = nullptr;
  decltype(mxref_plugin_free)* free = nullptr;

  std::mutex one_at_a_time;

 private:
  template <typename Function>
  void load(Function*& function, const char* symbol) {
    function = reinterpret_cast<Function*>(dlsym(library_, symbol));
    if (!function)
      throw InputError(file_ + ": is no engine plugin: it has no function " + symbol +
                       " (expected all functions of engine_plugin.h)");
  }

  std::string file_;
  void* library_;
};

// One for each file, whatever the number of engines: they share the library's state.
std::shared_ptr<Plugin> plugin_of(const std::string& file) {
  static std::mutex mutex;
  static std::map<std::filesystem::path, std::shared_ptr<Plugin>> loaded;
  const std::lock_guard lock(mutex);
  std::error_code none;
  const std::filesystem::path path = std::filesystem::weakly_canonical(file, none);
  std::shared_ptr<Plugin>& plugin = loaded[path];
  if (!plugin) plugin = std::make_shared<Plugin>(file);
  return plugin;
}

class PluginEngine : public Engine {
 public:
  explicit PluginEngine(const std::string& name)
      : name_(name), plugin_(plugin_of(name.substr(plugin_prefix.size()))) {}

  std::string_view name() const override { return name_; }

  std::string refuses(const BlockFormat& a, const BlockFormat& b, int block,
                      const Datapath& datapath) const override {
    const std::lock_guard lock(plugin_->one_at_a_time);
    const char* reason = plugin_->refuses(text(a.name), text(b.name), block, text(datapath.name));
    if (!reason) return "";
    const char* own_name = plugin_->name();
    return std::string(own_name ? own_name : "the plugin") + ": " +
           (*reason ? reason : "it gives no reason");
  }

  std::unique_ptr<PreparedOperand> prepare(const MxTensor& b,
                                           const Datapath& datapath) const override {
    const mxref_operand operand = operand_of(b);
    const auto handle_of = [&] {
      const std::lock_guard lock(plugin_->one_at_a_time);
      const char* error = nullptr;
      void* handle = plugin_->prepare(&operand, text(datapath.name), &error);
      if (!handle) plugin_->fail("cannot prepare a right operand", error);
      return handle;
    };
    void* handle = handle_of();
    auto prepared = std::make_unique<Operand>(plugin_, handle);
    prepared->rows = b.rows();
    prepared->cols = b.cols();
    prepared->header = {b.conversion, b.shape, {}, {}, b.tensor_scales};
    return prepared;
  }

  void multiply(const MxTensor& a, const PreparedOperand& b, std::span<const float> c,
                std::span<float> d) override {
    const auto& prepared = dynamic_cast<const Operand&>(b);
    check_operands(a, prepared.header);
    const mxref_operand operand = operand_of(a);
    const char* error = nullptr;
    const std::lock_guard lock(plugin_->one_at_a_time);
    if (plugin_->multiply(prepared.handle, &operand, c.empty() ? nullptr : c.data(), d.data(),
                          &error) != 0)
      plugin_->fail("cannot multiply", error);
  }

 private:
  struct Operand : PreparedOperand {
    Operand(std::shared_ptr<Plugin> plugin, void* handle)
        : plugin(std::move(plugin)), handle(handle) {}
    Operand(const Operand&) = delete;
    Operand& operator=(const Operand&) = delete;
    ~Operand() override {
      const std::lock_guard lock(plugin->one_at_a_time);
      plugin->free(handle);
    }
    std::shared_ptr<Plugin> plugin;
    void* handle;
    MxTensor header;  // of b, without its codes and scales
  };

  // Names of formats and datapaths end in a NUL: they are literals, or kept strings.
  static const char* text(std::string_view name) { return name.data(); }

  std::string name_;
  std::shared_ptr<Plugin> plugin_;
};

}  // namespace

std::unique_ptr<Engine> make_plugin_engine(const std::string& name) {
  const std::string file = name.substr(plugin_prefix.size());
  if (const auto array = load_array_library(file)) return make_array_library_engine(name, *array);
  return std::make_unique<PluginEngine>(name);
}

}  // namespace mxref
