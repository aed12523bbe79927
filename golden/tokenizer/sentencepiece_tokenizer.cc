#include "golden/tokenizer/sentencepiece_tokenizer.h"

#include "emu/error.h"
#include "golden/tokenizer/sentencepiece_library.h"
#include "golden/tokenizer/utf8.h"

namespace mxref {
namespace {

std::unique_ptr<const SentencePieceLibrary> open_model(const SentencePieceModel& model,
                                                       const std::string& where) {
  return open_sentencepiece(model.proto, [&](std::string_view reason) {
    throw InputError(where + ": is refused by the SentencePiece library: " + std::string(reason));
  });
}

}  // namespace

SentencePieceTokenizer::SentencePieceTokenizer(const SentencePieceModel& model,
                                               const SentencePieceSettings& settings,
                                               const std::string& where)
    : library_(open_model(model, where)),
      size_(int64_t(model.pieces.size() + settings.added.size())),
      first_(settings.first),
      last_(settings.last),
      bos_(settings.bos),
      eos_(settings.eos) {
  for (const auto& id : {first_, last_, bos_, eos_})
    if (id && (*id < 0 || *id >= size()))
      throw InputError(where + ": token id " + std::to_string(*id) +
                       " is out of the vocabulary of " + std::to_string(size()));
  const auto match = [&](std::string_view text, size_t id) {
    matched_.add(text, int64_t(id));
    matched_texts_.emplace(int64_t(id), text);
  };
  for (size_t id = 0; id < model.pieces.size(); ++id)
    if (model.pieces[id].type == PieceType::control) match(model.pieces[id].text, id);
  for (size_t i = 0; i < settings.added.size(); ++i)
    match(settings.added[i], model.pieces.size() + i);
}

SentencePieceTokenizer::~SentencePieceTokenizer() = default;

std::vector<int64_t> SentencePieceTokenizer::encode(std::string_view text) const {
  if (const size_t bad = find_invalid_utf8(text); bad != text.npos)
    throw InputError("text is not UTF-8 at byte " + std::to_string(bad));
  std::vector<int64_t> ids;
  if (first_) ids.push_back(*first_);
  matched_.split(
      text,
      [&](std::string_view plain) {
        library_->encode(
            plain,
            [&](std::span<const int> pieces) {
              ids.insert(ids.end(), pieces.begin(), pieces.end());
            },
            [](std::string_view reason) {
              throw InputError("text cannot be encoded: " + std::string(reason));
            });
      },
      [&](int64_t token) { ids.push_back(token); });
  if (last_) ids.push_back(*last_);
  return ids;
}

std::string SentencePieceTokenizer::decode(std::span<const int64_t> ids) const {
  std::string text;
  std::vector<int> pieces;
  const auto append_pieces = [&] {
    library_->decode(
        pieces, [&](std::string_view part) { text += part; },
        [](std::string_view reason) {
          throw InputError("tokens cannot be decoded: " + std::string(reason));
        });
    pieces.clear();
  };
  for (const int64_t id : ids) {
    if (id < 0 || id >= size())
      throw InputError("token id " + std::to_string(id) + " is out of the vocabulary of " +
                       std::to_string(size()));
    const auto matched = matched_texts_.find(id);
    if (matched == matched_texts_.end()) {
      pieces.push_back(int(id));
      continue;
    }
    append_pieces();
    text += matched->second;
  }
  append_pieces();
  return text;
}

}  // namespace mxref
