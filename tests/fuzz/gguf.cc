// GGUF files: container, the checkpoint and the tokenizer that are read from one.

#include "golden/checkpoint/gguf.h"

#include <nlohmann/json.hpp>

#include "golden/checkpoint/checkpoint.h"
#include "golden/tokenizer/tokenizer.h"
#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  fuzz::put("model.gguf", bytes);
  const std::filesystem::path path = fuzz::folder() / "model.gguf";
  fuzz::read_or_refuse([&] { GgufFile::open(path); });
  fuzz::read_or_refuse([&] {
    const auto checkpoint = open_checkpoint(path);
    checkpoint->config().dump();
    checkpoint->storage();
    for (const std::string& name : checkpoint->names())
      fuzz::read_or_refuse([&] { checkpoint->tensor(name); });
  });
  fuzz::read_or_refuse([&] {
    const auto tokenizer = open_tokenizer(path);
    tokenizer->decode(tokenizer->encode("Hello, w\xC3\xB6rld 12\n"));
  });
}
