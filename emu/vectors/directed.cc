// The kinds `directed` and `exhaustive` of golden vectors.

#include <algorithm>
#include <set>

#include "emu/binary32.h"
#include "emu/codec.h"
#include "emu/gemm.h"
#include "emu/vectors/corner_cases.h"
#include "emu/vectors/stimulus.h"
#include "emu/vectors/vectors.h"

namespace mxref {
namespace {

using Codes = std::vector<uint8_t>;

// Vectors of one target, made one by one.
class Builder {
 public:
  Builder(const VectorTarget& target, std::string kind, uint64_t seed) : target_(target) {
    const auto& [a, b, datapath] = target;
    if (const std::string reason = no_product(*a, *b, a->block, *datapath); !reason.empty())
      throw UsageError(reason);
    vectors_ = {a, b, datapath, a->block, std::move(kind), seed, {}, {}, {}, {}, {}, {}, {}, {}};
  }

  size_t block() const { return size_t(vectors_.block); }
  const BlockFormat& a() const { return *target_.a; }
  const BlockFormat& b() const { return *target_.b; }
  const Datapath& datapath() const { return *target_.datapath; }
  size_t count() const { return vectors_.count(); }
  uint8_t one_a() const { return one(*target_.a->scale); }
  uint8_t one_b() const { return one(*target_.b->scale); }
  static uint8_t one(const ScaleFormat& f) {
    return uint8_t(f.number ? f.number->bias << f.number->mantissa_bits : e8m0::bias);
  }

  // +0 with these at the places first, first + 1 …, around the end.
  Codes row(std::initializer_list<uint8_t> codes, size_t first = 0) const {
    Codes all(block(), 0);
    for (uint8_t code : codes) all[first++ % block()] = code;
    return all;
  }

  void add(const Codes& codes_a, const Codes& codes_b, uint8_t scale_a, uint8_t scale_b,
           uint32_t acc) {
    const auto join = [](Codes& to, const Codes& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    join(vectors_.codes_a, codes_a);
    join(vectors_.codes_b, codes_b);
    vectors_.scale_a.push_back(scale_a);
    vectors_.scale_b.push_back(scale_b);
    vectors_.acc_in.push_back(acc);
    vectors_.acc_out.push_back(out(datapath(), codes_a, codes_b, scale_a, scale_b, acc));
  }
  void drop_last() {
    vectors_.codes_a.resize(vectors_.codes_a.size() - block());
    vectors_.codes_b.resize(vectors_.codes_b.size() - block());
    vectors_.scale_a.pop_back();
    vectors_.scale_b.pop_back();
    vectors_.acc_in.pop_back();
    vectors_.acc_out.pop_back();
  }
  // acc_out of operands.
  uint32_t out(const Datapath& d, const Codes& codes_a, const Codes& codes_b, uint8_t scale_a,
               uint8_t scale_b, uint32_t acc) const {
    return dot_ref(d, acc, {target_.a, vectors_.block, codes_a, {&scale_a, 1}},
                   {target_.b, vectors_.block, codes_b, {&scale_b, 1}});
  }
  VectorView last() const { return view_of(vectors_, count() - 1); }
  const VectorTarget& target() const { return target_; }
  Vectors take() { return std::move(vectors_); }
  const Vectors& vectors() const { return vectors_; }

 private:
  VectorTarget target_;
  Vectors vectors_;
};

uint8_t code_of_one(const ElementFormat& f) {
  return uint8_t(f.sign == Sign::twos_complement ? 1u << f.mantissa_bits
                                                 : uint32_t(f.bias) << f.mantissa_bits);
}
std::vector<uint8_t> all_codes(const ElementFormat& f) {
  std::vector<uint8_t> codes(size_t(1) << f.bits());
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = uint8_t(i);
  return codes;
}

constexpr std::array<uint32_t, 24> accumulators{
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007FFFFF, 0x807FFFFF, 0x00800000, 0x80800000,
    0x33800000, 0x3F7FFFFF, 0x3F800000, 0xBF800000, 0x3F800001, 0x4B7FFFFF, 0x4B800000, 0xCB800001,
    0x7F7FFFFF, 0xFF7FFFFF, 0x7F7FFFFE, 0x7F800000, 0xFF800000, 0x7F800001, 0x7FC12345, 0xFFC00000};

// Each code of either operand beside 1, its place running through the block; NaN, Inf and zeros
// beside each other, in three places.
void add_elements(Builder& v) {
  const ElementFormat &a = *v.a().element, &b = *v.b().element;
  const uint8_t one_a = code_of_one(a), one_b = code_of_one(b);
  for (uint8_t code : all_codes(a))
    v.add(v.row({code}, code), v.row({one_b}, code), v.one_a(), v.one_b(), 0);
  for (uint8_t code : all_codes(b))
    v.add(v.row({one_a}, code), v.row({code}, code), v.one_a(), v.one_b(), 0x80000000);
  const auto odd_codes = [](const ElementFormat& f) {
    std::vector<uint8_t> odd{0, uint8_t(f.code(true, 1)), uint8_t(f.max_code())};
    if (f.sign == Sign::magnitude) odd.push_back(uint8_t(f.sign_mask()));
    for (uint8_t code : all_codes(f))
      if (!is_finite(f, code)) odd.push_back(code);
    return odd;
  };
  for (uint8_t x : odd_codes(a))
    for (uint8_t y : odd_codes(b)) {
      if (is_finite(a, x) && is_finite(b, y)) continue;
      for (size_t place : {size_t(0), v.block() / 2 - 1, v.block() - 1})
        v.add(v.row({x}, place), v.row({y}, place), v.one_a(), v.one_b(), 0x3F800000);
      // The opposite infinity beside it, and in the accumulator.
      v.add(v.row({x, uint8_t(x ^ a.sign_mask())}, x), v.row({y, y}, x), v.one_a(), v.one_b(), 0);
      for (uint32_t acc : {0x7F800000u, 0xFF800000u})
        v.add(v.row({x}, x), v.row({y}, x), v.one_a(), v.one_b(), acc);
    }
}

// What stands in a block of the grid.
std::vector<std::pair<Codes, Codes>> patterns(const Builder& v) {
  const ElementFormat &a = *v.a().element, &b = *v.b().element;
  const uint8_t one_a = code_of_one(a), one_b = code_of_one(b);
  const auto all = [&](uint8_t code) { return Codes(v.block(), code); };
  const auto greatest_a = uint8_t(a.max_code()), greatest_b = uint8_t(b.max_code());
  Codes alternating = all(one_a), falling = all(0), odd = all(one_a);
  for (size_t i = 0; i < v.block(); ++i) {
    if (i % 2 == 1) alternating[i] = uint8_t(a.code(true, one_a));
    falling[i] = uint8_t(a.code(i % 3 == 2, std::min(a.max_code(), uint32_t(i))));
    if (i == v.block() - 1) odd[i] = 1;
  }
  return {{v.row({one_a}, 3), v.row({one_b}, 3)},
          {v.row({1}, v.block() - 1), v.row({1}, v.block() - 1)},
          {all(greatest_a), all(greatest_b)},
          {all(uint8_t(a.code(true, a.max_code()))), all(greatest_b)},
          {alternating, all(one_b)},
          {falling, all(greatest_b)},
          {odd, all(one_b)},
          {v.row({greatest_a, 1, uint8_t(a.code(true, 1))}), v.row({greatest_b, 1, 1})},
          {all(0), all(one_b)}};
}

// Scale pairs at the edges of the format, and such that a product of ones lies at the edges of
// binary32.
std::vector<std::pair<uint8_t, uint8_t>> scale_pairs(const Builder& v) {
  if (v.a().has_tensor_scale())
    return {{0x38, 0x38}, {0x00, 0x38}, {0x38, 0x00}, {0x01, 0x01}, {0x7E, 0x7E}, {0x7E, 0x01},
            {0x07, 0x08}, {0x7F, 0x38}, {0x38, 0x7F}, {0xFF, 0x38}, {0xB8, 0x38}, {0x38, 0xFE}};
  std::vector<std::pair<uint8_t, uint8_t>> pairs{{127, 127}, {0, 0},     {254, 254}, {0, 254},
                                                 {254, 0},   {255, 127}, {127, 255}, {255, 255},
                                                 {126, 128}, {1, 253}};
  for (int exponent : {-156, -151, -150, -149, -148, -127, -126, -125, 120, 126, 127, 128})
    pairs.emplace_back(uint8_t(127 + exponent / 2), uint8_t(127 + exponent - exponent / 2));
  return pairs;
}

// Exponent edges × significand patterns (as Berkeley TestFloat has them): accumulators at the ends
// of binary32 and around the sum of the block, which they also cancel.
void add_grid(Builder& v) {
  constexpr std::array<uint32_t, 10> significands{0x000000, 0x000001, 0x7FFFFF, 0x7FFFFE, 0x400000,
                                                  0x3FFFFF, 0x555555, 0x2AAAAA, 0x7FFC00, 0x000400};
  constexpr std::array<int, 9> ends{0, 1, 2, 126, 127, 128, 252, 253, 254};
  constexpr std::array<int, 15> distances{-27, -26, -25, -24, -13, -2, -1, 0,
                                          1,   2,   12,  23,  24,  25, 26};
  size_t turn = 0;
  for (const auto& codes : patterns(v))
    for (const auto& scales : scale_pairs(v)) {
      const uint32_t sum =
          v.out(datapath("fused"), codes.first, codes.second, scales.first, scales.second, 0);
      const auto add = [&](uint32_t acc) {
        v.add(codes.first, codes.second, scales.first, scales.second, acc);
      };
      add(accumulators[turn++ % accumulators.size()]);
      if (binary32::is_nan(sum)) continue;
      for (int exponent : ends) {
        const uint32_t sign = turn % 2 == 0 ? 0 : binary32::sign_mask;
        add(sign | uint32_t(exponent) << 23 | significands[turn++ % significands.size()]);
      }
      if (!binary32::is_finite(sum) || sum == 0) continue;
      for (uint32_t beside : {0u, 1u, ~0u, 2u, 1u << 10, ~0u << 10, 1u << 11})
        add((sum + beside) ^ binary32::sign_mask);
      const int top = int(sum >> 23 & 255);
      for (int distance : distances)
        for (uint32_t sign : {0u, binary32::sign_mask})
          add(sign | uint32_t(std::clamp(top + distance, 0, 254)) << 23 |
              significands[turn++ % significands.size()]);
    }
}

// Each special accumulator meets nothing, products that cancel, and a product.
void add_accumulators(Builder& v) {
  const ElementFormat& a = *v.a().element;
  const uint8_t x = code_of_one(a), y = code_of_one(*v.b().element);
  for (uint32_t acc : accumulators)
    for (const Codes& codes_a : {v.row({}), v.row({x, uint8_t(a.code(true, x))}), v.row({x, x}),
                                 v.row({uint8_t(a.code(true, x))})})
      v.add(codes_a, v.row({y, y}), v.one_a(), v.one_b(), acc);
}

// Sums just below the least normal number, and as many of the opposite sign.
void add_below_normal(Builder& v) {
  if (v.a().has_tensor_scale()) return;
  for (bool negative : {false, true}) {
    Codes x = v.row({}), y = v.row({});
    put_power_and_least(*v.a().element, negative, !negative, x);
    put_power_and_least(*v.b().element, false, false, y);
    const BlockSum sum = block_sum(*v.a().element, x, *v.b().element, y);
    for (uint8_t scale_a : {uint8_t(64), v.one_a()})
      for (uint32_t acc : {0x00000000u, 0x80000000u, 0x00000001u, 0x80000001u})
        v.add(x, y, scale_a, scale_below_normal(sum, scale_a), acc);
  }
}

// Random vectors that reach what no other does.
void add_missing(Builder& v) {
  constexpr int most_tries = 60'000;
  const Coverage coverage = coverage_of(v.vectors());
  std::set<size_t> missing;
  for (size_t i = 0; i < coverage.cases.size(); ++i)
    if (coverage.vectors[i] == 0) missing.insert(i);
  Stimulus stimulus(v.vectors().seed, 64);
  Codes x(v.block()), y(v.block());
  for (int i = 0; i < most_tries && !missing.empty(); ++i) {
    stimulus.codes(*v.a().element, x);
    stimulus.codes(*v.b().element, y);
    const uint8_t scale_a = stimulus.scale(*v.a().scale), scale_b = stimulus.scale(*v.b().scale);
    const BlockSum sum = block_sum(*v.a().element, x, *v.b().element, y);
    v.add(x, y, scale_a, scale_b,
          stimulus.accumulator(sum, scale_a, scale_b, *v.a().scale, *v.b().scale));
    bool reaches = false;
    for (size_t index : reached_by(v.last())) reaches |= missing.erase(index) > 0;
    if (!reaches) v.drop_last();
  }
}

void cut(Vectors& v, int64_t count) {
  if (count == 0 || size_t(count) >= v.count()) return;
  const auto n = size_t(count), block = size_t(v.block);
  for (Codes* codes : {&v.codes_a, &v.codes_b}) codes->resize(n * block);
  for (Codes* scales : {&v.scale_a, &v.scale_b}) scales->resize(n);
  for (auto* acc : {&v.acc_in, &v.acc_out}) acc->resize(n);
}

void add_comments(Vectors& v) {
  const std::vector<std::string> names = corner_cases({v.format_a, v.format_b, v.datapath});
  for (size_t i = 0; i < v.count(); ++i) {
    std::string comment;
    for (size_t index : reached_by(view_of(v, i)))
      // Nearly every vector has elements of +0 and a scale of 1.
      if (!names[index].ends_with("element +0") && !names[index].ends_with("scale 1"))
        comment += (comment.empty() ? "" : "; ") + names[index];
    v.comments.push_back(comment);
  }
}

}  // namespace

Vectors directed_vectors(const BlockFormat& a, const BlockFormat& b, const Datapath& datapath,
                         int64_t count, uint64_t seed) {
  Builder builder({&a, &b, &datapath}, "directed", seed);
  add_accumulators(builder);
  add_elements(builder);
  add_grid(builder);
  add_below_normal(builder);
  add_missing(builder);
  Vectors v = builder.take();
  cut(v, count);
  add_comments(v);
  return v;
}

Vectors exhaustive_vectors(const BlockFormat& a, const BlockFormat& b, const Datapath& datapath,
                           int64_t count, uint64_t seed) {
  Builder builder({&a, &b, &datapath}, "exhaustive", seed);
  const int bits_a = a.element->bits(), bits_b = b.element->bits();
  const int elements = 16 / (bits_a + bits_b);
  const auto wanted = [&] { return count == 0 || builder.count() < size_t(count); };
  // All blocks of `elements` elements, in two places of the block.
  for (uint32_t word = 0; word < 1u << (elements * (bits_a + bits_b)) && wanted(); ++word) {
    uint32_t rest = word;
    Codes codes_a = builder.row({}), codes_b = codes_a;
    for (int i = 0; i < elements; ++i) {
      const size_t place = (word + size_t(i) * 5) % builder.block();
      codes_a[place] = uint8_t(rest & ((1u << bits_a) - 1));
      codes_b[place] = uint8_t(rest >> bits_a & ((1u << bits_b) - 1));
      rest >>= bits_a + bits_b;
    }
    builder.add(codes_a, codes_b, builder.one_a(), builder.one_b(),
                accumulators[(word * 7 + word / 256) % accumulators.size()]);
  }
  // All pairs of scales over a product of 1.
  const Codes ones_a = builder.row({code_of_one(*a.element)});
  const Codes ones_b = builder.row({code_of_one(*b.element)});
  for (uint32_t pair = 0; pair < 0x10000 && wanted(); ++pair)
    builder.add(ones_a, ones_b, uint8_t(pair), uint8_t(pair >> 8), 0);
  return builder.take();
}

}  // namespace mxref
