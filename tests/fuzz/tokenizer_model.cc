// tokenizer.model of a Hugging Face folder, then, behind its length as two bytes, what
// tokenizer_config.json holds and, behind a '\0', a text.

#include "golden/tokenizer/sentencepiece_tokenizer.h"
#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  if (bytes.size() < 2) return;
  const size_t claimed = uint8_t(bytes[0]) | size_t(uint8_t(bytes[1])) << 8;
  bytes.remove_prefix(2);
  const size_t length = std::min(claimed, bytes.size());
  fuzz::put("tokenizer.model", bytes.substr(0, length));
  bytes.remove_prefix(length);
  const std::string_view settings = fuzz::next_part(bytes);
  fuzz::put("tokenizer_config.json", settings.empty() ? "{}" : settings);
  fuzz::read_or_refuse([&] {
    const auto tokenizer = open_sentencepiece_folder(fuzz::folder());
    tokenizer->decode(tokenizer->encode("Hello, w\xC3\xB6rld 12\n"));
    tokenizer->encode(bytes);
  });
}
