#include "emu/engine.h"

#include "emu/capi/plugin_engine.h"
#include "emu/gemm.h"
#include "emu/product_engine.h"

namespace mxref {
std::unique_ptr<Engine> make_ref_engine() {
  return std::make_unique<ProductEngine>("ref", gemm_ref);
}

EngineEntry engine_entry(const EngineTable& engines, std::string_view name) {
  if (name.starts_with(plugin_prefix) && name != plugin_prefix)
    return {std::string(name), [plugin = std::string(name)] { return make_plugin_engine(plugin); }};
  std::vector<std::string_view> valid;
  for (const EngineEntry& entry : engines) {
    if (entry.name == name) return entry;
    valid.push_back(entry.name);
  }
  valid.push_back("plugin:FILE.so");
  throw UsageError(unknown_name("engine", name, valid));
}

std::unique_ptr<Engine> make_engine(const EngineTable& engines, std::string_view name) {
  return engine_entry(engines, name).make();
}

std::string refusal(const Engine& engine, const BlockFormat& a, const BlockFormat& b, int block,
                    const Datapath& datapath) {
  const std::string reason = no_product(a, b, block, datapath);
  return reason.empty() ? engine.refuses(a, b, block, datapath) : reason;
}

void require(const Engine& engine, const BlockFormat& a, const BlockFormat& b, int block,
             const Datapath& datapath) {
  const std::string reason = refusal(engine, a, b, block, datapath);
  if (!reason.empty())
    throw UsageError("engine '" + std::string(engine.name()) + "' does not take " +
                     std::string(a.name) + " × " + std::string(b.name) + " in blocks of " +
                     std::to_string(block) + " on datapath '" + std::string(datapath.name) +
                     "': " + reason);
}

}  // namespace mxref
