#pragma once
// The tokenizer of a written model.

#include <filesystem>

namespace mxref {

// Into `folder`: the tokenizer's files of a Hugging Face folder as they are (what else others need
// to load it too), or tokenizer_config.json and, of the byte-level pairs in a GGUF file,
// tokenizer.json, of its SentencePiece pieces tokenizer.model. A source without a tokenizer, or
// with one of another kind, gives none. Throws InputError where something cannot be read or
// written.
void write_tokenizer(const std::filesystem::path& source, const std::filesystem::path& folder);

}  // namespace mxref
