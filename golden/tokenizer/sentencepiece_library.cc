// What libmxref_sentencepiece.so is made of.

#include "golden/tokenizer/sentencepiece_library.h"

#include <sentencepiece_processor.h>

#include <string>
#include <vector>

namespace mxref {
namespace {

class Library : public SentencePieceLibrary {
 public:
  bool load(std::string_view proto, const TakeText& refuse) {
    return answer(refuse, [&] { return processor_.LoadFromSerializedProto(proto); });
  }
  bool encode(std::string_view text, const std::function<void(std::span<const int>)>& take,
              const TakeText& refuse) const override {
    std::vector<int> pieces;
    const bool good = answer(refuse, [&] { return processor_.Encode(text, &pieces); });
    if (good) take(pieces);
    return good;
  }
  bool decode(std::span<const int> pieces, const TakeText& take,
              const TakeText& refuse) const override {
    std::string text;
    const std::vector<int> given(pieces.begin(), pieces.end());
    const bool good = answer(refuse, [&] { return processor_.Decode(given, &text); });
    if (good) take(text);
    return good;
  }

 private:
  static bool answer(const TakeText& refuse,
                     const std::function<sentencepiece::util::Status()>& ask) {
    std::string reason;
    try {
      const sentencepiece::util::Status status = ask();
      if (status.ok()) return true;
      reason = status.error_message();
    } catch (const std::exception& e) {  // its double array throws
      reason = e.what();
    }
    refuse(reason.empty() ? "no reason given" : reason);
    return false;
  }

  sentencepiece::SentencePieceProcessor processor_;
};

}  // namespace

SentencePieceLibrary* mxref_sentencepiece_open(std::string_view proto, const TakeText& refuse) {
  auto library = std::make_unique<Library>();
  return library->load(proto, refuse) ? library.release() : nullptr;
}

}  // namespace mxref
