// tokenizer.json of a Hugging Face folder, then tokenizer_config.json behind the first '\0', then a
// text behind the second.

#include "golden/tokenizer/tokenizer_json.h"

#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  fuzz::put("tokenizer.json", fuzz::next_part(bytes));
  const std::string_view settings = fuzz::next_part(bytes);
  fuzz::put("tokenizer_config.json", settings.empty() ? "{}" : settings);
  fuzz::read_or_refuse([&] {
    const auto tokenizer = open_tokenizer_json(fuzz::folder());
    tokenizer->decode(tokenizer->encode("Hello, w\xC3\xB6rld 12\n"));
    tokenizer->encode(bytes);
  });
}
