#include "golden/tokenizer/sentencepiece_tokenizer.h"

#include <sentencepiece_processor.h>

#include "emu/error.h"
#include "golden/tokenizer/utf8.h"

namespace mxref {
namespace {

using sentencepiece::SentencePieceProcessor;

// The library's messages, without the place in its sources.
std::string reason_of(const sentencepiece::util::Status& status) {
  const std::string_view message = status.error_message();
  return message.empty() ? "it gives no reason" : std::string(message);
}

std::unique_ptr<const SentencePieceProcessor> load(const SentencePieceModel& model,
                                                   const std::string& where) {
  auto library = std::make_unique<SentencePieceProcessor>();
  std::string reason;
  try {
    const auto status = library->LoadFromSerializedProto(model.proto);
    if (!status.ok()) reason = reason_of(status);
  } catch (const std::exception& e) {  // of its double array
    reason = e.what();
  }
  if (!reason.empty())
    throw InputError(where + ": is refused by the SentencePiece library: " + reason);
  return library;
}

}  // namespace

SentencePieceTokenizer::SentencePieceTokenizer(const SentencePieceModel& model,
                                               const SentencePieceSettings& settings,
                                               const std::string& where)
    : library_(load(model, where)), pieces_(int64_t(model.pieces.size())), settings_(settings) {
  for (const auto& id : {settings.first, settings.last, settings.bos, settings.eos})
    if (id && (*id < 0 || *id >= size()))
      throw InputError(where + ": token id " + std::to_string(*id) +
                       " is out of the vocabulary of " + std::to_string(size()));
  for (size_t id = 0; id < model.pieces.size(); ++id)
    if (model.pieces[id].type == PieceType::control)
      matched_.add(model.pieces[id].text, int64_t(id));
  for (size_t i = 0; i < settings.added.size(); ++i)
    matched_.add(settings.added[i], pieces_ + int64_t(i));
}

SentencePieceTokenizer::~SentencePieceTokenizer() = default;

std::vector<int64_t> SentencePieceTokenizer::encode(std::string_view text) const {
  if (const size_t bad = find_invalid_utf8(text); bad != text.npos)
    throw InputError("text is not UTF-8 at byte " + std::to_string(bad));
  std::vector<int64_t> ids;
  if (settings_.first) ids.push_back(*settings_.first);
  matched_.split(
      text,
      [&](std::string_view plain) {
        std::vector<int> pieces;
        if (const auto status = library_->Encode(plain, &pieces); !status.ok())
          throw InputError("text cannot be encoded: " + reason_of(status));
        ids.insert(ids.end(), pieces.begin(), pieces.end());
      },
      [&](int64_t token) { ids.push_back(token); });
  if (settings_.last) ids.push_back(*settings_.last);
  return ids;
}

std::string SentencePieceTokenizer::decode(std::span<const int64_t> ids) const {
  std::string text;
  std::vector<int> pieces;
  const auto append_pieces = [&] {
    std::string part;
    if (const auto status = library_->Decode(pieces, &part); !status.ok())
      throw InputError("tokens cannot be decoded: " + reason_of(status));
    text += part;
    pieces.clear();
  };
  for (const int64_t id : ids) {
    if (id < 0 || id >= size())
      throw InputError("token id " + std::to_string(id) + " is out of the vocabulary of " +
                       std::to_string(size()));
    if (id < pieces_ && !library_->IsControl(int(id))) {
      pieces.push_back(int(id));
      continue;
    }
    append_pieces();
    text += id < pieces_ ? library_->IdToPiece(int(id)) : settings_.added[size_t(id - pieces_)];
  }
  append_pieces();
  return text;
}

}  // namespace mxref
