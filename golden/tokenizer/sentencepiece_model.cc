#include "golden/tokenizer/sentencepiece_model.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <optional>

#include "emu/error.h"
#include "golden/tokenizer/utf8.h"

namespace mxref {
namespace {

enum class Wire : uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

// Fields of the messages that are looked at.
namespace model_field {
constexpr uint32_t pieces = 1, trainer = 2, normalizer = 3, self_test = 4, denormalizer = 5;
}
namespace piece_field {
constexpr uint32_t text = 1, score = 2, type = 3;
}
namespace trainer_field {
constexpr uint32_t model_type = 3, byte_fallback = 35;
constexpr uint64_t merges_by_score = 2;
}  // namespace trainer_field
namespace normalizer_field {
constexpr uint32_t name = 1, table = 2, adds_space = 3, removes_extra_spaces = 4,
                   escapes_spaces = 5;
}

struct Field {
  uint32_t number;
  Wire wire;
  uint64_t value;          // of a number
  std::string_view bytes;  // of a text or a message
  std::string_view whole;  // with its tag
};

// The fields of a message, one after the other.
class Message {
 public:
  Message(std::string_view bytes, const std::string& where) : rest_(bytes), where_(where) {}

  [[noreturn]] void fail(const std::string& reason) const {
    throw InputError(where_ + ": is no SentencePiece model: " + reason);
  }
  std::optional<Field> next() {
    if (rest_.empty()) return std::nullopt;
    const std::string_view start = rest_;
    const uint64_t tag = varint();
    Field field{uint32_t(tag >> 3), Wire(tag & 7), 0, {}, {}};
    if (tag >> 32 != 0 || field.number == 0) fail("a field has no number");
    switch (field.wire) {
      case Wire::varint:
        field.value = varint();
        break;
      case Wire::fixed64:
        take(8);
        break;
      case Wire::fixed32: {
        uint32_t bits = 0;
        std::memcpy(&bits, take(4).data(), sizeof bits);
        field.value = bits;
        break;
      }
      case Wire::bytes:
        field.bytes = take(varint());
        break;
      default:
        fail("a field is of the unknown kind " + std::to_string(tag & 7));
    }
    field.whole = start.substr(0, start.size() - rest_.size());
    return field;
  }

 private:
  std::string_view take(uint64_t bytes) {
    if (bytes > rest_.size()) fail("it ends within a field (cut, or of another kind)");
    const std::string_view taken = rest_.substr(0, size_t(bytes));
    rest_.remove_prefix(size_t(bytes));
    return taken;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = uint8_t(take(1)[0]);
      value |= uint64_t(byte & 127) << shift;
      if (byte < 128) return value;
    }
    fail("a number is longer than 64 bits");
  }

  std::string_view rest_;
  const std::string& where_;
};

SentencePiece read_piece(std::string_view bytes, size_t id, const std::string& where) {
  SentencePiece piece;
  Message message(bytes, where);
  const std::string name = "piece " + std::to_string(id);
  while (const auto field = message.next()) {
    if (field->number == piece_field::text && field->wire == Wire::bytes)
      piece.text = field->bytes;
    else if (field->number == piece_field::score && field->wire == Wire::fixed32)
      piece.score = std::bit_cast<float>(uint32_t(field->value));
    else if (field->number == piece_field::type && field->wire == Wire::varint)
      piece.type = PieceType(field->value);
  }
  if (find_invalid_utf8(piece.text) != piece.text.npos) message.fail(name + " is not UTF-8");
  if (!std::isfinite(piece.score)) message.fail(name + " has a score that is not finite");
  if (piece.type < PieceType::normal || piece.type > PieceType::byte)
    message.fail(name + " has the unknown type " + std::to_string(int64_t(piece.type)));
  return piece;
}

// The table of a normalizer: its length, a double array of 32-bit units (that of Darts), and the
// texts that characters become, each with '\0' behind it. A unit leads to the 256 from its own
// place xor its offset; where it ends a key, the first of them holds where the text begins.
bool leads_nowhere_else(std::string_view table) {
  constexpr uint32_t is_value = 1u << 31, ends_key = 1u << 8, wide = 1u << 9;
  uint32_t array_bytes = 0;
  if (table.size() < sizeof array_bytes) return false;
  std::memcpy(&array_bytes, table.data(), sizeof array_bytes);
  table.remove_prefix(sizeof array_bytes);
  if (array_bytes == 0 || array_bytes % 4 != 0 || array_bytes >= table.size()) return false;
  std::vector<uint32_t> units(array_bytes / 4);
  std::memcpy(units.data(), table.data(), array_bytes);
  const std::string_view texts = table.substr(array_bytes);
  if (texts.back() != '\0') return false;
  for (size_t i = 0; i < units.size(); ++i) {
    const uint32_t unit = units[i];
    if (unit & is_value && i > 0) continue;  // the first is where every search begins
    const size_t base = i ^ (unit >> 10 << (unit & wide ? 8 : 0));
    if ((base | 255) >= units.size()) return false;
    if (unit & ends_key && (units[base] & ~is_value) >= texts.size()) return false;
  }
  return true;
}

void check_normalizer(std::string_view bytes, const std::string& where) {
  Message message(bytes, where);
  while (const auto field = message.next())
    if (field->number == normalizer_field::table && field->wire == Wire::bytes &&
        !field->bytes.empty() && !leads_nowhere_else(field->bytes))
      message.fail("the table of its normalizer is damaged");
}

// Writing: fields joined make a message.

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) bytes += char(value | 128);
  return bytes += char(value);
}
std::string tag(uint32_t number, Wire wire) { return varint(number << 3 | uint32_t(wire)); }
std::string number(uint32_t field, uint64_t value) {
  return tag(field, Wire::varint) + varint(value);
}
std::string text(uint32_t field, std::string_view value) {
  return tag(field, Wire::bytes) + varint(value.size()) + std::string(value);
}
std::string binary32(uint32_t field, float value) {
  std::string bytes = tag(field, Wire::fixed32);
  const auto bits = std::bit_cast<uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) bytes += char(bits >> shift);
  return bytes;
}

}  // namespace

SentencePieceModel read_sentencepiece_model(std::string_view proto, const std::string& where) {
  SentencePieceModel model;
  Message message(proto, where);
  if (proto.size() > INT32_MAX) message.fail("it is larger than 2 GB");
  while (const auto field = message.next()) {
    if (field->number == model_field::self_test) continue;
    model.proto += field->whole;
    if (field->wire != Wire::bytes) continue;
    if (field->number == model_field::pieces)
      model.pieces.push_back(read_piece(field->bytes, model.pieces.size(), where));
    if (field->number == model_field::normalizer || field->number == model_field::denormalizer)
      check_normalizer(field->bytes, where);
  }
  if (model.pieces.empty()) message.fail("it has no pieces");
  return model;
}

std::string write_sentencepiece_model(const SentencePieceParts& parts) {
  std::string proto;
  bool has_bytes = false;
  for (const SentencePiece& piece : parts.pieces) {
    has_bytes |= piece.type == PieceType::byte;
    proto += text(model_field::pieces, text(piece_field::text, piece.text) +
                                           binary32(piece_field::score, piece.score) +
                                           number(piece_field::type, uint64_t(piece.type)));
  }
  proto +=
      text(model_field::trainer, number(trainer_field::model_type, trainer_field::merges_by_score) +
                                     number(trainer_field::byte_fallback, has_bytes));
  proto += text(model_field::normalizer,
                text(normalizer_field::name, parts.normalizer.empty() ? "identity" : "compiled") +
                    text(normalizer_field::table, parts.normalizer) +
                    number(normalizer_field::removes_extra_spaces, parts.removes_extra_spaces) +
                    number(normalizer_field::escapes_spaces, true));
  return proto;
}

std::string space_prefix_setting(bool on) {
  return text(model_field::normalizer, number(normalizer_field::adds_space, on));
}

}  // namespace mxref
