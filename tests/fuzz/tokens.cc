// Token ids: --tokens.

#include "eval/tasks/token_file.h"
#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  const fuzz::File file(fuzz::safetensors(bytes));
  fuzz::read_or_refuse([&] { read_tokens(file.path(), 100); });
}
