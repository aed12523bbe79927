#pragma once
// Arrays in libraries of their own, which `mxref array` builds of other parameters or with other
// modules than those of the build.

#include <memory>
#include <optional>
#include <string>

#include "emu/array_engine.h"
#include "emu/array_port.h"

namespace mxref {

// Counted up where what stands behind the functions below changes.
inline constexpr int array_library_version = 1;

// The design as JSON, and back: {"rows", "cols", "formats_a": [names], "formats_b", "datapath": a
// preset's name or a description}. Throws InputError where it is another.
std::string to_json(const ArrayDesign& design);
ArrayDesign array_design_of(const std::string& json);

// nullopt where the file is a library of another kind. Throws InputError where it cannot be loaded
// or was built for another version. The library stays loaded.
std::optional<ArraySource> load_array_library(const std::string& file);

// The engine over such a library. `name` is what it is called.
std::unique_ptr<Engine> make_array_library_engine(const std::string& name,
                                                  const ArraySource& source);

}  // namespace mxref

// What a library defines.
extern "C" {
__attribute__((visibility("default"))) int mxref_array_version();
__attribute__((visibility("default"))) const char* mxref_array_design();
// A new array; the design outlives it.
__attribute__((visibility("default"))) mxref::ArrayPort* mxref_array_make(
    const mxref::ArrayDesign* design);
}
