#include "golden/checkpoint/gguf_types.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "emu/binary32.h"
#include "emu/error.h"

namespace mxref {
namespace {

template <typename T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

float load_binary16(const std::byte* at) {
  return std::bit_cast<float>(binary32::from_binary16(load<uint16_t>(at)));
}

// Layouts of ggml's blocks. A product d·q is exact in binary32 (11 + 8 bits at most), so the only
// rounding is that of the sum in Q4_1.

struct F32 {
  static constexpr std::string_view name = "F32";
  static constexpr int elements = 1, bytes = 4;
  static void unpack(const std::byte* block, float* values) { *values = load<float>(block); }
};

struct F16 {
  static constexpr std::string_view name = "F16";
  static constexpr int elements = 1, bytes = 2;
  static void unpack(const std::byte* block, float* values) { *values = load_binary16(block); }
};

// d binary16, 32 nibbles: element i in the low half of byte i, element i + 16 in its high half.
struct Q4_0 {
  static constexpr std::string_view name = "Q4_0";
  static constexpr int elements = 32, bytes = 2 + 16;
  static void unpack(const std::byte* block, float* values) {
    const float d = load_binary16(block);
    for (int i = 0; i < 16; ++i) {
      const int pair = int(block[2 + i]);
      values[i] = d * float((pair & 15) - 8);
      values[i + 16] = d * float((pair >> 4) - 8);
    }
  }
};

// d and m binary16, nibbles as in Q4_0: d·q + m.
struct Q4_1 {
  static constexpr std::string_view name = "Q4_1";
  static constexpr int elements = 32, bytes = 2 + 2 + 16;
  static void unpack(const std::byte* block, float* values) {
    const float d = load_binary16(block), m = load_binary16(block + 2);
    for (int i = 0; i < 16; ++i) {
      const int pair = int(block[4 + i]);
      values[i] = d * float(pair & 15) + m;
      values[i + 16] = d * float(pair >> 4) + m;
    }
  }
};

// d binary16, 32 signed bytes.
struct Q8_0 {
  static constexpr std::string_view name = "Q8_0";
  static constexpr int elements = 32, bytes = 2 + 32;
  static void unpack(const std::byte* block, float* values) {
    const float d = load_binary16(block);
    for (int i = 0; i < 32; ++i) values[i] = d * float(int8_t(block[2 + i]));
  }
};

template <typename Layout>
constexpr GgufType readable(uint32_t id) {
  return {id, Layout::name, Layout::elements, Layout::bytes,
          [](std::span<const std::byte> blocks, std::span<float> values) {
            const std::byte* block = blocks.data();
            for (size_t i = 0; i < values.size(); i += Layout::elements, block += Layout::bytes)
              Layout::unpack(block, &values[i]);
          }};
}

constexpr GgufType known(uint32_t id, std::string_view name, int elements, int bytes) {
  return {id, name, elements, bytes, nullptr};
}

constexpr std::array types{
    readable<F32>(0),
    readable<F16>(1),
    readable<Q4_0>(2),
    readable<Q4_1>(3),
    known(6, "Q5_0", 32, 22),
    known(7, "Q5_1", 32, 24),
    readable<Q8_0>(8),
    known(9, "Q8_1", 32, 36),
    known(10, "Q2_K", 256, 84),
    known(11, "Q3_K", 256, 110),
    known(12, "Q4_K", 256, 144),
    known(13, "Q5_K", 256, 176),
    known(14, "Q6_K", 256, 210),
    known(15, "Q8_K", 256, 292),
    known(16, "IQ2_XXS", 256, 66),
    known(17, "IQ2_XS", 256, 74),
    known(18, "IQ3_XXS", 256, 98),
    known(19, "IQ1_S", 256, 50),
    known(20, "IQ4_NL", 32, 18),
    known(21, "IQ3_S", 256, 110),
    known(22, "IQ2_S", 256, 82),
    known(23, "IQ4_XS", 256, 136),
    known(24, "I8", 1, 1),
    known(25, "I16", 1, 2),
    known(26, "I32", 1, 4),
    known(27, "I64", 1, 8),
    known(28, "F64", 1, 8),
    known(29, "IQ1_M", 256, 56),
    known(30, "BF16", 1, 2),
    known(34, "TQ1_0", 256, 54),
    known(35, "TQ2_0", 256, 66),
    known(39, "MXFP4", 32, 17),
};
static_assert(names_are_distinct(types));
static_assert(std::is_sorted(types.begin(), types.end(),
                             [](const GgufType& a, const GgufType& b) { return a.id <= b.id; }),
              "two rows of one id");

}  // namespace

const GgufType* find_gguf_type(uint32_t id) {
  const auto row =
      std::find_if(types.begin(), types.end(), [&](const GgufType& t) { return t.id == id; });
  return row != types.end() ? &*row : nullptr;
}

std::string readable_gguf_types() {
  std::string list;
  for (const GgufType& type : types)
    if (type.unpack) list += (list.empty() ? "" : ", ") + std::string(type.name);
  return list;
}

}  // namespace mxref
