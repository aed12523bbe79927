#pragma once
// The tokenizer of a Hugging Face folder.

#include <filesystem>
#include <memory>

#include "golden/tokenizer/tokenizer.h"

namespace mxref {

// tokenizer.json; BOS and EOS as tokenizer_config.json names them, or config.json where that is
// absent. Throws InputError that names file and field for what is missing or damaged and for what
// is not computed here: a model that is no byte-level BPE, a normalizer other than NFC, an unknown
// pre-tokenizer, added tokens that take white space with them.
std::unique_ptr<Tokenizer> open_tokenizer_json(const std::filesystem::path& folder);

}  // namespace mxref
