#pragma once
// SentencePiece models as their file holds them: protobuf's wire bytes of a ModelProto (field
// numbers: sentencepiece_model.proto). Read far enough to refuse what the library would take on
// trust, written from parts.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mxref {

enum class PieceType : int64_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,
  unused = 5,
  byte = 6
};

struct SentencePiece {
  std::string_view text;
  float score = 0;
  PieceType type = PieceType::normal;
};

struct SentencePieceModel {
  std::string proto;                  // what the library is given
  std::vector<SentencePiece> pieces;  // by id; their texts lie in what the model was read from
};

// Throws InputError that begins with `where` for bytes that are no message or end early, a piece
// that is not UTF-8, of an unknown type or of a score that is not finite, and a table of the
// normalizer that leads out of itself, where the library would follow. Self-tests are left out: the
// library reports their failure on standard error.
SentencePieceModel read_sentencepiece_model(std::string_view proto, const std::string& where);

struct SentencePieceParts {
  std::vector<SentencePiece> pieces;
  std::string normalizer;  // its compiled table; "": every character stays as it is
  bool removes_extra_spaces = false;
};
// A model that merges by score, as llama's do (BPE; bytes where pieces are bytes).
std::string write_sentencepiece_model(const SentencePieceParts& parts);

// What sets whether a text gets a space in front, at the end of a ModelProto: of a field that comes
// twice the last counts.
std::string space_prefix_setting(bool on);

}  // namespace mxref
