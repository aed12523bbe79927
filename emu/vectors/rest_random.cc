#include <array>
#include <bit>

#include "emu/elementary.h"
#include "emu/rest.h"
#include "emu/vectors/rest_units.h"
#include "emu/vectors/stimulus.h"

namespace mxref {
namespace {

// Each draw is a statement of its own: the order of evaluation within one is the compiler's.
class RandomWords : public Stimulus {
 public:
  using Stimulus::Stimulus;

  template <size_t N>
  auto one_of(const std::array<float, N>& values) {
    return std::bit_cast<uint32_t>(values[below(N)]);
  }
  uint32_t special() {
    constexpr std::array<uint32_t, 10> words{
        0,          0x80000000,  // zeros
        1,          0x807FFFFF,  // subnormal
        0x00800000, 0x7F7FFFFF,  // least normal, largest
        0x7F800000, 0xFF800000,  // Inf
        0x7F800001, 0xFFC12345,  // NaN that is not the canonical one
    };
    return words[below(words.size())];
  }
  // The exponent that a row is about: low … high, in one of eight rows any.
  int top(int low, int high) {
    if (below(8) == 0) return int(below(255)) - 127;
    const int count = high - low + 1;
    return low + int(below(uint64_t(count)));
  }
  void put_special(std::span<uint32_t> row) {
    const size_t place = below(row.size());
    row[place] = special();
  }
  // So many numbers whose exponents lie below `top`, by less than a spread.
  std::vector<uint32_t> row(size_t count, int top) {
    const uint64_t spread = 1 + below(12);
    std::vector<uint32_t> words;
    for (size_t i = 0; i < count; ++i) {
      const auto less = int(below(spread));
      words.push_back(with_exponent(top - less));
    }
    return words;
  }
  // One number, special where chance will have it.
  uint32_t single(int low, int high) {
    if (below(32) == 0) return special();
    return with_exponent(top(low, high));
  }
};

void append(std::vector<uint32_t>& to, const std::vector<uint32_t>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

UnitRows random_rms_norm(size_t count, uint64_t seed) {
  RandomWords random(seed);
  UnitRows rows{.width = rest_width, .inputs = {{}, {}, {}}};
  for (size_t i = 0; i < count; ++i) {
    std::vector<uint32_t> x = random.row(rest_width, random.top(-8, 8));
    std::vector<uint32_t> w = random.row(rest_width, random.top(-2, 4));
    if (random.below(16) == 0) random.put_special(x);
    if (random.below(16) == 0) random.put_special(w);
    append(rows.inputs[0], x);
    append(rows.inputs[1], w);
    rows.inputs[2].push_back(random.one_of(std::array{1e-5f, 1e-6f, 1e-8f, 0.0f}));
  }
  return rows;
}

UnitRows random_softmax(size_t count, uint64_t seed) {
  RandomWords random(seed);
  UnitRows rows{.width = rest_width, .inputs = {{}, {}}};
  for (size_t i = 0; i < count; ++i) {
    std::vector<uint32_t> scores = random.row(rest_width, random.top(-3, 9));
    if (random.below(16) == 0) random.put_special(scores);
    append(rows.inputs[0], scores);
    const uint32_t head_dim = random.one_of(std::array{16.0f, 32.0f, 64.0f, 80.0f, 96.0f, 128.0f});
    rows.inputs[1].push_back(std::bit_cast<uint32_t>(rsqrt_ref(std::bit_cast<float>(head_dim))));
  }
  return rows;
}

UnitRows random_gated_silu(size_t count, uint64_t seed) {
  RandomWords random(seed);
  UnitRows rows{.inputs = {{}, {}}};
  for (size_t i = 0; i < count; ++i) {
    rows.inputs[0].push_back(random.single(-12, 7));
    rows.inputs[1].push_back(random.single(-8, 8));
  }
  return rows;
}

UnitRows random_rotary(size_t count, uint64_t seed) {
  RandomWords random(seed);
  UnitRows rows{.inputs = {{}, {}, {}, {}}};
  constexpr int64_t head_dim = 64;
  std::array<std::vector<float>, 2> frequencies;
  frequencies[0] = rest::rotary_frequencies(10000, head_dim, {});
  frequencies[1] =
      rest::rotary_frequencies(500000, head_dim, {rest::WaveScaling::Kind::llama3, 8, 1, 4, 8192});
  for (size_t i = 0; i < count; ++i) {
    const uint64_t positions_log2 = 1 + random.below(24);
    rows.inputs[0].push_back(uint32_t(random.below(uint64_t(1) << positions_log2)));
    const auto& f = frequencies[random.below(2)];
    rows.inputs[1].push_back(std::bit_cast<uint32_t>(f[random.below(f.size())]));
    for (const size_t x : {2, 3}) rows.inputs[x].push_back(random.single(-8, 8));
  }
  return rows;
}

}  // namespace mxref
