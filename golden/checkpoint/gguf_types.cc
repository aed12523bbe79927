#include "golden/checkpoint/gguf_types.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "emu/binary32.h"
#include "emu/error.h"
#include "emu/quantize.h"

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

// Layouts of ggml's blocks. Their products are exact in binary32: d has 11 bits, a code at most 8,
// a scale within the block at most 8. So the only rounding is that of a sum, where a type has one:
// d·q + m in Q4_1 and Q5_1, d·s·q - dmin·m in Q4_K and Q5_K.

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

struct BF16 {
  static constexpr std::string_view name = "BF16";
  static constexpr int elements = 1, bytes = 2;
  static void unpack(const std::byte* block, float* values) {
    *values = std::bit_cast<float>(uint32_t(load<uint16_t>(block)) << 16);
  }
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

// Of 32 codes of 5 bits: the fifth bits, bit i of element i, then nibbles as in Q4_0.
void unpack_five_bits(const std::byte* at, std::span<int, 32> codes) {
  const auto fifth = load<uint32_t>(at);
  for (int i = 0; i < 32; ++i) {
    const int pair = int(at[4 + i % 16]);
    codes[size_t(i)] = (i < 16 ? pair & 15 : pair >> 4) | int(fifth >> i & 1) << 4;
  }
}

// d binary16, 32 codes of 5 bits less 16.
struct Q5_0 {
  static constexpr std::string_view name = "Q5_0";
  static constexpr int elements = 32, bytes = 2 + 4 + 16;
  static void unpack(const std::byte* block, float* values) {
    const float d = load_binary16(block);
    std::array<int, 32> codes;
    unpack_five_bits(block + 2, codes);
    for (size_t i = 0; i < 32; ++i) values[i] = d * float(codes[i] - 16);
  }
};

// d and m binary16, 32 codes of 5 bits: d·q + m.
struct Q5_1 {
  static constexpr std::string_view name = "Q5_1";
  static constexpr int elements = 32, bytes = 2 + 2 + 4 + 16;
  static void unpack(const std::byte* block, float* values) {
    const float d = load_binary16(block), m = load_binary16(block + 2);
    std::array<int, 32> codes;
    unpack_five_bits(block + 4, codes);
    for (size_t i = 0; i < 32; ++i) values[i] = d * float(codes[i]) + m;
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

// The scale s and minimum m of 32 elements, 6 bits each, of the eight pairs in 12 bytes: the first
// four have theirs in the low bits of bytes 0-3 and 4-7, the others the low four bits in the halves
// of bytes 8-11 and the high two in what those bytes have left.
struct ScaleAndMinimum {
  int scale, minimum;
};
ScaleAndMinimum load_scale_and_minimum(const std::byte* at, int pair) {
  const auto byte = [&](int i) { return int(at[i]); };
  if (pair < 4) return {byte(pair) & 63, byte(pair + 4) & 63};
  return {(byte(pair + 4) & 15) | byte(pair - 4) >> 6 << 4,
          byte(pair + 4) >> 4 | byte(pair) >> 6 << 4};
}

// d and dmin binary16, eight scales and minima, [fifth bits,] nibbles: of each 64 elements the
// first 32 in the low halves of 32 bytes, the others in the high ones. The fifth bit of element i
// of group g of 32 is bit g of byte i.
template <bool has_fifth_bits>
void unpack_groups_of_32(const std::byte* block, float* values) {
  const float d = load_binary16(block), dmin = load_binary16(block + 2);
  const std::byte* const fifth = block + 4 + 12;
  const std::byte* const nibbles = fifth + (has_fifth_bits ? 32 : 0);
  for (int group = 0; group < 8; ++group) {
    const auto [s, m] = load_scale_and_minimum(block + 4, group);
    const float scale = d * float(s), minimum = dmin * float(m);
    for (int i = 0; i < 32; ++i) {
      const int pair = int(nibbles[group / 2 * 32 + i]);
      int code = group % 2 == 0 ? pair & 15 : pair >> 4;
      if (has_fifth_bits) code |= (int(fifth[i]) >> group & 1) << 4;
      values[group * 32 + i] = scale * float(code) - minimum;
    }
  }
}

struct Q4_K {
  static constexpr std::string_view name = "Q4_K";
  static constexpr int elements = 256, bytes = 2 + 2 + 12 + 128;
  static constexpr auto unpack = unpack_groups_of_32</*has_fifth_bits=*/false>;
};

struct Q5_K {
  static constexpr std::string_view name = "Q5_K";
  static constexpr int elements = 256, bytes = 2 + 2 + 12 + 32 + 128;
  static constexpr auto unpack = unpack_groups_of_32</*has_fifth_bits=*/true>;
};

// Low four bits, high two bits, a signed byte of scale for each 16 elements, d binary16:
// d·s·(q-32). Of each 128 elements, quarter k of 32: nibbles in the low (k < 2) or high halves of
// bytes (k mod 2)·32 + i, the high bits at 2k of byte i.
struct Q6_K {
  static constexpr std::string_view name = "Q6_K";
  static constexpr int elements = 256, bytes = 128 + 64 + 16 + 2;
  static void unpack(const std::byte* block, float* values) {
    const std::byte *const low = block, *const high = block + 128, *const scales = block + 192;
    const float d = load_binary16(block + 208);
    for (int at = 0; at < 256; ++at) {
      const int half = at / 128, quarter = at / 32 % 4, i = at % 32;
      const int pair = int(low[half * 64 + quarter % 2 * 32 + i]);
      const int code = (quarter < 2 ? pair & 15 : pair >> 4) |
                       (int(high[half * 32 + i]) >> (2 * quarter) & 3) << 4;
      values[at] = d * float(int8_t(scales[at / 16])) * float(code - 32);
    }
  }
};

// A scale e8m0, nibbles e2m1 as in Q4_0. CHOICE: the scale 0xFF is NaN, as OCP MX says and this
// project has it, not 2^128.
struct Mxfp4 {
  static constexpr std::string_view name = "MXFP4";
  static constexpr int elements = 32, bytes = 1 + 16;
  static void unpack(const std::byte* block, float* values) {
    // By scale and code.
    static const auto table = [] {
      std::array<std::array<float, 16>, 256> all;
      for (size_t scale = 0; scale < 256; ++scale)
        for (size_t code = 0; code < 16; ++code)
          all[scale][code] =
              dequantize_element(block_format("mxfp4"), uint8_t(code), uint8_t(scale));
      return all;
    }();
    const auto& values_of = table[size_t(block[0])];
    for (int i = 0; i < 16; ++i) {
      const auto pair = size_t(block[1 + i]);
      values[i] = values_of[pair & 15];
      values[i + 16] = values_of[pair >> 4];
    }
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
    readable<Q5_0>(6),
    readable<Q5_1>(7),
    readable<Q8_0>(8),
    known(9, "Q8_1", 32, 36),
    known(10, "Q2_K", 256, 84),
    known(11, "Q3_K", 256, 110),
    readable<Q4_K>(12),
    readable<Q5_K>(13),
    readable<Q6_K>(14),
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
    readable<BF16>(30),
    known(34, "TQ1_0", 256, 54),
    known(35, "TQ2_0", 256, 66),
    readable<Mxfp4>(39),
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
