#pragma once
// The SentencePiece library behind an interface of its own, in libmxref_sentencepiece.so. It brings
// a protobuf of its own, whose symbols would displace those of the protobuf that libtorch loads: so
// nothing is linked with it, and open_sentencepiece() loads it with its symbols to itself.

#include <functional>
#include <memory>
#include <span>
#include <string_view>

namespace mxref {

using TakeText = std::function<void(std::string_view)>;

// One model. Memory stays on the side of the library that asked for it: results are handed over.
class SentencePieceLibrary {
 public:
  virtual ~SentencePieceLibrary() = default;
  // false where the library refuses, which `refuse` is told why.
  virtual bool encode(std::string_view text, const std::function<void(std::span<const int>)>& take,
                      const TakeText& refuse) const = 0;
  virtual bool decode(std::span<const int> pieces, const TakeText& take,
                      const TakeText& refuse) const = 0;
};

// nullptr where the library refuses the model.
extern "C" SentencePieceLibrary* mxref_sentencepiece_open(std::string_view proto,
                                                          const TakeText& refuse);

// The same, from the file beside the program. Throws InputError where that cannot be loaded.
std::unique_ptr<const SentencePieceLibrary> open_sentencepiece(std::string_view proto,
                                                               const TakeText& refuse);

}  // namespace mxref
