#pragma once
// Engines that shared libraries of others give (emu/capi/engine_plugin.h): `plugin:FILE.so`.

#include <memory>
#include <string>
#include <string_view>

#include "emu/engine.h"

namespace mxref {

inline constexpr std::string_view plugin_prefix = "plugin:";

// name: "plugin:FILE.so", which the engine is called. Throws InputError that names the file where
// it cannot be loaded, lacks a function of the header, or was built for another version of it.
std::unique_ptr<Engine> make_plugin_engine(const std::string& name);

}  // namespace mxref
