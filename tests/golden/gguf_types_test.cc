// Blocks of every element type against their layouts, in binary64 rounded once.

#include "golden/checkpoint/gguf_types.h"

#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <vector>

using namespace mxref;

namespace {

using Block = std::vector<uint8_t>;

// NaN also where it is an infinity.
double half_at(const Block& b, size_t at) {
  const int bits = b[at] | b[at + 1] << 8, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent == 31) return NAN;
  const double magnitude =
      exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
  return bits & 0x8000 ? -magnitude : magnitude;
}
int nibble(const Block& b, size_t at, size_t i) {
  return i < 16 ? b[at + i] & 15 : b[at + i - 16] >> 4;
}

// Bit i of the bytes from `at` on, the lowest of a byte first.
int bit(const Block& b, size_t at, size_t i) { return b[at + i / 8] >> (i % 8) & 1; }

// Scale and minimum of the 32 elements of `group` in a K block, put together bit by bit: the table
// names for each of their six bits the bit of the twelve bytes.
int scale_of(const Block& b, size_t group) {
  int scale = 0;
  for (size_t n = 0; n < 6; ++n) {
    const size_t from = group < 4 ? group * 8 + n
                        : n < 4   ? (group + 4) * 8 + n
                                  : (group - 4) * 8 + n + 2;
    scale |= bit(b, 4, from) << n;
  }
  return scale;
}
int minimum_of(const Block& b, size_t group) {
  int minimum = 0;
  for (size_t n = 0; n < 6; ++n) {
    const size_t from = group < 4 ? (group + 4) * 8 + n
                        : n < 4   ? (group + 4) * 8 + n + 4
                                  : group * 8 + n + 2;
    minimum |= bit(b, 4, from) << n;
  }
  return minimum;
}
// The nibble of element i of 256: 64 elements share 32 bytes.
int nibble_of_256(const Block& b, size_t at, size_t i) {
  const int byte = b[at + i / 64 * 32 + i % 32];
  return i % 64 < 32 ? byte % 16 : byte / 16;
}
double in_groups_of_32(const Block& b, size_t i, int code) {
  return half_at(b, 0) * scale_of(b, i / 32) * code - half_at(b, 2) * minimum_of(b, i / 32);
}

// Value i of a block.
const std::map<std::string_view, std::function<double(const Block&, size_t)>> value_of_type{
    {"F32",
     [](const Block& b, size_t) {
       return double(std::bit_cast<float>(uint32_t(b[0]) | uint32_t(b[1]) << 8 |
                                          uint32_t(b[2]) << 16 | uint32_t(b[3]) << 24));
     }},
    {"F16", [](const Block& b, size_t) { return half_at(b, 0); }},
    {"Q4_0", [](const Block& b, size_t i) { return half_at(b, 0) * (nibble(b, 2, i) - 8); }},
    {"Q4_1",
     [](const Block& b, size_t i) { return half_at(b, 0) * nibble(b, 4, i) + half_at(b, 2); }},
    {"BF16",
     [](const Block& b, size_t) {
       return double(std::bit_cast<float>(uint32_t(b[0]) << 16 | uint32_t(b[1]) << 24));
     }},
    {"Q5_0", [](const Block& b,
                size_t i) { return half_at(b, 0) * (nibble(b, 6, i) + 16 * bit(b, 2, i) - 16); }},
    {"Q5_1",
     [](const Block& b, size_t i) {
       return half_at(b, 0) * (nibble(b, 8, i) + 16 * bit(b, 4, i)) + half_at(b, 2);
     }},
    {"Q4_K",
     [](const Block& b, size_t i) { return in_groups_of_32(b, i, nibble_of_256(b, 16, i)); }},
    {"Q5_K",
     [](const Block& b, size_t i) {
       return in_groups_of_32(b, i, nibble_of_256(b, 48, i) + 16 * bit(b, 16 + i % 32, i / 32));
     }},
    {"Q6_K",
     [](const Block& b, size_t i) {
       const size_t half = i / 128, within = i % 128;  // 64 bytes of nibbles hold 128 elements
       const int byte = b[half * 64 + within % 64];
       const int low = within < 64 ? byte % 16 : byte / 16;
       const int high = b[128 + half * 32 + i % 32] >> (within / 32 * 2) & 3;
       return half_at(b, 208) * int8_t(b[192 + i / 16]) * (low + 16 * high - 32);
     }},
    {"MXFP4",
     [](const Block& b, size_t i) {
       constexpr double magnitudes[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
       const int code = nibble(b, 1, i);
       return std::copysign(std::ldexp(magnitudes[code % 8], b[0] - 127), code < 8 ? 1 : -1);
     }},
    {"Q8_0", [](const Block& b, size_t i) { return half_at(b, 0) * int8_t(b[2 + i]); }},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gguf_types)

BOOST_AUTO_TEST_CASE(every_readable_type_unpacks_as_its_layout_says) {
  std::mt19937_64 random(1);
  size_t readable = 0;
  for (uint32_t id = 0; id < 256; ++id) {
    const GgufType* type = find_gguf_type(id);
    if (!type || !type->unpack) continue;
    BOOST_REQUIRE_MESSAGE(value_of_type.contains(type->name), "no layout of " << type->name);
    ++readable;
    for (int64_t n = 0; n < 64000 / type->block_elements; ++n) {
      Block block(size_t(type->block_bytes));
      for (uint8_t& byte : block) byte = uint8_t(random());
      if (type->name == "MXFP4" && block[0] == 0xFF) block[0] = 0;  // NaN: below
      std::vector<float> values(size_t(type->block_elements));
      type->unpack(std::as_bytes(std::span(block)), values);
      for (size_t i = 0; i < values.size(); ++i) {
        const float expected = float(value_of_type.at(type->name)(block, i));
        if (!std::isfinite(expected)) continue;
        BOOST_TEST(std::bit_cast<uint32_t>(values[i]) == std::bit_cast<uint32_t>(expected),
                   type->name << " block " << n << " element " << i << " seed 1: expected "
                              << expected << ", got " << values[i]);
      }
    }
  }
  BOOST_TEST(readable == value_of_type.size());
}

BOOST_AUTO_TEST_CASE(the_scale_nan_of_mxfp4_makes_every_element_nan) {
  const GgufType& type = *find_gguf_type(39);
  Block block(17, 0x21);
  std::vector<float> values(32);
  const auto count_nan = [&](uint8_t scale) {
    block[0] = scale;
    type.unpack(std::as_bytes(std::span(block)), values);
    return std::ranges::count_if(values, [](float x) { return std::isnan(x); });
  };
  BOOST_TEST(count_nan(0xFF) == 32);
  BOOST_TEST(count_nan(0xFE) == 0);  // the control
}

BOOST_AUTO_TEST_SUITE_END()
