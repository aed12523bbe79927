#include "emu/array_library.h"

#include <dlfcn.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "emu/array_driver.h"
#include "emu/error.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

ordered_json names(const FormatSet& set) {
  ordered_json list = ordered_json::array();
  for (const BlockFormat& format : block_formats)
    if (set[format_number(format)]) list.push_back(format.name);
  return list;
}
FormatSet set_of(const ordered_json& list) {
  FormatSet set;
  for (const ordered_json& name : list)
    set.set(format_number(block_format(name.get<std::string>())));
  return set;
}

}  // namespace

std::string to_json(const ArrayDesign& design) {
  return ordered_json{{"rows", design.shape.rows},
                      {"cols", design.shape.cols},
                      {"formats_a", names(design.formats_a)},
                      {"formats_b", names(design.formats_b)},
                      {"datapath", design.datapath->name}}
      .dump();
}

ArrayDesign array_design_of(const std::string& json) try {
  const ordered_json object = ordered_json::parse(json);
  return {.shape = {object.at("rows").get<int>(), object.at("cols").get<int>()},
          .datapath = &datapath(object.at("datapath").get<std::string>()),
          .formats_a = set_of(object.at("formats_a")),
          .formats_b = set_of(object.at("formats_b"))};
} catch (const std::exception& e) {
  throw InputError("design of an array: " + std::string(e.what()) + "; got " + json);
}

std::optional<ArraySource> load_array_library(const std::string& file) {
  // A bare name would be looked for where the system has its libraries.
  void* library = dlopen(std::filesystem::absolute(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) throw InputError(file + ": cannot be loaded: " + dlerror());
  const auto version =
      reinterpret_cast<decltype(&mxref_array_version)>(dlsym(library, "mxref_array_version"));
  const auto design =
      reinterpret_cast<decltype(&mxref_array_design)>(dlsym(library, "mxref_array_design"));
  const auto make =
      reinterpret_cast<decltype(&mxref_array_make)>(dlsym(library, "mxref_array_make"));
  if (!version || !design || !make) return std::nullopt;
  if (version() != array_library_version)
    throw InputError(file + ": is an array of version " + std::to_string(version()) +
                     "; this program has " + std::to_string(array_library_version) +
                     " (build it again with `mxref array`)");
  const auto kept = std::make_shared<const ArrayDesign>(array_design_of(design()));
  return ArraySource{*kept, [kept, make] { return std::unique_ptr<ArrayPort>(make(kept.get())); }};
}

std::unique_ptr<Engine> make_array_library_engine(const std::string& name,
                                                  const ArraySource& source) {
  constexpr int arrays = 2;
  const auto choose = [source = std::make_shared<const ArraySource>(source)](
                          const BlockFormat& a, const BlockFormat& b, int block,
                          const Datapath& datapath, std::string& reason) -> const ArraySource* {
    reason = array_refuses(source->design, a, b, block, datapath);
    return reason.empty() ? source.get() : nullptr;
  };
  return make_array_engine(name, arrays, choose);
}

}  // namespace mxref
