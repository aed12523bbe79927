// JSON as every reader reads it.

#include "emu/files/json_file.h"

#include <nlohmann/json.hpp>

#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  fuzz::read_or_refuse([&] {
    const nlohmann::json value = parse_json("text", bytes);
    shown(value);
    // What was read is written as what is read again.
    if (parse_json("text", value.dump()) != value) std::abort();
  });
}
