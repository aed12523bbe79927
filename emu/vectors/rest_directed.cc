#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "emu/hex.h"
#include "emu/vectors/rest_units.h"

namespace mxref {
namespace {

using Row = std::vector<float>;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float largest = std::numeric_limits<float>::max();
constexpr float least = 0x1p-149f, least_normal = 0x1p-126f;
constexpr uint32_t nan_words[] = {0x7FC00000, 0x7F800001, 0xFFC12345};
constexpr size_t lanes = 16;

// One vector more; of its words each input has one row or one word.
void add(UnitRows& rows, const std::vector<Row>& inputs, const std::string& comment) {
  for (size_t i = 0; i < inputs.size(); ++i)
    for (const float x : inputs[i]) rows.inputs[i].push_back(std::bit_cast<uint32_t>(x));
  rows.comments.push_back(comment);
}

// All `value`, but for the place that is named.
Row all(float value) { return Row(rest_width, value); }
Row all_but(float value, size_t place, float other) {
  Row row = all(value);
  row[place] = other;
  return row;
}
// high, low, high, low …
Row alternating(float high, float low) {
  Row row = all(high);
  for (size_t i = 1; i < row.size(); i += 2) row[i] = low;
  return row;
}
// first, first + step …
Row ramp(float first, float step) {
  Row row;
  for (size_t i = 0; i < rest_width; ++i) row.push_back(first + float(i) * step);
  return row;
}

std::string at(size_t place) { return " at " + std::to_string(place); }

}  // namespace

UnitRows directed_rms_norm() {
  UnitRows rows{.width = rest_width, .inputs = {{}, {}, {}}};
  const auto norm = [&](const Row& x, const Row& w, float eps, const std::string& comment) {
    add(rows, {x, w, {eps}}, comment);
  };
  const Row ones = all(1);
  constexpr float eps = 1e-5f;
  norm(ramp(-2, 0.1f), ramp(0.5f, 0.03f), eps, "a ramp");
  for (size_t i = 0; i < rest_width; ++i)
    norm(all_but(0, i, 3), ramp(1, 1), eps, "one element alone" + at(i));
  // 2^24 and ones: a sum in another order is another one.
  for (size_t lane = 0; lane < lanes; ++lane)
    norm(all_but(1, lane, 4096), ones, eps,
         "squares that the sum's order keeps or loses, 2^24" + at(lane));
  // n² and (1 + 2^-12)², which rounded by itself is a tie in the sum.
  for (const float n : {96, 100, 104, 120}) {
    Row x = all(0);
    for (size_t lane = 0; lane < lanes; ++lane) {
      x[lane] = n;
      x[lane + lanes] = 0x1.001p0f;
    }
    norm(x, ones, 0, "a square is added before it is rounded");
  }
  for (const float zero : {0.0f, -0.0f}) {
    const std::string name = std::signbit(zero) ? "-0" : "+0";
    norm(all(zero), alternating(1, -1), eps, "all " + name);
    norm(all(zero), ones, 0, "all " + name + ", eps 0: r is +Inf, y NaN");
    norm(ramp(-2, 0.1f), all(zero), eps, "w " + name);
  }
  for (const uint32_t word : nan_words)
    for (const size_t i : {size_t(0), lanes + 1, rest_width - 1}) {
      const auto nan = std::bit_cast<float>(word);
      norm(all_but(1, i, nan), ones, eps, "NaN 0x" + to_hex(word, 8) + at(i));
      norm(ramp(-2, 0.1f), all_but(1, i, nan), eps, "w NaN 0x" + to_hex(word, 8) + at(i));
    }
  for (const float x : {infinity, -infinity}) {
    const std::string name = x > 0 ? "+Inf" : "-Inf";
    norm(all_but(1, 5, x), ones, eps, name + " in x: r is +0");
    norm(all_but(1, 5, 0), all_but(1, 5, x), eps, name + " in w meets 0");
    norm(ones, all(x), eps, name + " in w");
  }
  norm(all_but(-1, 3, 0x1p64f), ones, eps, "a square overflows: r is +0");
  norm(all(0x1p62f), ones, eps, "a sum overflows: r is +0");
  norm(all(0x1p61f), ones, eps, "a sum just below overflow");
  norm(all_but(0, 7, 0x1.fffffep63f), ones, eps, "a square just below overflow");
  norm(all(0x1p-70f), ones, 0, "squares are subnormal");
  norm(all(0x1.8p-75f), ones, 0, "squares round to the least subnormal number");
  norm(all(0x1p-75f), ones, 0, "squares are half the least subnormal number: r is +Inf");
  norm(alternating(0x1p-80f, -0x1p-80f), ones, 0, "squares round to 0: r is +Inf");
  norm(all_but(0, 2, 0x1p-70f), ones, 0, "the mean is subnormal");
  norm(alternating(least, -least), ones, eps, "x is subnormal");
  norm(ramp(-2, 0.1f), all(least_normal), eps, "y is subnormal");
  norm(ramp(-2, 0.1f), all(least), eps, "y is the least subnormal number or 0");
  norm(ramp(-2, 0.1f), all(largest), eps, "y overflows");
  norm(all(1), ones, 0, "r is 1");
  norm(all(1), ones, 0x1p-24f, "the mean and eps tie to even, down");
  norm(all(1), ones, 0x1.8p-23f, "the mean and eps tie to even, up");
  norm(all(1), ones, 0x1p-40f, "eps is lost");
  norm(all(0x1p-20f), ones, 1, "eps is all");
  for (const int log2 : {-60, -20, -1, 1, 20, 60}) {
    norm(all(std::ldexp(1.0f, log2)), ones, 0, "r is a power of two");
    Row half = all(std::ldexp(1.0f, log2));
    for (size_t i = 0; i < rest_width / 2; ++i) half[i] = 0;
    norm(half, ones, 0, "r is 2^(1/2) times a power of two");
  }
  // The mean is 1 and x_0·w_0 has 25 bits.
  Row tie = all(1);
  tie[0] = 0x1.001p0f;
  tie[1] = 0x1.ffep-1f;
  norm(tie, all_but(1, 0, 0x1.001p0f), 0, "y ties to even, down");
  norm(tie, all_but(1, 0, 0x1.003p0f), 0, "y ties to even, up");
  norm(tie, all_but(1, 0, -0x1.003p0f), 0, "y ties to even, up, negative");
  return rows;
}

UnitRows directed_softmax() {
  UnitRows rows{.width = rest_width, .inputs = {{}, {}}};
  const auto softmax = [&](const Row& scores, float factor, const std::string& comment) {
    add(rows, {scores, {factor}}, comment);
  };
  softmax(ramp(-8, 0.4f), 0.125f, "a ramp");
  softmax(ramp(-8, 0.4f), 0x1.a20bd8p-3f, "a ramp, the factor no power of two");
  for (const float x : {0.0f, -0.0f, 1.0f, -3.25f, least, largest, -largest})
    softmax(all(x), 1, "all scores equal, 0x" + to_hex(std::bit_cast<uint32_t>(x), 8));
  softmax(alternating(0, -0.0f), 1, "zeros of both signs");
  for (size_t i = 0; i < rest_width; ++i)
    softmax(all_but(-200, i, 50), 1, "one score dominates: all others underflow" + at(i));
  for (size_t i = 0; i < rest_width; ++i) softmax(all_but(0, i, 1), 1, "the largest" + at(i));
  // e^-16.635532 is 2^-24: a sum in another order is another one.
  for (size_t i = 0; i < lanes; ++i)
    softmax(all_but(-16.635532f, i, 0), 1, "terms that the sum's order keeps or loses" + at(i));
  softmax(all_but(-87.5f, 0, 0), 1, "all others are subnormal");
  softmax(all_but(-100, 39, 0), 1, "all others are subnormal, of few bits");
  // Half of the least subnormal number is e^-103.972076….
  softmax(all_but(-0x1.9fe368p6f, 0, 0), 1, "all others round to the least subnormal number");
  softmax(all_but(-0x1.9fe36ap6f, 0, 0), 1, "all others round to +0");
  Row two_large = all(-87);
  two_large[1] = two_large[17] = two_large[38] = 0;
  softmax(two_large, 1, "p is subnormal, of a normal term");
  two_large = all(-103);
  two_large[1] = two_large[17] = two_large[38] = 0;
  softmax(two_large, 1, "p rounds to +0, of a subnormal term");
  for (const uint32_t word : nan_words)
    for (const size_t i : {size_t(0), lanes + 1, rest_width - 1})
      softmax(all_but(1, i, std::bit_cast<float>(word)), 1, "NaN 0x" + to_hex(word, 8) + at(i));
  softmax(all_but(-infinity, 4, 1), 1, "one score beside -Inf");
  softmax(alternating(0.5f, -infinity), 1, "every other score is -Inf");
  softmax(all(-infinity), 1, "all scores are -Inf: NaN");
  softmax(all_but(1, 6, infinity), 1, "+Inf: NaN");
  softmax(alternating(infinity, -infinity), 1, "+Inf and -Inf: NaN");
  softmax(all_but(0, 9, infinity), 0, "+Inf meets the factor 0: NaN");
  softmax(all_but(1, 11, -largest), 4, "scaling overflows to -Inf");
  softmax(all_but(1, 11, largest), 4, "scaling overflows to +Inf: NaN");
  softmax(alternating(least, -least), 0.125f, "scaling underflows to zeros of both signs");
  softmax(alternating(0x1.8p-148f, 0x1p-148f), 0.25f,
          "scaling ties below the least subnormal number");
  softmax(alternating(0x1.001p0f, 1), 0x1.001p0f, "scaling ties to even, down");
  softmax(alternating(0x1.001p0f, 1), 0x1.003p0f, "scaling ties to even, up");
  softmax(alternating(largest, -largest), 1, "the difference overflows to -Inf");
  softmax(alternating(3, 0x1p-23f), 1, "the difference ties to even, up");
  softmax(alternating(3, 0x1.8p-22f), 1, "the difference ties to even, down");
  softmax(alternating(1, 0x1.fffffep-1f), 1, "the difference is one last place");
  softmax(alternating(1e-30f, -1e-30f), 1, "e of nearly 0 is 1");
  softmax(alternating(0x1p-24f, -0x1p-25f), 1, "e lies beside a tie below 1");
  return rows;
}

UnitRows directed_gated_silu() {
  UnitRows rows{.inputs = {{}, {}}};
  const Row ups = {0.0f,          -0.0f,
                   1.0f,          -1.0f,
                   0x1.000002p0f, -3.5f,
                   0x1p-24f,      least,
                   -0x1.8p-148f,  least_normal,
                   largest,       infinity,
                   -infinity,     std::bit_cast<float>(nan_words[1])};
  const auto gate = [&](float g, const std::string& comment) {
    for (const float up : ups) add(rows, {{g}, {up}}, comment);
  };
  const auto both = [&](float g, const std::string& comment) {
    gate(g, comment);
    gate(-g, comment + ", negative");
  };
  both(0.0f, "zero");
  for (const int n : {1, 2, 3, 5}) both(float(n) * least, std::to_string(n) + "·2^-149, halved");
  both(0x1.fffffcp-127f, "the largest subnormal number");
  both(least_normal, "the least normal number");
  both(0x1p-126f * 2, "silu is the least normal number");
  both(1e-20f, "silu is x/2");
  both(0x1.8p-12f, "silu is x/2 and a little");
  for (const float g : {0.5f, 1.0f, 3.0f, 10.0f}) both(g, "an ordinary number");
  gate(-0x1.474d32p0f, "the least value of silu");
  gate(15, "silu lies below x by some last places");
  gate(17, "silu lies below x by less than a last place");
  for (const float g : {20.0f, 88.0f, 89.0f, 0x1p64f}) gate(g, "silu saturates: it is x");
  gate(largest, "silu saturates: the largest number");
  gate(-80, "silu is small");
  gate(-88, "e^-x is near its limit");
  gate(-89, "e^-x overflows");
  gate(-92, "silu is subnormal");
  gate(-100, "silu is subnormal, of few bits");
  for (const float g : {-107.0f, -108.0f, -108.5f}) gate(g, "silu is a few 2^-149, or -0");
  for (const float g : {-109.0f, -120.0f, -0x1p64f, -largest}) gate(g, "silu saturates: it is -0");
  gate(infinity, "+Inf: silu is +Inf");
  gate(-infinity, "-Inf: silu is -0");
  for (const uint32_t word : nan_words)
    gate(std::bit_cast<float>(word), "NaN 0x" + to_hex(word, 8));
  // silu(x) is x, and the product has 25 bits.
  add(rows, {{0x1.001p5f}, {0x1.001p0f}}, "y ties to even, down");
  add(rows, {{0x1.001p5f}, {0x1.003p0f}}, "y ties to even, up");
  add(rows, {{0x1.001p5f}, {-0x1.003p0f}}, "y ties to even, up, negative");
  add(rows, {{-30}, {0x1p-110f}}, "y is subnormal, negative");
  add(rows, {{0x1p64f}, {0x1p63f}}, "y is just below overflow");
  add(rows, {{0x1p64f}, {-0x1p64f}}, "y overflows");
  return rows;
}

UnitRows directed_rotary() {
  UnitRows rows{.inputs = {{}, {}, {}, {}}};
  const auto rotate = [&](uint32_t position, float frequency, float x1, float x2,
                          const std::string& comment) {
    rows.inputs[0].push_back(position);
    add(rows, {{}, {frequency}, {x1}, {x2}}, comment);
  };
  const auto nan = std::bit_cast<float>(nan_words[1]);
  // The pairs at an angle: 0 with its exact cos and sin, 1, and one of the third quadrant.
  for (const uint32_t position : {0u, 1u, 4u}) {
    const std::string angle = "angle " + std::to_string(position) + ", ";
    for (const float x1 : {0.0f, -0.0f})
      for (const float x2 : {0.0f, -0.0f}) rotate(position, 1, x1, x2, angle + "zeros");
    for (const float x : {1.0f, -1.0f}) {
      rotate(position, 1, x, 0, angle + "x1 alone");
      rotate(position, 1, 0, x, angle + "x2 alone");
      rotate(position, 1, x * infinity, 1, angle + "Inf in x1");
      rotate(position, 1, 1, x * infinity, angle + "Inf in x2");
      rotate(position, 1, infinity, x * infinity, angle + "Inf in both");
      rotate(position, 1, largest, x * largest, angle + "the largest numbers");
      rotate(position, 1, least, x * least, angle + "the least subnormal numbers");
      rotate(position, 1, least_normal, x * least_normal, angle + "the least normal numbers");
    }
    rotate(position, 1, nan, 1, angle + "NaN in x1");
    rotate(position, 1, 1, nan, angle + "NaN in x2");
    rotate(position, 1, infinity, nan, angle + "Inf and NaN");
    rotate(position, 1, 3, 0x1p-30f, angle + "numbers far apart");
  }
  // At the angle 2^-12 cos is 1 and sin 2^-12.
  constexpr float small = 0x1p-12f;
  rotate(1, small, 1, 0x1p-13f, "y1 ties to even, up to 1");
  rotate(1, small, 0x1.fffffep-1f, 0x1p-13f, "y1 ties to even, down");
  rotate(1, small, small, 1, "y2 ties to even, down");
  rotate(1, small, small, 0x1.000002p0f, "y2 ties to even, up");
  rotate(1, small, 0x1p-140f, 0x1p-137f, "x2·sin is half the least subnormal number");
  rotate(1, small, 1, 4096, "y1 is x - x: +0");
  rotate(1, small, -4096, 1, "y2 is x - x: +0");
  rotate(1, 0x1p-60f, 1, 1, "sin is lost");
  rotate(1, least, 1, 1, "the frequency is subnormal");
  rotate(3, 0x1.000002p0f, 1, 2, "the angle ties to even, up");
  rotate(3, 0x1.00000ap0f, 1, 2, "the angle ties to even, down");
  rotate((1u << 24) - 1, 0x1.fffffep-1f, 1, 2, "the angle has 48 bits");
  // Near multiples of π and of π/2, where cos or sin is nearly 0.
  for (const uint32_t position : {11u, 22u, 344u, 355u, 710u, 51819u, 103993u, 312689u, 5419351u})
    rotate(position, 1, 1, 2, "cos or sin is small");
  for (const float position : {0x1p10f, 0x1p17f, 0x1.fffffep23f})
    for (const float frequency : {1.0f, 0.75f, 0x1.99999ap-4f, 0x1.0c6f7ap-20f, 0x1p-126f})
      rotate(uint32_t(position), frequency, 0.6f, -0.8f, "a large position");
  for (const float frequency : {0x1p40f, 0x1p100f, largest, infinity, nan}) {
    rotate(1, frequency, 1, 2, "an angle larger than models have");
    rotate(0, frequency, 1, 2, "position 0 times a large frequency");
    rotate((1u << 24) - 1, frequency, 1, 2, "an angle that may overflow");
  }
  return rows;
}

}  // namespace mxref
