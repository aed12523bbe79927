// Blocks of every element type against their layouts, in binary64 rounded once.

#include "golden/checkpoint/gguf_types.h"

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

double half_at(const Block& b, size_t at) {
  const int bits = b[at] | b[at + 1] << 8, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const double magnitude =
      exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
  return bits & 0x8000 ? -magnitude : magnitude;
}
int nibble(const Block& b, size_t at, size_t i) {
  return i < 16 ? b[at + i] & 15 : b[at + i - 16] >> 4;
}

// Value i of a block.
const std::map<std::string_view, std::function<double(const Block&, size_t)>> layouts{
    {"F32",
     [](const Block& b, size_t) {
       return double(std::bit_cast<float>(uint32_t(b[0]) | uint32_t(b[1]) << 8 |
                                          uint32_t(b[2]) << 16 | uint32_t(b[3]) << 24));
     }},
    {"F16", [](const Block& b, size_t) { return half_at(b, 0); }},
    {"Q4_0", [](const Block& b, size_t i) { return half_at(b, 0) * (nibble(b, 2, i) - 8); }},
    {"Q4_1",
     [](const Block& b, size_t i) { return half_at(b, 0) * nibble(b, 4, i) + half_at(b, 2); }},
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
    BOOST_REQUIRE_MESSAGE(layouts.contains(type->name), "no layout of " << type->name);
    ++readable;
    for (int n = 0; n < 2000; ++n) {
      Block block(size_t(type->block_bytes));
      for (uint8_t& byte : block) byte = uint8_t(random());
      for (size_t at : {1u, 3u})  // no exponent of all ones
        if (at < block.size()) block[at] &= 0xBF;
      std::vector<float> values(size_t(type->block_elements));
      type->unpack(std::as_bytes(std::span(block)), values);
      for (size_t i = 0; i < values.size(); ++i) {
        const float expected = float(layouts.at(type->name)(block, i));
        BOOST_TEST(std::bit_cast<uint32_t>(values[i]) == std::bit_cast<uint32_t>(expected),
                   type->name << " block " << n << " element " << i << " seed 1: expected "
                              << expected << ", got " << values[i]);
      }
    }
  }
  BOOST_TEST(readable == layouts.size());
}

BOOST_AUTO_TEST_SUITE_END()
